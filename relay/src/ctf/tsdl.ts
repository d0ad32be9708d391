// relay/src/ctf/tsdl.ts: reads the TSDL that metadata.ts writes, and refuses any other in one line.
// find.ts calls it once a trace. The layout of packets must be in the text word for word; what differs between
// traces (trace, env, clock, events) is parsed: a tokenizer and a small recursive grammar, no more than we write.

import { LAYOUT } from './metadata.js'
import { type Scalar, TraceError, type TraceField, type TraceInfo, type TraceTracepoint } from './model.js'

const TOKEN = /\s+|\/\*[\s\S]*?\*\/|("(?:[^"\\\n]|\\.)*"|[A-Za-z_]\w*|-?\d+|:=|[{}[\]();=,:.])/y

export function parseMetadata(folder: string, text: string): TraceInfo {
  const tracer = /tracer_name\s*=\s*"([^"]*)"/.exec(text)?.[1]
  if (tracer !== 'blkin') {
    const came = tracer === undefined ? 'metadata names no tracer' : `tracer_name is "${tracer}"`
    throw new TraceError(folder, `not a blkin trace (${came}); read it with babeltrace2`, true)
  }
  if (!text.includes(LAYOUT)) {
    throw new TraceError(folder, 'written by another version of blkin; read it with babeltrace2', true)
  }
  return new Parser(folder, text.replace(LAYOUT, 'stream {\n')).trace()
}

type Block = Map<string, string>

class Parser {
  readonly #tokens: string[] = []
  #at = 0

  constructor(
    readonly folder: string,
    text: string,
  ) {
    TOKEN.lastIndex = 0
    while (TOKEN.lastIndex < text.length) {
      const at = TOKEN.lastIndex
      const match =
        TOKEN.exec(text) ?? this.#wrong(`metadata has ${JSON.stringify(text.slice(at, at + 20))} in it`)
      if (match[1] !== undefined) this.#tokens.push(match[1])
    }
  }

  trace(): TraceInfo {
    const blocks: Record<string, Block> = {}
    const tracepoints: TraceTracepoint[] = []
    let contexts: TraceField[] = []
    while (this.#at < this.#tokens.length) {
      const name = this.#next()
      if (name === 'event') tracepoints.push(this.#event(tracepoints.length))
      else if (name === 'stream') contexts = this.#stream()
      else blocks[name] = this.#block()
    }
    const get = (block: string, key: string) =>
      blocks[block]?.get(key) ?? this.#wrong(`metadata has no ${block}.${key}`)
    return {
      folder: this.folder,
      uuid: unquote(get('trace', 'uuid')),
      hostname: unquote(get('env', 'hostname')),
      program: unquote(get('env', 'procname')),
      pid: Number(get('env', 'vpid')),
      session: unquote(get('env', 'blkin_session')),
      bootId: unquote(get('clock', 'uuid')),
      offset: BigInt(get('clock', 'offset_s')) * 1_000_000_000n + BigInt(get('clock', 'offset')),
      contexts,
      tracepoints,
    }
  }

  /** `{ name = value; ... };` Structs in it are passed over: the layout is known. */
  #block(): Block {
    const block: Block = new Map()
    this.#take('{')
    while (!this.#accept('}')) {
      let name = this.#next()
      while (this.#accept('.')) name += `.${this.#next()}`
      if (this.#accept(':=')) this.#skipStruct()
      else {
        this.#take('=')
        block.set(name, this.#next())
      }
      this.#take(';')
    }
    this.#take(';')
    return block
  }

  #skipStruct(): void {
    this.#take('struct')
    this.#take('{')
    for (let depth = 1; depth > 0; ) {
      const token = this.#next()
      if (token === '{') depth++
      if (token === '}') depth--
    }
  }

  /** What is left of its block once the layout is taken out. */
  #stream(): TraceField[] {
    this.#take('{')
    const contexts: TraceField[] = []
    if (this.#accept('event')) {
      for (const token of ['.', 'context', ':=']) this.#take(token)
      this.#struct(contexts)
    }
    for (const token of ['}', ';']) this.#take(token)
    return contexts
  }

  #event(id: number): TraceTracepoint {
    this.#take('{')
    const name = unquote(this.#assigned('name')).split(':')
    if (Number(this.#assigned('id')) !== id || name.length !== 2)
      this.#wrong(`metadata: event ${id} is not as written`)
    this.#assigned('stream_id')
    const level = Number(this.#assigned('loglevel'))
    for (const token of ['fields', ':=']) this.#take(token)
    const fields: TraceField[] = []
    this.#struct(fields)
    for (const token of ['}', ';']) this.#take(token)
    return { id, provider: name[0]!, event: name[1]!, level, fields }
  }

  #struct(fields: TraceField[]): void {
    for (const token of ['struct', '{']) this.#take(token)
    while (!this.#accept('}')) this.#member(fields)
    this.#take(';')
  }

  #assigned(name: string): string {
    this.#take(name)
    this.#take('=')
    const value = this.#next()
    this.#take(';')
    return value
  }

  /** One member; a counted one takes back the length that stands before it. */
  #member(fields: TraceField[]): void {
    const labels = this.#accept('enum') ? this.#labels() : undefined
    const type = labels?.container ?? this.#next()
    const field: TraceField = {
      name: this.#next().slice(1),
      type: scalar(type) ?? this.#wrong(`no type "${type}"`),
    }
    if (labels) field.labels = labels.labels
    if (this.#accept('[')) {
      const length = this.#next()
      field.length = Number(length)
      if (Number.isNaN(field.length)) {
        if (`_${fields.pop()?.name}` !== length)
          this.#wrong(`metadata: "${length}" does not stand before its field`)
        field.length = 'counted'
      }
      this.#take(']')
    }
    if (type === 'hex8_t') {
      field.type = 'bytes'
      delete field.length
    }
    if (type === 'hex64_t') field.base = 16
    this.#take(';')
    fields.push(field)
  }

  #labels(): { container: string; labels: [string, number][] } {
    this.#take(':')
    const container = this.#next()
    const labels: [string, number][] = []
    this.#take('{')
    do {
      const name = unquote(this.#next())
      this.#take('=')
      labels.push([name, Number(this.#next())])
    } while (this.#accept(','))
    this.#take('}')
    return { container, labels }
  }

  #next(): string {
    return this.#tokens[this.#at++] ?? this.#wrong('metadata ends too early')
  }

  #accept(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false
    this.#at++
    return true
  }

  #take(token: string): void {
    const came = this.#next()
    if (came !== token) this.#wrong(`metadata has "${came}" where "${token}" belongs`)
  }

  #wrong(message: string): never {
    throw new TraceError(this.folder, message)
  }
}

function scalar(type: string): Scalar | undefined {
  if (type === 'string') return 'string'
  if (type === 'hex8_t') return 'u8'
  if (type === 'hex64_t') return 'u64'
  const [, kind, bits] = /^(u?int|float)(8|16|32|64)_t$/.exec(type) ?? []
  return kind ? (`${{ uint: 'u', int: 'i', float: 'f' }[kind]}${bits}` as Scalar) : undefined
}

const unquote = (text: string): string => text.slice(1, -1).replace(/\\(.)/g, '$1')
