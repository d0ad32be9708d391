// relay/src/ctf/print/json.ts: an item as one JSON object on one line; docs/view.md describes the keys.
// live/ and programs that read items call it; json-lines.ts writes the same from bytes. No number in it is rounded: what a double cannot hold is a string of digits.

import { visibleJson } from '../../common/visible.js'
import { isBool } from '../decode.js'
import type { TraceEvent, TraceField, TraceInfo, TraceLoss, TraceTracepoint, TraceValue } from '../model.js'
import { NO_CPU } from '../packet.js'
import { nine } from './text.js'

export function formatJson(item: TraceEvent | TraceLoss): string {
  const time = `{"time":"${isoText(item.seconds)}${nine(item.nanoseconds)}Z",`
  if (item.kind === 'loss') return time + lossText(item)
  const printer = printers.get(item.tracepoint) ?? compilePrinter(item.trace, item.tracepoint)
  const cpu = item.cpu === NO_CPU ? 'null' : item.cpu
  const context = item.context && printer.context ? `"context":${printer.context(item.context)},` : ''
  return `${time}${printer.head}${cpu},${context}"fields":${printer.fields(item.fields)}}`
}

export const LEVELS = [
  ...['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug_system', 'debug_program'],
  ...['debug_process', 'debug_module', 'debug_unit', 'debug_function', 'debug_line', 'debug'],
]

function lossText(loss: TraceLoss): string {
  const seconds = Number(loss.until / 1_000_000_000n)
  const until = `${isoText(seconds)}${nine(Number(loss.until % 1_000_000_000n))}Z`
  return `${processText(loss.trace)}"stream":${loss.stream},"lost":${loss.events},"lostPackets":${loss.packets},"until":"${until}"}`
}

let lastSecond = Number.NaN
let lastIso = ''

export function isoText(seconds: number): string {
  if (seconds !== lastSecond) {
    lastIso = new Date(seconds * 1000).toISOString().slice(0, 19)
    lastSecond = seconds
  }
  return lastIso
}

function processText({ hostname, pid, program }: TraceInfo): string {
  return `"host":${jsonText(hostname)},"pid":${pid},"program":${jsonText(program)},`
}

/** What a terminal may take for a command and JSON leaves as it is, comes as an escape too. */
export const jsonText = (text: string): string => visibleJson(JSON.stringify(text))

interface Printer {
  head: string
  context: ((fields: Record<string, TraceValue>) => string) | undefined
  fields(fields: Record<string, TraceValue>): string
}

const printers = new WeakMap<TraceTracepoint, Printer>()

/** By value: the first label where there are several. */
export function labelJson(field: TraceField): Map<number, string> {
  const labels = [...field.labels!].reverse()
  return new Map(labels.map(([name, value]) => [value, isBool(field) ? name : jsonText(name)]))
}

/** Between an event's time and its CPU. */
export const headJson = (trace: TraceInfo, { provider, event, level }: TraceTracepoint): string =>
  `${processText(trace)}"provider":${jsonText(provider)},"event":${jsonText(event)},"level":"${LEVELS[level]}","cpu":`

function compilePrinter(trace: TraceInfo, tracepoint: TraceTracepoint): Printer {
  const printer = {
    head: headJson(trace, tracepoint),
    context: trace.contexts.length === 0 ? undefined : compileFields(trace.contexts),
    fields: compileFields(tracepoint.fields),
  }
  printers.set(tracepoint, printer)
  return printer
}

function compileFields(fields: TraceField[]): Printer['fields'] {
  const parts = fields.map((field) => {
    const value = `f[${JSON.stringify(field.name)}]`
    const text = isPlain(field) ? value : field.base === 16 ? `x(${value})` : `w(${value})`
    return `'"${field.name}":' + ${text}`
  })
  const body = [parts.join(` + ',' + `), `'}'`].filter(Boolean).join(' + ')
  return new Function('w', 'x', `return (f) => '{' + ${body}`)(valueText, idText)
}

/** An id, as tracing tools write it: all its digits, in hexadecimal. */
const idText = (value: number | bigint): string => `"${value.toString(16).padStart(16, '0')}"`

const PLAIN = new Set<string>(['u8', 'u16', 'u32', 'i8', 'i16', 'i32'])

/** Always a finite number, so that it is its own JSON. */
function isPlain(field: TraceField): boolean {
  return PLAIN.has(field.type) && !field.labels && field.length === undefined
}

export function valueText(value: TraceValue): string {
  if (typeof value === 'number')
    return Number.isFinite(value) ? (Object.is(value, -0) ? '-0' : String(value)) : `"${value}"`
  if (typeof value === 'bigint') return `"${value}"`
  if (typeof value === 'string') return jsonText(value)
  if (typeof value === 'boolean') return String(value)
  return Buffer.isBuffer(value) ? `"${value.toString('hex')}"` : `[${value.map(valueText).join(',')}]`
}
