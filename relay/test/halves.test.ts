// relay/test/halves.test.ts: calls told by both sides under one id, for a model where an id is of one span: what is below what
// stays as the relay's own tree has it, in whatever order the pieces of a trace come.

import { expect, test } from 'vitest'
import { Halves } from '../src/pipeline/sinks/halves.js'
import type { Span } from '../src/spans/span.js'
import { misplaced, numbered } from './parents.js'
import { makeTraces } from './span-makers.js'

const placedOf = (spans: Span[]) => spans.map(({ id, parentId, tags }) => ({ id, parentId, n: tags!.n! }))

test('of 2,000 whole traces no span is misplaced, and no id is there twice', () => {
  const halves = new Halves()
  let shared = 0
  for (const trace of makeTraces(2000, 11, 1_700_000_000_000_000).map(numbered)) {
    const spans = halves.split(trace)
    shared += spans.filter((span) => span.shared).length
    expect(misplaced(trace, placedOf(spans))).toEqual([])
  }
  expect(shared).toBeGreaterThan(1000)
})

test('the same trace comes to the same ids again', () => {
  const trace = makeTraces(20, 3, 1_700_000_000_000_000).flat()
  expect(new Halves().split(trace)).toEqual(new Halves().split(trace))
})

const traceId = '00000000000000ab'
const [front, back] = [{ serviceName: 'front' }, { serviceName: 'back', port: 80 }]
const call = { traceId, id: '000000000000000b', parentId: '000000000000000a' }
const below = { traceId, parentId: call.id }
const spans = {
  root: { traceId, id: '000000000000000a', localEndpoint: front },
  client: { ...call, kind: 'CLIENT', localEndpoint: front },
  connect: { ...below, id: '000000000000000c', localEndpoint: front },
  server: { ...call, kind: 'SERVER', shared: true, localEndpoint: back },
  read: { ...below, id: '000000000000000d', localEndpoint: back },
  write: { ...below, id: '000000000000000e', localEndpoint: back },
} satisfies Record<string, Span>
type Name = keyof typeof spans

test.each<[string, Name[][]]>([
  ['as its spans end', [['read'], ['write'], ['server'], ['connect'], ['client'], ['root']]],
  [
    'the server late, and spans below it later',
    [['client', 'connect', 'root'], ['server'], ['read', 'write']],
  ],
  ['the server late, with spans below it', [['client', 'root'], ['connect'], ['read', 'server'], ['write']]],
  [
    'the client late, and a span below it later',
    [
      ['server', 'read'],
      ['client', 'root'],
      ['connect', 'write'],
    ],
  ],
  [
    'each side from a relay of its own',
    [
      ['root', 'client', 'connect'],
      ['server', 'read', 'write'],
    ],
  ],
])('a trace in pieces: %s', (_, pieces) => {
  const halves = new Halves()
  const trace = numbered(Object.values(spans))
  const number = (name: Name) => Object.keys(spans).indexOf(name)
  const placed = pieces.flatMap((names) => halves.split(names.map((name) => trace[number(name)]!)))
  expect(misplaced(trace, placedOf(placed))).toEqual([])
})

test('two servers that one client called under one id, one of which says so', () => {
  const other = { ...spans.server, localEndpoint: { serviceName: 'other' } }
  const { shared: _, ...unsaid } = spans.server
  const trace = numbered([
    ...[spans.root, spans.client, unsaid, other, spans.read],
    { ...spans.write, localEndpoint: other.localEndpoint },
  ])
  const placed = placedOf(new Halves().split(trace))
  expect(misplaced(trace, placed)).toEqual([])
  const ids = new Map(placed.map(({ n, id }) => [n, id]))
  const parents = placed.map(({ parentId }) => [...ids].find(([, id]) => id === parentId)?.[0])
  expect(parents).toEqual([undefined, '0', '1', '1', '2', '3'])
})
