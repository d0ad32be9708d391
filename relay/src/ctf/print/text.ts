// relay/src/ctf/print/text.ts: an item as a line of text: events byte for byte as `babeltrace2` prints them.
// `blkin tail` and programs that read items call it; text-lines.ts writes the same from bytes. A printer is compiled for each tracepoint and kept as long as its trace is.
// A loss has a line of its own, where babeltrace2 warns on stderr.

import { isBool } from '../decode.js'
import type { TraceEvent, TraceField, TraceInfo, TraceLoss, TraceTracepoint, TraceValue } from '../model.js'
import { streamFile } from '../streams.js'
import { general } from './general.js'

/** `before` is the time of the event printed before this one, for the delta. */
export function formatText(item: TraceEvent | TraceLoss, before?: TraceEvent): string {
  if (item.kind === 'loss') return lossText(item)
  const delta = before ? deltaText(item, before) : '+?.?????????'
  const tracepoint = item.tracepoint
  const printer = printers.get(tracepoint) ?? compilePrinter(item.trace, tracepoint)
  const time = clockText(item.seconds) + nine(item.nanoseconds)
  const context = item.context && printer.context ? `${printer.context(item.context)}, ` : ''
  return `[${time}] (${delta}) ${printer.head}${item.cpu} }, ${context}${printer.fields(item.fields)}`
}

function lossText(loss: TraceLoss): string {
  const what = [
    loss.events > 0n ? `${loss.events} event${loss.events === 1n ? '' : 's'}` : '',
    loss.packets > 0n ? `${loss.packets} packet${loss.packets === 1n ? '' : 's'}` : '',
  ].filter(Boolean)
  const from = clockText(loss.seconds) + nine(loss.nanoseconds)
  const until = clockText(Number(loss.until / 1_000_000_000n)) + nine(Number(loss.until % 1_000_000_000n))
  const { hostname, program, pid } = loss.trace
  const where = `${hostname}:${program}:(${pid}) ${streamFile(loss.stream)}`
  return `[${from}] *** ${what.join(' and ')} lost in ${where} between ${from} and ${until} ***`
}

function deltaText(item: TraceEvent, before: TraceEvent): string {
  let seconds = item.seconds - before.seconds
  let nanoseconds = item.nanoseconds - before.nanoseconds
  if (nanoseconds < 0) {
    seconds--
    nanoseconds += 1_000_000_000
  }
  return `+${seconds}${nine(nanoseconds)}`
}

let lastSecond = Number.NaN
let lastClock = ''

/** Local time, as HH:MM:SS. Most calls are for the second of the call before. */
export function clockText(seconds: number): string {
  if (seconds !== lastSecond) {
    const date = new Date(seconds * 1000)
    lastClock = [date.getHours(), date.getMinutes(), date.getSeconds()]
      .map((n) => String(n).padStart(2, '0'))
      .join(':')
    lastSecond = seconds
  }
  return lastClock
}

export function nine(nanoseconds: number): string {
  return `.${String(1_000_000_000 + nanoseconds).slice(1)}`
}

interface Printer {
  head: string
  context: ((fields: Record<string, TraceValue>) => string) | undefined
  fields(fields: Record<string, TraceValue>): string
}

const printers = new WeakMap<TraceTracepoint, Printer>()

/** Between an event's times and its CPU. */
export const headText = (
  { hostname, program, pid }: TraceInfo,
  { provider, event }: TraceTracepoint,
): string => `${hostname}:${program}:(${pid}) ${provider}:${event}: { cpu_id = `

function compilePrinter(trace: TraceInfo, tracepoint: TraceTracepoint): Printer {
  const { contexts } = trace
  const printer = {
    head: headText(trace, tracepoint),
    context: contexts.length === 0 ? undefined : compileFields(contexts),
    fields: compileFields(tracepoint.fields),
  }
  printers.set(tracepoint, printer)
  return printer
}

function compileFields(fields: TraceField[]): Printer['fields'] {
  const writers = fields.map(writer)
  const parts = fields.flatMap((field, i) => {
    const value = `f[${JSON.stringify(field.name)}]`
    const counted = field.length === 'counted' || field.type === 'bytes'
    return [
      ...(counted ? [`'_${field.name}_length = ' + ${value}.length`] : []),
      `'${field.name} = ' + ${isPlain(field) ? value : `w[${i}](${value})`}`,
    ]
  })
  const body = parts.length === 0 ? `'{ }'` : `'{ ' + ${parts.join(` + ', ' + `)} + ' }'`
  return new Function('w', `return (f) => ${body}`)(writers)
}

/** Is its own text. */
function isPlain(field: TraceField): boolean {
  return NUMBER.has(field.type) && !field.labels && field.length === undefined && field.base === undefined
}

const NUMBER = new Set<string>(['u8', 'u16', 'u32', 'u64', 'i8', 'i16', 'i32', 'i64'])

function writer(field: TraceField): (value: never) => string {
  if (field.type === 'bytes') return (value: Buffer) => listText(Array.from(value, (byte) => hexText(byte)))
  const one = oneWriter(field)
  return field.length === undefined ? one : (values: TraceValue[]) => listText(values.map(one))
}

function oneWriter(field: TraceField): (value: TraceValue) => string {
  if (field.labels) return enumWriter(field)
  if (field.base === 16) return (value) => hexText(value as number | bigint)
  if (field.type === 'string') return (value) => quote(value as string)
  if (field.type === 'f32' || field.type === 'f64') return (value) => general(value as number)
  return String
}

/** What stands for each label, worked out once; a value with several labels shows them all. */
function enumWriter(field: TraceField): (value: TraceValue) => string {
  const texts = new Map<TraceValue, string>()
  for (const [name, value] of field.labels!)
    texts.set(isBool(field) ? value === 1 : name, labelText(field.labels!, value))
  return (value) => texts.get(value) ?? unknownLabel(value)
}

export function labelText(labels: [string, number][], value: number): string {
  const names = labels.filter((label) => label[1] === value).map((label) => quote(label[0]))
  return `( ${names.join(', ')} : container = ${value} )`
}

export const unknownLabel = (value: TraceValue): string => `( <unknown> : container = ${value} )`

const hexText = (value: number | bigint): string => `0x${value.toString(16).toUpperCase()}`

function listText(values: string[]): string {
  return values.length === 0 ? '[ ]' : `[ ${values.map((value, i) => `[${i}] = ${value}`).join(', ')} ]`
}

const NAMED: Record<string, string> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\x1b': '\\e',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const ESCAPED = /[\x00-\x1f\x7f\\'"?]/g

export function quote(text: string): string {
  return `"${text.replace(ESCAPED, escapeOne)}"`
}

function escapeOne(mark: string): string {
  if (mark >= ' ' && mark !== '\x7f') return `\\${mark}`
  return NAMED[mark] ?? `\\x${mark.charCodeAt(0).toString(16).padStart(2, '0')}`
}
