// relay/src/pipeline/sinks/halves.ts: calls that both sides tell under one id, as a model has them where an id is of one span. The side that
// comes first keeps the id; of a whole trace the server, since most of what is below the call is below its server. The other gets
// an id that follows from it, and spans below the call go below the side that they are of, by the rule of spans/tree.ts.
// What was decided is remembered, for what comes late of a trace. No I/O, no clock.

import { createHash } from 'node:crypto'
import { RecentMap } from '../../common/recent-map.js'
import { lowTraceId, type Span } from '../../spans/span.js'
import { sharedKey } from '../../spans/tree.js'

/** Calls whose sides are still known: that many at least. */
const REMEMBERED = 100_000

/** The side that is no server's; servers are told apart by their endpoints. */
const CLIENT = 'client'

interface Call {
  /** The side that has the id itself. */
  keeper: string
  /** Their sides. */
  servers: Set<string>
}

export class Halves {
  readonly #calls: RecentMap<Call>

  constructor(remembered = REMEMBERED) {
    this.#calls = new RecentMap(remembered)
  }

  /** The same spans, of one trace: all of it, or what came late. */
  split(trace: readonly Span[]): Span[] {
    const clients = new Set<string>()
    for (const { id, kind, shared } of trace) if (kind === 'CLIENT' && !shared) clients.add(id)
    const spans = trace.map((span) => this.#asShared(span, clients))
    for (const span of spans) if (span.shared) this.#call(span, sideOf(span)).servers.add(sideOf(span))
    for (const span of spans) if (span.kind === 'CLIENT') this.#call(span, CLIENT)
    return spans.map((span) => this.#one(span))
  }

  /** A server under its client's id is shared, said or not. */
  #asShared(span: Span, clients: Set<string>): Span {
    if (span.shared || span.kind !== 'SERVER') return span
    const isCalled = clients.has(span.id) || this.#calls.get(keyOf(span, span.id))?.keeper === CLIENT
    return isCalled ? { ...span, shared: true } : span
  }

  #call(span: Span, keeper: string): Call {
    const key = keyOf(span, span.id)
    let call = this.#calls.get(key)
    if (call === undefined) {
      call = { keeper, servers: new Set() }
      this.#calls.set(key, call)
    }
    return call
  }

  #one(span: Span): Span {
    const { id, parentId } = span
    const own = this.#idOf(span, id, span.shared ? sideOf(span) : CLIENT)
    if (span.shared) return { ...span, id: own, parentId: this.#idOf(span, id, CLIENT) }
    if (parentId === undefined) return own === id ? span : { ...span, id: own }
    const above = sharedKey(parentId, span)
    const isBelowServer = this.#calls.get(keyOf(span, parentId))?.servers.has(above)
    const parent = this.#idOf(span, parentId, isBelowServer ? above : CLIENT)
    return own === id && parent === parentId ? span : { ...span, id: own, parentId: parent }
  }

  #idOf(span: Span, id: string, side: string): string {
    const keeper = this.#calls.get(keyOf(span, id))?.keeper ?? side
    return keeper === side ? id : otherId(id, side)
  }
}

const keyOf = ({ traceId }: Span, id: string): string => lowTraceId(traceId) + id

const sideOf = (span: Span): string => sharedKey(span.id, span)

/** The same for the same side, so that what is sent again, or by another relay, is the same. */
function otherId(id: string, side: string): string {
  const digest = createHash('sha256').update(`${id} ${side}`).digest('hex')
  return /^0{16}/.test(digest) ? digest.slice(-16) : digest.slice(0, 16)
}
