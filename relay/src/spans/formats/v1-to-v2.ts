// relay/src/spans/formats/v1-to-v2.ts: what a span of Zipkin's first format is in the model of today: one span, or one for each service
// that speaks in it. Annotations at its begin and end (cs, sr, ...) tell whose side it is and how long it took. Pure.
// The rules are those of Zipkin's own converter: sinks.test.ts compares with a real server's answers.

import { compare, type Draft, type Endpoint, type Kind, makeSpan, type Span, setTag } from '../span.js'
import { Amount } from './amount.js'
import type { V1Annotation, V1Span } from './v1-span.js'

type Core = 'cs' | 'cr' | 'sr' | 'ss' | 'ms' | 'ws' | 'wr' | 'mr'

/** Which side each tells of; `ws` and `wr`, when a message went to the wire or came from it, alone tell of none. */
const sides: Record<Core, Kind | undefined> = {
  ...{ cs: 'CLIENT', cr: 'CLIENT', sr: 'SERVER', ss: 'SERVER' },
  ...{ ms: 'PRODUCER', ws: undefined, wr: undefined, mr: 'CONSUMER' },
}

/** Annotations that say what a span is, from whom; the last counts where there are two. */
type Cores = Partial<Record<Core, V1Annotation & { host: Endpoint }>>

export function spansFromV1(source: V1Span): Span[] {
  const parts = new Parts(source)
  const cores: Cores = {}
  for (const { timestamp, value, host } of source.annotations.toSorted(byTime)) {
    const part = parts.of(host)
    if (host === undefined || !isCore(value)) {
      part.annotations!.push({ timestamp, value })
      continue
    }
    cores[value] = { timestamp, value, host }
    part.kind = sides[value] ?? part.kind
  }
  addStarts(source, cores)
  timeCalls(source, parts, cores)
  timeMessages(source, parts, cores)
  for (const { key, value, host } of source.tags.toSorted((a, b) => compare(a.key, b.key))) {
    const { tags } = parts.of(host)
    if (key !== 'lc' || value !== '') setTag(tags!, key, value) // which only says whose span it is
  }
  addPeers(source, parts, cores)
  return parts.all.map((part) => makeSpan(part))
}

/** Of a post. @throws TooMuch: each may be a span for each of many services */
export function spansFromV1List(sources: readonly V1Span[]): Span[] {
  const amount = new Amount()
  const spans: Span[] = []
  for (const source of sources) {
    for (const span of spansFromV1(source)) {
      amount.span()
      spans.push(span)
    }
  }
  return spans
}

const byTime = (a: V1Annotation, b: V1Annotation): number =>
  a.timestamp - b.timestamp || compare(a.value, b.value)

const isCore = (value: string): value is Core => Object.hasOwn(sides, value)

/** The spans of today, one for each service, in the order in which they were first spoken of. */
class Parts {
  readonly all: Draft[]
  /** The first of each service. */
  readonly #byService = new Map<string | undefined, Draft>()

