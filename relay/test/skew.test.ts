// relay/test/skew.test.ts: clocks of hosts set against each other, over traces whose true times are known.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { correctedTree, type SpanNode as Node } from '../src/index.js'
import type { Span } from '../src/spans/span.js'
import { breadthFirst } from '../src/spans/tree.js'
import { randomFrom } from './span-makers.js'

const EPOCH = 1_700_000_000_000_000
const hex = (n: number) => n.toString(16).padStart(16, '0')

type Tell = (host: number) => Partial<Span>
const byAddress: Tell = (host) => ({ localEndpoint: { serviceName: `s${host}`, ipv4: `10.0.0.${host}` } })
const byTag: Tell = (host) => ({
  localEndpoint: { serviceName: `s${host}` },
  tags: { 'blkin.host': `boot${host}` },
})

/** Calls of calls between three hosts, the way there as long as the way back; the root is on host 0. */
function calls(seed: number, tell: Tell, isShared: boolean): Span[] {
  const random = randomFrom(seed)
  const spans: Span[] = []
  const span = (host: number, from: number, until: number, more: Partial<Span>): Span => {
    const id = hex(spans.length + 1)
    const annotations = [{ timestamp: EPOCH + from + 1, value: 'begun' }]
    const times = { timestamp: EPOCH + from, duration: until - from, annotations }
    const made = { traceId: hex(7), id, ...times, ...tell(host), ...more } as Span
    spans.push(made)
    return made
  }
  const serve = (
    host: number,
    from: number,
    until: number,
    caller: Span | undefined,
    depth: number,
  ): void => {
    const under = !caller ? {} : isShared ? { id: caller.id, shared: true as const } : { parentId: caller.id }
    if (caller && isShared && caller.parentId) Object.assign(under, { parentId: caller.parentId })
    const server = span(host, from, until, { kind: 'SERVER', ...under })
    // local: it says no host of its own, as those that the assembler makes
    const local = span(host, from + 10, until - 10, { parentId: server.id })
    delete local.tags
    if (depth === 0 || until - from < 400) return
    const middle = (from + until) >> 1
    for (const [a, b] of [
      [from + 20, middle - 20],
      [middle + 20, until - 20],
    ] as const) {
      const other = random(3)
      const client = span(host, a, b, { kind: 'CLIENT', parentId: server.id })
      const way = 1 + random((b - a) >> 2)
      serve(other, a + way, b - way, client, depth - 1)
    }
  }
  serve(0, 0, 100_000, undefined, 4)
  return spans
}

const shift = (spans: Span[], hostOf: (span: Span) => number, skews: number[]): Span[] =>
  spans.map((span) => {
    const skew = skews[hostOf(span)]!
    const annotations = span.annotations!.map((one) => ({ ...one, timestamp: one.timestamp + skew }))
    return { ...span, timestamp: span.timestamp! + skew, annotations }
  })
const hostOf = ({ localEndpoint }: Span) => Number(localEndpoint!.serviceName!.slice(1))
const spansOf = (root: Node) => [...breadthFirst(root)].map(({ span }) => span)
const times = (spans: Span[]) =>
  spans
    .map(({ id, kind, timestamp, annotations }) => `${id} ${kind} ${timestamp} ${annotations![0]!.timestamp}`)
    .sort()

test('hosts whose clocks lag are found out, in trees of calls, whichever way spans tell their host', () => {
  const lag = fc.oneof(fc.constant(0), fc.integer({ min: 200_000, max: 1e12 }))
  fc.assert(
    fc.property(
      fc.nat(),
      lag,
      lag,
      fc.boolean(),
      fc.constantFrom(byAddress, byTag),
      (seed, one, two, isShared, tell) => {
        const truth = calls(seed, tell, isShared)
        const told = shift(truth, hostOf, [0, -one, -two])
        const corrected = spansOf(correctedTree(told))
        expect(times(corrected)).toEqual(times(truth))
      },
    ),
  )
})

const client: Span = {
  ...{ traceId: hex(7), id: hex(1), kind: 'CLIENT', timestamp: EPOCH, duration: 1000 },
  ...byAddress(1),
}
const server = (more: Partial<Span>): Span => ({
  ...{
    traceId: hex(7),
    id: hex(2),
    parentId: hex(1),
    kind: 'SERVER',
    timestamp: EPOCH - 5000,
    duration: 400,
  },
  ...byAddress(2),
  ...more,
})
const serverTime = (...trace: Span[]) =>
  spansOf(correctedTree(trace)).find(({ kind }) => kind === 'SERVER')!.timestamp! - EPOCH

test('a server goes to the middle of its client; where it outlasts it or has no end, just behind its begin', () => {
  expect(serverTime(client, server({}))).toBe(300)
  expect(serverTime(client, server({ duration: 2000 }))).toBe(1)
  const { duration: _, ...open } = server({})
  expect(serverTime(client, open)).toBe(1)
  expect(serverTime(client, server({ timestamp: EPOCH + 1 })), 'nothing shows').toBe(1)
})

test('a clock that is ahead does not show, since a server may answer and go on', () => {
  expect(serverTime(client, server({ timestamp: EPOCH + 5000 }))).toBe(5000)
})

test('a host that lags more when it is called again moves by both, with what is below it', () => {
  const on = (
    host: number,
    id: number,
    parent: number,
    kind: Span['kind'],
    at: number,
    duration: number,
  ): Span =>
    ({
      ...server({ id: hex(id), parentId: hex(parent), timestamp: EPOCH + at, duration }),
      kind,
      ...byAddress(host),
    }) as Span
  const trace = [
    client,
    on(2, 2, 1, 'SERVER', -5000, 800),
    on(2, 3, 2, 'CLIENT', -4900, 600),
    on(3, 4, 3, 'SERVER', 300, 400),
    on(3, 5, 4, 'CLIENT', 350, 300),
    on(2, 6, 5, 'SERVER', -6000, 200),
    on(2, 7, 6, undefined, -5990, 100),
  ]
  const corrected = spansOf(correctedTree(trace)).map(({ timestamp }) => timestamp! - EPOCH)
  expect(corrected).toEqual([0, 100, 200, 300, 350, 400, 410])
})

test('on one host, or where nobody knows, times stay as they are', () => {
  expect(serverTime(client, server(byAddress(1)))).toBe(-5000)
  const boot = { tags: { 'blkin.host': 'a' } }
  expect(serverTime({ ...client, ...boot }, server(boot)), 'two addresses of one host').toBe(-5000)
  expect(serverTime(client, server({ localEndpoint: { serviceName: 'x' } }))).toBe(-5000)
  expect(serverTime({ ...client, kind: 'PRODUCER' }, server({}))).toBe(-5000)
})

test('without a root, or with two, times stay as they are', () => {
  const lost = { ...client, parentId: hex(99) }
  expect(serverTime(lost, server({}))).toBe(-5000)
  expect(serverTime(client, server({}), { ...client, id: hex(3) })).toBe(-5000)
})

test('children come in the order of their corrected times, and what was given is not touched', () => {
  const local = {
    ...client,
    id: hex(3),
    kind: undefined,
    parentId: hex(1),
    timestamp: EPOCH + 100,
  } as unknown as Span
  const given = [client, local, server({})]
  const before = structuredClone(given)
  const tree = correctedTree(given)
  expect(tree.children.map(({ span }) => span!.id)).toEqual([hex(3), hex(2)])
  expect(given).toEqual(before)
})
