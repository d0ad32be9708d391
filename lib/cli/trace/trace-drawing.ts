// lib/cli/trace/trace-drawing.ts: a trace as lines of text: a head, then the tree with times and, on a terminal that has the
// room, a bar for each span. Lines are made as they are asked for: a trace may have 100,000 spans. Pure.
import type { Endpoint, Span, SpanNode } from '@blkin/relay'
import { count, duration, localTime } from '../print/amounts.js'
import type { Style } from '../print/print.js'
import { cutTo, width } from '../print/table.js'
import { visible } from '../print/visible.js'
import { rowsOf } from './trace-rows.js'
import { isError, type Summary } from './trace-summary.js'

const timeColumn = 9
const gap = '  '
const times = 2 * (timeColumn + gap.length)

/** Below this a terminal has no room for bars. */
const leastForBars = 80

interface Layout {
  /** For the tree; longer than that is cut on a terminal. */
  left: number
  /** 0: no bars. */
  bar: number
  /** To which lines are cut; absent where the output is no terminal. */
  columns?: number
  levels: number
}

/** Which host a span is from, as the relay tells it: of no interest where all are from one. */
const hostTag = 'blkin.host'

/** Levels of the tree that are drawn where nothing is cut. */
const freeLevels = 32
const freeLeft = 60

function layoutFor(columns: number | undefined, widest: (levels: number) => number): Layout {
  if (columns === undefined)
    return { left: Math.min(freeLeft, widest(freeLevels)), bar: 0, levels: freeLevels }
  const hasBars = columns >= leastForBars
  const most = hasBars ? Math.floor(columns / 2) : Math.max(16, columns - times)
  const levels = Math.floor(most / 5) // the rest is for names
  const left = Math.min(most, widest(levels))
  return { left, levels, columns, bar: hasBars ? columns - left - times - gap.length : 0 }
}

/** `columns` of the terminal; undefined where the output is none. */
export function* drawTrace(
  root: SpanNode,
  summary: Summary,
  columns: number | undefined,
  style: Style,
): Generator<string> {
  const layout = layoutFor(columns, (levels) => widestOf(root, levels, columns))
  yield style.bold(headOf(summary))
  yield style.dim(lineOf('SPAN', 'START', 'DURATION', '', layout))
  const window = { first: summary.timestamp ?? 0, took: summary.duration ?? 0 }
  const zero = root.span?.timestamp ?? window.first
  const hidden = hostsOf(root, layout.levels).size > 1 ? undefined : hostTag
  for (const { lead, below, item } of rowsOf(root, layout.levels)) {
    if (typeof item === 'string') yield style.warn(cut(item, layout.columns))
    else {
      yield spanLine(lead, item, zero, window, layout, style)
      for (const [text, isBad] of factsOf(item, zero, hidden, layout.columns)) {
        const line = cut(below + text, layout.columns)
        yield isBad ? style.warn(line) : style.dim(line)
      }
    }
  }
}

export function headOf(summary: Summary): string {
  const { traceId, spans, services, timestamp, duration: took, errors, withoutEnd } = summary
  return [
    `trace ${traceId}: ${count(spans, 'span')}`,
    count(services.length, 'service'),
    ...(took === undefined ? [] : [duration(took * 1000)]),
    ...(timestamp === undefined ? [] : [localTime(timestamp)]),
    ...(errors > 0 ? [count(errors, 'error')] : []),
    ...(withoutEnd > 0 ? [`${withoutEnd} without an end`] : []),
  ].join(', ')
}

function widestOf(root: SpanNode, levels: number, columns: number | undefined): number {
  let widest = 0
  for (const { lead, item } of rowsOf(root, levels))
    if (typeof item !== 'string') widest = Math.max(widest, width(lead + labelOf(item, columns)))
  return widest
}

function hostsOf(root: SpanNode, levels: number): Set<string> {
  const hosts = new Set<string>()
  for (const { item } of rowsOf(root, levels)) {
    const host = typeof item === 'string' ? undefined : item.tags?.[hostTag]
    if (host !== undefined) hosts.add(host)
  }
  return hosts
}

function labelOf({ localEndpoint, name, kind }: Span, most: number | undefined): string {
  const own = `${shown(localEndpoint?.serviceName ?? '?', most)}: ${shown(name ?? '?', most)}`
  return kind === undefined ? own : `${own} [${kind.toLowerCase()}]`
}

/** No more of it than a line could hold is looked at. */
const shown = (text: string, most = Infinity): string => visible(text.slice(0, 4 * most))

const cut = (text: string, most: number | undefined): string =>
  most === undefined ? text : cutTo(text, most)

interface Window {
  first: number
  took: number
}

function spanLine(
  lead: string,
  span: Span,
  zero: number,
  window: Window,
  layout: Layout,
  style: Style,
): string {
  const { timestamp, duration: took } = span
  const start = timestamp === undefined ? '?' : offset(timestamp - zero)
  const length = took === undefined ? 'no end' : duration(took * 1000)
  const label = cut(
    lead + labelOf(span, layout.columns),
    layout.columns === undefined ? undefined : layout.left,
  )
  const line = lineOf(label, start, length, barOf(span, window, layout.bar), layout)
  return isError(span) || took === undefined ? style.warn(line) : line
}

function lineOf(label: string, start: string, length: string, bar: string, { left }: Layout): string {
  const space = ' '.repeat(Math.max(0, left - width(label)))
  return [label + space, start.padStart(timeColumn), length.padStart(timeColumn), bar].join(gap).trimEnd()
}

/** 0, "+1.20ms", "-3.00us": microseconds from the root's begin. */
function offset(us: number): string {
  return us === 0 ? '0' : `${us < 0 ? '-' : '+'}${duration(Math.abs(us) * 1000)}`
}

/** A span without an end may have gone on until nobody knows when. */
function barOf({ timestamp, duration: took }: Span, { first, took: all }: Window, columns: number): string {
  if (columns === 0 || timestamp === undefined) return ''
  const at = (time: number) => (all === 0 ? 0 : Math.round((time / all) * columns))
  const from = Math.min(columns - 1, at(timestamp - first))
  if (took === undefined) return ' '.repeat(from) + '░'.repeat(columns - from)
  return ' '.repeat(from) + '█'.repeat(Math.max(1, at(timestamp - first + took) - from))
}

/** The other side, tags, then annotations with their time; and whether it is what went wrong. */
function* factsOf(
  span: Span,
  zero: number,
  hidden: string | undefined,
  most: number | undefined,
): Generator<[string, boolean]> {
  const { remoteEndpoint, tags = {}, annotations = [] } = span
  if (remoteEndpoint) yield [`remote ${shown(endpointText(remoteEndpoint), most)}`, false]
  for (const key in tags)
    if (key !== hidden) yield [`${shown(key, most)} = ${shown(tags[key]!, most)}`, key === 'error']
  for (const { timestamp, value } of annotations)
    yield [`${offset(timestamp - zero)} ${shown(value, most)}`, false]
}

function endpointText({ serviceName, ipv4, ipv6, port }: Endpoint): string {
  const host = ipv4 ?? (ipv6 && `[${ipv6}]`)
  const address = [host, port].filter((part) => part !== undefined).join(':')
  return [serviceName, address].filter((part) => part).join(' ')
}
