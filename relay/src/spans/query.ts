// relay/src/spans/query.ts: which traces a search wants: what its parameters may say, and whether a trace is one.
// The HTTP API makes queries of parameters, the store finds candidates and asks matches() of each. Pure.

import type { Span } from './span.js'

export interface Query {
  serviceName?: string | undefined
  remoteServiceName?: string | undefined
  spanName?: string | undefined
  /** Keys to values; '' where any tag of the key will do, or an annotation of that text. */
  annotations: Map<string, string>
  /** Microseconds. */
  minDuration?: number | undefined
  maxDuration?: number | undefined
  /** Milliseconds since the epoch, and before that. */
  endTs: number
  lookback: number
  limit: number
}

/** As they stand in the request; absent is not given. */
export interface QueryParameters {
  serviceName?: string | undefined
  remoteServiceName?: string | undefined
  spanName?: string | undefined
  annotationQuery?: string | undefined
  minDuration?: number | undefined
  maxDuration?: number | undefined
  endTs: number
  lookback: number
  limit: number
}

/** @throws RangeError, in Zipkin's words */
export function makeQuery(given: QueryParameters): Query {
  const { minDuration, maxDuration, endTs, lookback, limit } = given
  if (endTs <= 0) throw new RangeError('endTs <= 0')
  if (limit <= 0) throw new RangeError('limit <= 0')
  if (lookback <= 0) throw new RangeError('lookback <= 0')
  if (minDuration !== undefined && minDuration <= 0) throw new RangeError('minDuration <= 0')
  if (maxDuration !== undefined && minDuration === undefined)
    throw new RangeError('maxDuration is only valid with minDuration')
  if (maxDuration !== undefined && maxDuration < minDuration!)
    throw new RangeError('maxDuration < minDuration')
  const spanName = name(given.spanName)
  return {
    serviceName: name(given.serviceName),
    remoteServiceName: name(given.remoteServiceName),
    spanName: spanName === 'all' ? undefined : spanName,
    annotations: parseAnnotationQuery(given.annotationQuery ?? ''),
    ...{ minDuration, maxDuration, endTs, lookback, limit },
  }
}

const name = (text: string | undefined): string | undefined => text?.toLowerCase() || undefined

/** `error and http.request.method=GET`: a text of its own does not undo a value that was given for it. */
function parseAnnotationQuery(text: string): Map<string, string> {
  const wanted = new Map<string, string>()
  if (text === '') return wanted
  for (const part of text.split(' and ')) {
    const at = part.indexOf('=')
    if (at !== -1) wanted.set(part.slice(0, at).trim(), part.slice(at + 1).trim())
    else if (!wanted.has(part.trim())) wanted.set(part.trim(), '')
  }
  return wanted
}

/** Each condition may be met by another span of the trace; all by spans of the service, where one is given. */
export function matches(query: Query, trace: Span[]): boolean {
  const time = traceTime(trace)
  if (time < (query.endTs - query.lookback) * 1000 || time > query.endTs * 1000 || time === 0) return false
  const { serviceName, remoteServiceName, spanName, minDuration, maxDuration = Infinity } = query
  const spans = trace.filter(
    ({ localEndpoint }) => serviceName === undefined || localEndpoint?.serviceName === serviceName,
  )
  const some = <T>(wanted: T | undefined, has: (span: Span, wanted: T) => boolean): boolean =>
    wanted === undefined || spans.some((span) => has(span, wanted))
  return (
    spans.length > 0 &&
    some(remoteServiceName, ({ remoteEndpoint }, wanted) => remoteEndpoint?.serviceName === wanted) &&
    some(spanName, ({ name }, wanted) => name === wanted) &&
    some(minDuration, ({ duration = 0 }, least) => duration >= least && duration <= maxDuration) &&
    [...query.annotations].every(([key, value]) => spans.some((span) => hasAnnotation(span, key, value)))
  )
}

function hasAnnotation({ annotations, tags }: Span, key: string, value: string): boolean {
  if (tags !== undefined && Object.hasOwn(tags, key) && (value === '' || tags[key] === value)) return true
  return value === '' && annotations?.some((one) => one.value === key) === true
}

/** That of the root, or else the earliest; 0 where none is known. */
function traceTime(trace: Span[]): number {
  let earliest = 0
  for (const { timestamp, parentId } of trace) {
    if (timestamp === undefined) continue
    if (parentId === undefined) return timestamp
    if (earliest === 0 || timestamp < earliest) earliest = timestamp
  }
  return earliest
}
