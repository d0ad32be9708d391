// lib/cli/span-tree.ts: a trace's tree as lines: branches, names, times, a bar on the trace's own time line, and below each
// span what was said of it. Pure. Everything in a span is somebody else's text: nothing of it reaches the terminal as a
// command. Nothing here recurses, and lines stay short however deep a tree is.
import type { Node, Span } from '@blkin/relay'
import { count, duration } from './amounts.js'
import type { Style } from './print.js'
import { cutTo, renderTable, width } from './table.js'

export interface Drawing {
  columns: number
  style: Style
}

/** A node, with the branches that lead to it and those below it. */
interface Place {
  node: Node
  /** What stands before its name. */
  lead: string
  /** What stands before whatever is below it. */
  below: string
  depth: number
}

/** The relay's, of no interest where all were one host. */
const hostTag = 'blkin.host'
const depthMost = 24
const nameMost = 60
const barMost = 40
const barLeast = 10

/** Marks that move the cursor, end the line or turn the direction of writing, as escapes. */
export const visible = (text: string): string =>
  text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
    /[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (mark) => `\\u{${mark.charCodeAt(0).toString(16)}}`,
  )

export function* drawTrace(spans: readonly Span[], root: Node, drawing: Drawing): Generator<string> {
  const { style } = drawing
  const places = [...walk(root, new Set(spans.map(({ id }) => id)))]
  const told = places.flatMap(({ node: { span } }) => (span ? [span] : []))
  const [first, end] = extent(told)
  yield `${style.bold(`trace ${spans[0]?.traceId ?? ''}`)}  ${count(told.length, 'span')}  ${duration((end - first) * 1000)}  ${isoTime(first)}`
  const rows = places.map(({ node: { span }, lead, node }) =>
    span ? rowOf(span, lead, first) : [lead + titleOf(node), '', '', '', ''],
  )
  const hosts = new Set(told.flatMap(({ tags }) => tags?.[hostTag] ?? []))
  const right = true
  const columns = [{ head: 'SPAN' }, { head: 'SERVICE' }, { head: 'KIND' }]
  const [head = '', ...lines] = renderTable(
    [...columns, { head: 'AT', right }, { head: 'TOOK', right }],
    rows,
  )
  const wide = Math.max(width(head), ...lines.map(width))
  const room = Math.min(barMost, drawing.columns - wide - 2)
  yield style.dim(head)
  for (const [i, line] of lines.entries()) {
    const { node, below } = places[i] as Place
    const { span } = node
    if (!span) {
      yield style.dim(line)
      continue
    }
    const drawn = room < barLeast ? '' : bar(span, first, end, room)
    const failed = span.tags !== undefined && Object.hasOwn(span.tags, 'error')
    yield `${failed ? style.warn(line) : line}${drawn === '' ? '' : `${' '.repeat(wide - width(line) + 2)}${drawn}`}`.trimEnd()
    for (const words of saidOf(span, first, hosts.size > 1)) yield style.dim(`${below}  ${words}`)
  }
}

/** Depth first. Spans whose parent is not here stand under a line that says so. */
function* walk(root: Node, known: ReadonlySet<string>): Generator<Place> {
  const stack: Place[] = [{ node: root, lead: '', below: '', depth: 0 }]
  for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
    const { node, below, depth } = place
    const children = node === root ? gather(root, known) : node.children
    yield { ...place, below: children.length > 0 ? `${below}│` : below }
    for (let i = children.length - 1; i >= 0; i--) {
      const last = i === children.length - 1
      const deeper = depth < depthMost
      stack.push({
        node: children[i] as Node,
        lead: deeper ? `${below}${last ? '└─ ' : '├─ '}` : `${below}${depth + 1}: `,
        below: deeper ? `${below}${last ? '   ' : '│  '}` : below,
        depth: depth + 1,
      })
    }
  }
}

/** The root's children, those that are there only because their parent is missing in a node of their own each. */
function gather(root: Node, known: ReadonlySet<string>): Node[] {
  const missing = new Map<string, Node>()
  const children: Node[] = []
  for (const child of root.children) {
    const { parentId, id } = child.span as Span
    if (parentId === undefined || known.has(parentId) || parentId === id) children.push(child)
    else {
      const parent = missing.get(parentId) ?? { children: [], parent: root }
      missing.set(parentId, parent)
      parent.children.push(child)
    }
  }
  return [...children, ...missing.values()]
}

function titleOf(node: Node): string {
  if (node.parent === undefined) return '(the root is missing)'
  return `(missing: ${node.children[0]?.span?.parentId})`
}

function rowOf(span: Span, lead: string, first: number): string[] {
  const { name = '', localEndpoint, kind = '', timestamp, duration: took } = span
  return [
    lead + cutTo(visible(name === '' ? '(no name)' : name), nameMost),
    cutTo(visible(localEndpoint?.serviceName ?? ''), nameMost),
    kind.toLowerCase(),
    timestamp === undefined
      ? '-'
      : timestamp === first
        ? '0'
        : `+${duration(Math.max(0, timestamp - first) * 1000)}`,
    took === undefined ? 'no end' : duration(took * 1000),
  ]
}

/** One line of what happened, in its order, one of tags. */
function saidOf(
  { annotations = [], tags = {}, remoteEndpoint }: Span,
  first: number,
  hosts: boolean,
): string[] {
  const at = (timestamp: number) =>
    `${timestamp < first ? '-' : '+'}${duration(Math.abs(timestamp - first) * 1000)}`
  const happened = annotations.map(({ timestamp, value }) => `${at(timestamp)} ${visible(value)}`)
  const { serviceName = '', ipv4, ipv6, port } = remoteEndpoint ?? {}
  const address = ipv4 ?? (ipv6 === undefined ? '' : `[${ipv6}]`)
  const where = [visible(serviceName), `${address}${port === undefined ? '' : `:${port}`}`].filter(Boolean)
  const known = Object.entries(tags)
    .filter(([key]) => hosts || key !== hostTag)
    .map(([key, value]) => `${visible(key)}=${visible(value)}`)
  if (where.length > 0) known.push(`with ${where.join(' ')}`)
  return [happened.join(', '), known.join(', ')].filter((line) => line !== '')
}

function extent(spans: readonly Span[]): [first: number, end: number] {
  let [first, end] = [Number.POSITIVE_INFINITY, 0]
  for (const { timestamp, duration: took = 0 } of spans) {
    if (timestamp === undefined) continue
    first = Math.min(first, timestamp)
    end = Math.max(end, timestamp + took)
  }
  return end === 0 ? [0, 0] : [first, end]
}

const isoTime = (micros: number): string => (micros === 0 ? '' : new Date(micros / 1000).toISOString())

/** Where it lies in the trace: at least one mark wide. */
function bar({ timestamp, duration: took = 0 }: Span, first: number, end: number, room: number): string {
  if (timestamp === undefined || end === first) return ''
  const place = (time: number) => ((time - first) / (end - first)) * room
  const from = Math.min(room - 1, Math.floor(place(timestamp)))
  const to = Math.max(from + 1, Math.min(room, Math.round(place(timestamp + took))))
  return `${' '.repeat(from)}${(took === 0 ? '╎' : '█').repeat(to - from)}`
}
