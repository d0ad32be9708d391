// test/support/span-events.ts: the spans that a relay's trace holds, put together as simply as can be from their events.
import type { TraceEvent } from '@blkin/relay'
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

/** Of `span_begin.shop.checkout`, and of what the tracer declared for itself, `span_begin`. */
export const spanEvent = ({ tracepoint: { event } }: TraceEvent): string => event.split('.', 1)[0]!

/** That stand in the event itself, under their own names. */
export function tagsOf({ tracepoint, fields }: TraceEvent): Record<string, unknown> {
  const at = tracepoint.fields.findIndex(({ name }) => name === 'keys')
  const keys = tracepoint.fields[at]?.labels ?? []
  return Object.fromEntries(keys.map(([key], i) => [key, fields[tracepoint.fields[at + 1 + i]!.name]]))
}

/** One for each span id: what both sides of a shared one say is together. */
export async function madeSpans(output: string): Promise<MadeSpan[]> {
  const made = new Map<string, MadeSpan>()
  for (const one of (await recorded(output)).events) {
    const { fields } = one
    const event = spanEvent(one)
    const id = hexId(fields.span)
    const { name, kind, flags, key, value } = fields as Record<'name' | 'kind' | 'key' | 'value', string> & {
      flags: number
    }
    if (event === 'span_begin') {
      const [trace, parent] = [hexId(fields.trace_low), hexId(fields.parent)]
      const shared = (flags & 2) !== 0
      made.set(id, {
        name,
        kind,
        trace,
        span: id,
        parent,
        shared,
        tags: tagsOf(one),
        annotations: [],
        ended: 0,
      })
    }
    const span = made.get(id)!
    if (event === 'span_name') span.name = name
    if (event === 'span_annotation') span.annotations.push(value)
    if (event === 'span_tag' || event === 'span_number') span.tags[key] = value
    if (event === 'span_remote') {
      const { service, address, port } = fields as { service: string; address: string; port: number }
      span.remote = { service, address, port }
    }
    if (event === 'span_end') {
      Object.assign(span.tags, tagsOf(one))
      span.ended++
    }
  }
  return [...made.values()]
}

/** Those of HTTP, by kind and path. */
export const requestSpan = (spans: MadeSpan[], kind: string, path: string): MadeSpan | undefined =>
  spans.find((span) => span.kind === kind && span.tags['url.path'] === path)
