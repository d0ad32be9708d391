// relay/src/read/json.ts: an item as one JSON object on one line; docs/view.md describes the keys.
// view.ts calls it for each item. No number in it is rounded: what a double cannot hold is a string of digits.

import { NO_CPU } from '../ctf/packet.js'
import type { TraceEvent, TraceField, TraceInfo, TraceLoss, TraceTracepoint, TraceValue } from './model.js'
import { nine } from './text.js'

export function formatJson(item: TraceEvent | TraceLoss): string {
  const time = `{"time":"${isoText(item.seconds)}${nine(item.nanoseconds)}Z",`
  if (item.kind === 'loss') return time + lossText(item)
  const printer = printers.get(item.tracepoint) ?? compilePrinter(item.trace, item.tracepoint)
  const cpu = item.cpu === NO_CPU ? 'null' : item.cpu
  return `${time}${printer.head}${cpu},"fields":${printer.print(item.fields)}}`
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

function isoText(seconds: number): string {
  if (seconds !== lastSecond) {
    lastIso = new Date(seconds * 1000).toISOString().slice(0, 19)
    lastSecond = seconds
  }
  return lastIso
}

function processText({ hostname, pid, program }: TraceInfo): string {
  return `"host":${JSON.stringify(hostname)},"pid":${pid},"program":${JSON.stringify(program)},`
}

interface Printer {
  head: string
  print(fields: Record<string, TraceValue>): string
}

const printers = new WeakMap<TraceTracepoint, Printer>()

function compilePrinter(trace: TraceInfo, tracepoint: TraceTracepoint): Printer {
  const parts = tracepoint.fields.map((field) => {
    const value = `f[${JSON.stringify(field.name)}]`
    return `'"${field.name}":' + ${isPlain(field) ? value : `w(${value})`}`
  })
  const { provider, event, level } = tracepoint
  const printer = {
    head: `${processText(trace)}"provider":"${provider}","event":"${event}","level":"${LEVELS[level]}","cpu":`,
    print: new Function(
      'w',
      `return (f) => '{' + ${[parts.join(` + ',' + `), `'}'`].filter(Boolean).join(' + ')}`,
    )(valueText),
  }
  printers.set(tracepoint, printer)
  return printer
}

const PLAIN = new Set<string>(['u8', 'u16', 'u32', 'i8', 'i16', 'i32'])

/** Always a finite number, so that it is its own JSON. */
function isPlain(field: TraceField): boolean {
  return PLAIN.has(field.type) && !field.labels && field.length === undefined
}

function valueText(value: TraceValue): string {
  if (typeof value === 'number')
    return Number.isFinite(value) ? (Object.is(value, -0) ? '-0' : String(value)) : `"${value}"`
  if (typeof value === 'bigint') return `"${value}"`
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'boolean') return String(value)
  return Buffer.isBuffer(value) ? `"${value.toString('hex')}"` : `[${value.map(valueText).join(',')}]`
}
