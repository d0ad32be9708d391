// osd-ops.ts: spans out of what Ceph's object servers (OSDs) tell of their finished operations (dump_historic_ops).
// An OSD's tracker names an operation by the client's request id, which the primary hands to its replicas, and lists
// when it reached which queue. rados-pool.ts put the trace's context into the operation, as the name of an attribute: so the primary's account says which span it is a part of, and the replicas' follow by the request id.
// Pure: no sockets, no clock.

import { createHash } from 'node:crypto'
import type { Span } from '@blkin/relay'

/** As dump_historic_ops has it, of Ceph 16. */
export interface TrackedOp {
  description: string
  initiated_at: string
  /** Seconds. */
  duration: number
  type_data: { events?: { event: string; time: string }[] }
}

/** A replica may be asked before the primary has finished: its operation waits for whose it is. Some OSDs' answers have as many. */
const MOST_KEPT = 100_000

interface Parent {
  readonly traceId: string
  readonly spanId: string
}

interface Told {
  readonly osd: string
  readonly op: TrackedOp
  readonly match: RegExpExecArray
}

// osd_op(client.4138.0:11 1.1 1:8f2f5727:::NAME:head [rmxattr blkin.TRACE.SPAN,write 28672~4096] ...
const PRIMARY =
  /^osd_op\((?<request>client\.\d+\.\d+:\d+) (?<pg>\S+) [^:]+:[^:]+:[^:]*:[^:]*:(?<object>[^:]+):\S+ \[(?:rmxattr|cmpxattr) blkin\.(?<trace>[0-9a-f]{16}|[0-9a-f]{32})\.(?<span>[0-9a-f]{16})[^,]*,(?<work>[^\]]*)\]/
// osd_repop(client.4120.0:1 1.7 e10/8 1:ff7b1f36:::NAME:head v 10'1, ...
const REPLICA =
  /^osd_repop\((?<request>client\.\d+\.\d+:\d+) (?<pg>\S+) \S+ [^:]+:[^:]+:[^:]*:[^:]*:(?<object>[^:]+):\S+ v/

/** What was said by somebody who may say something else tomorrow. */
export function isTrackedOp(op: unknown): op is TrackedOp {
  const { description, initiated_at: begun, duration, type_data: data } = Object(op) as Partial<TrackedOp>
  return (
    typeof description === 'string' &&
    TIME.test(String(begun)) &&
    typeof duration === 'number' &&
    (data?.events ?? []).every(({ event, time }) => typeof event === 'string' && TIME.test(time))
  )
}

export class OsdSpans {
  /** The tag by which the relay knows whose clock a span has. */
  readonly #host: string
  /** By request id: the primary's span. */
  readonly #primaries = new Map<string, Parent>()
  readonly #orphans = new Map<string, Told[]>()

  constructor(host: string) {
    this.#host = host
  }

  /** Operations of one OSD that were not given before, to spans: those whose trace is known by now. */
  take(osd: string, ops: readonly TrackedOp[]): Span[] {
    const spans: Span[] = []
    for (const op of ops) {
      const primary = PRIMARY.exec(op.description)
      if (primary !== null) spans.push(...this.#primary({ osd, op, match: primary }))
      const replica = REPLICA.exec(op.description)
      if (replica !== null) spans.push(...this.#replica({ osd, op, match: replica }))
    }
    return spans
  }

  #primary(told: Told): Span[] {
    const { request, trace, span, work } = told.match.groups as Record<string, string>
    const own = this.#span(told, { traceId: trace!, spanId: span! }, work!.split(' ', 1)[0]!, { ops: work! })
    const parent = { traceId: own.traceId, spanId: own.id }
    keep(this.#primaries, request!, parent)
    const replicas = this.#orphans.get(request!) ?? []
    this.#orphans.delete(request!)
    return [own, ...replicas.map((replica) => this.#span(replica, parent, 'replicate'))]
  }

  #replica(told: Told): Span[] {
    const { request } = told.match.groups as Record<string, string>
    const parent = this.#primaries.get(request!)
    if (parent !== undefined) return [this.#span(told, parent, 'replicate')]
    keep(this.#orphans, request!, [...(this.#orphans.get(request!) ?? []), told])
    return []
  }

  /** The same operation always makes the same span: told twice, it is one. */
  #span({ osd, op, match }: Told, parent: Parent, name: string, tags: Record<string, string> = {}): Span {
    const { request, pg, object } = match.groups as Record<string, string>
    const timestamp = microseconds(op.initiated_at)
    const events = op.type_data.events ?? []
    return {
      traceId: parent.traceId,
      parentId: parent.spanId,
      id: createHash('sha256').update(`${osd} ${request} ${op.initiated_at}`).digest('hex').slice(0, 16),
      kind: 'SERVER',
      name,
      timestamp,
      duration: Math.max(1, Math.round(op.duration * 1e6)),
      localEndpoint: { serviceName: osd },
      annotations: events
        .filter(({ event }) => event !== 'initiated' && event !== 'done')
        .map(({ event, time }) => ({ value: event, timestamp: microseconds(time) })),
      tags: { object: object!, pg: pg!, request: request!, ...tags, 'blkin.host': this.#host },
    }
  }
}

/** The oldest goes where there are too many. */
function keep<T>(map: Map<string, T>, key: string, value: T): void {
  map.set(key, value)
  if (map.size > MOST_KEPT) map.delete(map.keys().next().value!)
}

const TIME = /^([\dT:-]+)(?:\.(\d{1,6}))?([+-]\d\d)(\d\d)$/

/** Of "2026-11-25T17:45:34.349943+0000". */
function microseconds(time: string): number {
  const [, seconds, fraction = '0', hours, minutes] = TIME.exec(time) ?? []
  return Date.parse(`${seconds}${hours}:${minutes}`) * 1000 + Number(fraction.padEnd(6, '0'))
}
