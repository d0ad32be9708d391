// test/support/babeltrace.ts: reads the text of `babeltrace2 --clock-seconds` back into values. Pure.
// Integers are bigints, floats numbers (of the six digits that it prints), an enum its label or its number.

export type PrintedValue = bigint | number | string | PrintedValue[]

export interface Printed {
  /** Nanoseconds since the epoch. */
  time: bigint
  /** "provider:event" */
  name: string
  pid: number
  fields: Record<string, PrintedValue>
  /** What stands before the payload: of the packet and of the event. */
  context: Record<string, PrintedValue>
}

export function parseBabeltrace(text: string): Printed[] {
  return text.split('\n').filter(Boolean).map(parseLine)
}

function parseLine(line: string): Printed {
  const head = /^\[(\d+)\.(\d{9})\] \(\S+\) (\S+) ([^ ]+): /.exec(line)
  if (head === null) throw new Error(`no event in ${line}`)
  const [all, seconds, nanoseconds, where = '', name = ''] = head
  const reader = new Reader(line, all.length)
  const context: Record<string, PrintedValue> = {}
  let fields = reader.struct()
  while (reader.take(', ')) {
    Object.assign(context, fields)
    fields = reader.struct()
  }
  const pid = Number(/\((\d+)\)$/.exec(where)?.[1] ?? /\bvpid = (\d+)/.exec(line)?.[1])
  return { time: BigInt(`${seconds}${nanoseconds}`), name, pid, fields, context }
}

const marks: Record<string, string> = {
  a: '\x07', b: '\b', e: '\x1b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v',
} // biome-ignore format: a table

class Reader {
  constructor(
    readonly text: string,
    public at: number,
  ) {}

  take(text: string): boolean {
    const is = this.text.startsWith(text, this.at)
    if (is) this.at += text.length
    return is
  }

  need(text: string): void {
    if (!this.take(text)) throw new Error(`expected ${text} at ${this.at} of ${this.text}`)
  }

  word(pattern: RegExp): string {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)?.[0]
    if (!found) throw new Error(`expected ${pattern} at ${this.at} of ${this.text}`)
    this.at += found.length
    return found
  }

  struct(): Record<string, PrintedValue> {
    const fields: Record<string, PrintedValue> = {}
    this.need('{ ')
    if (this.take('}')) return fields
    do {
      const name = this.word(/\w+/y)
      this.need(' = ')
      const value = this.value()
      // A sequence's length is a member of its own, and the list says it already.
      if (!/^_.*_length$/.test(name)) fields[name] = value
    } while (this.take(', '))
    this.need(' }')
    return fields
  }

  value(): PrintedValue {
    if (this.take('"')) return this.string()
    if (this.take('( ')) return this.enumeration()
    if (this.take('[ ')) return this.list()
    const word = this.word(/[^ ,]+/y)
    if (/^-?\d+$/.test(word)) return BigInt(word)
    if (/^0x[0-9A-F]+$/.test(word)) return BigInt(word)
    const numbers: Record<string, number> = {
      inf: Infinity,
      '-inf': -Infinity,
      nan: NaN,
      '-nan': NaN,
      '-0': -0,
    }
    return numbers[word] ?? Number(word)
  }

  string(): string {
    let out = ''
    for (;;) {
      out += this.word(/[^"\\]*["\\]/y)
      const end = out.at(-1)
      out = out.slice(0, -1)
      if (end === '"') return out
      const mark = this.text[this.at++] as string
      if (mark === 'x') {
        out += String.fromCharCode(Number.parseInt(this.text.slice(this.at, this.at + 2), 16))
        this.at += 2
      } else {
        out += marks[mark] ?? mark
      }
    }
  }

  enumeration(): PrintedValue {
    const label = this.take('"') ? this.string() : undefined
    if (label === undefined) this.need('<unknown>')
    this.need(' : container = ')
    const number = BigInt(this.word(/-?\d+/y))
    this.need(' )')
    return label ?? number
  }

  list(): PrintedValue[] {
    const values: PrintedValue[] = []
    if (this.take(']')) return values
    do {
      this.need(`[${values.length}] = `)
      values.push(this.value())
    } while (this.take(', '))
    this.need(' ]')
    return values
  }
}
