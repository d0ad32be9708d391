// test/support/span-events.ts: the spans that a relay's trace holds, put together as simply as can be from their events.
import { recorded } from './trace.js'

export interface MadeSpan {
  name: string
  kind: string
  trace: string
  span: string
  parent: string
  shared: boolean
  tags: Record<string, unknown>
  annotations: string[]
  remote?: { service: string; address: string; port: number }
  ended: number
}

export const hexId = (id: unknown): string =>
  BigInt(id as number | bigint)
    .toString(16)
    .padStart(16, '0')

/** One for each span id: what both sides of a shared one say is together. */
export async function madeSpans(output: string): Promise<MadeSpan[]> {
  const made = new Map<string, MadeSpan>()
  for (const { tracepoint, fields } of (await recorded(output)).events) {
    const id = hexId(fields.span)
    const { name, kind, flags, key, value } = fields as Record<'name' | 'kind' | 'key' | 'value', string> & {
      flags: number
    }
    if (tracepoint.event === 'span_begin') {
      const [trace, parent] = [hexId(fields.trace_low), hexId(fields.parent)]
      const shared = (flags & 2) !== 0
      made.set(id, { name, kind, trace, span: id, parent, shared, tags: {}, annotations: [], ended: 0 })
    }
    const span = made.get(id)!
    if (tracepoint.event === 'span_name') span.name = name
    if (tracepoint.event === 'span_annotation') span.annotations.push(value)
    if (tracepoint.event === 'span_tag' || tracepoint.event === 'span_number') span.tags[key] = value
    if (tracepoint.event === 'span_remote') {
      const { service, address, port } = fields as { service: string; address: string; port: number }
      span.remote = { service, address, port }
    }
    if (tracepoint.event === 'span_end') span.ended++
  }
  return [...made.values()]
}

/** Those of HTTP, by kind and path. */
export const requestSpan = (spans: MadeSpan[], kind: string, path: string): MadeSpan | undefined =>
  spans.find((span) => span.kind === kind && span.tags['url.path'] === path)