  constructor(readonly source: V1Span) {
    this.all = [this.#empty(undefined)]
  }

  get first(): Draft {
    return this.all[0]!
  }

  /** What nobody owns is the first one's, and who is the first to own anything owns that. */
  of(host: Endpoint | undefined): Draft {
    if (host === undefined) return this.first
    if (this.first.localEndpoint === undefined) {
      this.first.localEndpoint = host
      this.#byService.set(host.serviceName, this.first)
      return this.first
    }
    return this.#byService.get(host.serviceName) ?? this.add(host)
  }

  add(host: Endpoint): Draft {
    const part = this.#empty(host)
    this.all.push(part)
    if (!this.#byService.has(host.serviceName)) this.#byService.set(host.serviceName, part)
    return part
  }

  #empty(localEndpoint: Endpoint | undefined): Draft {
    const { traceId, id, parentId, name, debug } = this.source
    return { traceId, id, parentId, name, debug, localEndpoint, annotations: [], tags: {} }
  }
}

const isOneService = (a: Endpoint | undefined, b: Endpoint): boolean => a?.serviceName === b.serviceName

/** Who asked and who answered under one id; two spans also where one service did both. */
function bothSides(
  parts: Parts,
  from: NonNullable<Cores[Core]>,
  to: NonNullable<Cores[Core]>,
  ...[fromKind, toKind]: [Kind, Kind]
): [Draft, Draft] {
  const asking = parts.of(from.host)
  let answering = parts.of(to.host)
  if (isOneService(from.host, to.host)) {
    asking.kind = fromKind
    answering = parts.add(to.host)
    answering.kind = toKind
  }
  answering.shared = true
  return [asking, answering]
}

/** Where an end stands where the times that were said put it, they tell of the begin too. */
function addStarts({ timestamp, duration }: V1Span, cores: Cores): void {
  const fits = (end: V1Annotation | undefined) =>
    timestamp !== 0 && duration !== 0 && end?.timestamp === timestamp + duration
  if (!cores.cs && fits(cores.cr)) cores.cs = { timestamp, value: 'cs', host: cores.cr!.host }
  if (!cores.sr && fits(cores.ss)) cores.sr = { timestamp, value: 'sr', host: cores.ss!.host }
}

function timeCalls(source: V1Span, parts: Parts, { cs, cr, sr, ss }: Cores): void {
  const { timestamp, duration } = source
  if (cs && sr) {
    // the client owns the times that are said; the server's are between its own annotations
    time(source, parts, cs, cr)
    const [client, server] = bothSides(parts, cs, sr, 'CLIENT', 'SERVER')
    server.timestamp = sr.timestamp
    if (ss) server.duration = ss.timestamp - sr.timestamp
    if (!cr && duration === 0) client.duration = undefined
    return
  }
  if (cs && cr) time(source, parts, cs, cr)
  else if (sr && ss) time(source, parts, sr, ss)
  else {
    for (const part of parts.all) {
      const [begin, end] = part.kind === 'CLIENT' ? [cs, cr] : part.kind === 'SERVER' ? [sr, ss] : []
      if (begin) part.timestamp = begin.timestamp
      if (end) part.annotations!.push({ timestamp: end.timestamp, value: end.value })
    }
    if (timestamp !== 0) Object.assign(parts.first, { timestamp, duration })
  }
  // who tells no times of its own has the id of somebody who does
  if (sr && !cs && (timestamp === 0 || (ss && duration === 0))) parts.of(sr.host).shared = true
}

function timeMessages(source: V1Span, parts: Parts, { ms, ws, wr, mr }: Cores): void {
  if (ms && mr) {
    const [producer, consumer] = bothSides(parts, ms, mr, 'PRODUCER', 'CONSUMER')
    consumer.timestamp = (wr ?? mr).timestamp
    if (wr) consumer.duration = mr.timestamp - wr.timestamp
    producer.timestamp = ms.timestamp
    producer.duration = ws && ws.timestamp - ms.timestamp
  } else if (ms) time(source, parts, ms, ws)
  else if (mr) time(source, parts, wr ?? mr, wr && mr)
  else {
    for (const one of [ws, wr]) {
      if (one) parts.of(one.host).annotations!.push({ timestamp: one.timestamp, value: one.value })
    }
  }
}

/** The times that are said, or those between two annotations. */
function time(
  { timestamp, duration }: V1Span,
  parts: Parts,
  begin: NonNullable<Cores[Core]>,
  end: Cores[Core],
): void {
  const part = parts.of(begin.host)
  if (timestamp !== 0 && duration !== 0) Object.assign(part, { timestamp, duration })
  else {
    part.timestamp = begin.timestamp
    if (end) part.duration = end.timestamp - begin.timestamp
  }
}

function addPeers({ peers }: V1Span, parts: Parts, { cs, cr, sr, ss, ms, mr }: Cores): void {
  const { ca, sa, ma } = peers
  const isCall = cs || cr || sr || ss
  if (!isCall && (ca || sa)) {
    if (ca && sa) parts.of(ca).remoteEndpoint = sa
    else parts.first.remoteEndpoint = sa ?? ca
    if (!sa) parts.first.kind = 'SERVER'
    return
  }
  const server = sr ?? ss
  if (ca && server && !isSame(ca, server.host)) {
    // some tell the port of the client's socket under the server's name: that calls nobody
    const { serviceName, ...address } = ca
    parts.of(server.host).remoteEndpoint = isOneService(ca, server.host) ? address : ca
  }
  const client = cs ?? cr
  if (sa && client) parts.of(client.host).remoteEndpoint = sa
  for (const side of ma ? [ms, mr] : []) if (side) parts.of(side.host).remoteEndpoint = ma
}

const isSame = (a: Endpoint, b: Endpoint): boolean =>
  (['serviceName', 'ipv4', 'ipv6', 'port'] as const).every((key) => a[key] === b[key])
