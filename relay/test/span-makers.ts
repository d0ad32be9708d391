// relay/test/span-makers.ts: traces as services make them, from a seed: for comparing answers, and for filling stores.

import type { Endpoint, Kind, Span } from '../src/spans/span.js'

const SERVICES = ['frontend', 'mapper', 'blockstore', 'replica', 'disk']
const NAMES = ['get /read', 'write', 'lookup', 'put', 'flush', 'unknown']
const METHODS = ['GET', 'PUT', 'POST']

/** A small generator of pseudo-random numbers, the same for a seed everywhere. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** Traces some milliseconds apart, the first at `start` (microseconds); odd ones among them. */
export function makeTraces(count: number, seed: number, start: number): Span[][] {
  const random = randomFrom(seed)
  return Array.from({ length: count }, (_, i) => makeTrace(random, i + 1, start + i * 50_000))
}

function makeTrace(random: (below: number) => number, n: number, start: number): Span[] {
  const low = (n * 7919).toString(16).padStart(16, '0')
  const traceId = random(3) === 0 ? low : `463ac35c9f6413ad${low}`
  const spans: Span[] = []
  let ids = n * 1000
  const id = (): string => (++ids).toString(16).padStart(16, '0')

  const endpoint = (service: number): Endpoint => ({
    serviceName: SERVICES[service]!,
    ...(random(2) ? { ipv4: `10.0.0.${service + 1}` } : {}),
    ...(random(3) ? {} : { ipv6: `2001:db8::${service + 1}` }),
    ...(random(2) ? { port: 8000 + service } : {}),
  })

  const call = (service: number, parentId: string | undefined, at: number, depth: number): void => {
    const local = endpoint(service)
    const mine = id()
    const kind = [undefined, 'SERVER', 'CONSUMER', 'CLIENT', 'PRODUCER'][random(5)] as Kind | undefined
    spans.push({
      traceId,
      id: mine,
      ...(parentId ? { parentId } : {}),
      ...(kind ? { kind } : {}),
      name: NAMES[random(NAMES.length)]!,
      timestamp: at,
      duration: 1 + random(40_000),
      localEndpoint: local,
      ...(random(3) ? {} : { remoteEndpoint: endpoint(random(SERVICES.length)) }),
      ...(random(2)
        ? { annotations: [{ timestamp: at + 5, value: random(2) ? 'queued' : 'cache miss' }] }
        : {}),
      tags: {
        'http.method': METHODS[random(3)]!,
        ...(random(8) ? {} : { error: 'timeout' }),
        ...(random(4) ? {} : { env: random(2) ? 'prod' : 'test' }),
      },
      ...(random(20) ? {} : { debug: true as const }),
    })
    for (let child = 0; depth < 3 && child < random(3); child++) remote(service, mine, at + 10 * child, depth)
  }

  /** A client's span, and on the other side a server's under the same id, or under an id of its own, or nothing. */
  const remote = (service: number, parentId: string, at: number, depth: number): void => {
    const other = (service + 1 + random(SERVICES.length - 1)) % SERVICES.length
    const client = id()
    const way = random(4)
    spans.push({
      ...{ traceId, parentId, id: client, kind: 'CLIENT', name: 'put', timestamp: at, duration: 900 },
      localEndpoint: endpoint(service),
      ...(random(2) ? { remoteEndpoint: { serviceName: SERVICES[other]! } } : {}),
      ...(random(6) ? {} : { tags: { error: '' } }),
    })
    if (way === 0) return
    if (way === 1) {
      call(other, client, at + 100, depth + 1)
      return
    }
    spans.push({
      ...{ traceId, id: client, kind: 'SERVER', name: 'put', timestamp: at + 100, duration: 700 },
      ...(random(3) ? { parentId } : {}),
      localEndpoint: { serviceName: SERVICES[other]! },
      ...(way === 2 ? { shared: true as const } : {}),
    })
    if (random(2)) call(other, client, at + 200, depth + 1)
  }

  const way = random(10)
  call(random(SERVICES.length), way === 0 ? id() : undefined, start, 0) // now and then the root is missing
  return spans
}
