// lib/cli/trace/trace-summary.ts: a trace in numbers: when, how long, how many spans in which services, and what failed. The
// list of traces shows one a line, the drawing of a trace has it as its head. Pure.
import type { Span, SpanNode } from '@blkin/relay'

export interface Summary {
  traceId: string
  /** Microseconds since the epoch; absent where no span says when it began. */
  timestamp?: number
  /** Microseconds, from the first begin to the last end. */
  duration?: number
  spans: number
  /** The one with the most spans first. */
  services: { service: string; spans: number }[]
  errors: number
  withoutEnd: number
  /** Absent where the root is not there. */
  root?: { service?: string; name?: string }
}

export const isError = ({ tags }: Span): boolean => tags !== undefined && Object.hasOwn(tags, 'error')

/** `spans` are those of the tree. */
export function summaryOf(root: SpanNode, spans: Iterable<SpanNode & { span: Span }>): Summary {
  const sum = { traceId: '', spans: 0, errors: 0, withoutEnd: 0 }
  const services = new Map<string, number>()
  let [first, last] = [Infinity, -Infinity]
  for (const { span } of spans) {
    sum.traceId = span.traceId
    sum.spans++
    if (isError(span)) sum.errors++
    if (span.duration === undefined) sum.withoutEnd++
    const service = span.localEndpoint?.serviceName
    if (service !== undefined) services.set(service, (services.get(service) ?? 0) + 1)
    if (span.timestamp === undefined) continue
    first = Math.min(first, span.timestamp)
    last = Math.max(last, span.timestamp + (span.duration ?? 0))
  }
  const { localEndpoint: { serviceName } = {}, name } = root.span ?? {}
  return {
    ...sum,
    ...(first === Infinity ? {} : { timestamp: first }),
    ...(last > first ? { duration: last - first } : {}),
    services: [...services]
      .map(([service, n]) => ({ service, spans: n }))
      .sort((a, b) => b.spans - a.spans || (a.service < b.service ? -1 : 1)),
    ...(root.span === undefined
      ? {}
      : { root: { ...(serviceName ? { service: serviceName } : {}), ...(name ? { name } : {}) } }),
  }
}
