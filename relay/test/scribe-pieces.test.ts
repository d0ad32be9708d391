// relay/test/scribe-pieces.test.ts: spans that come in pieces, as BlkKin sent them: when they go on, and what may wait meanwhile.

import { expect, test } from 'vitest'
import { Gathered, Gathering, USUAL_LIMITS } from '../src/spans/assembly/gathering.js'
import { PIECE_LIMITS, Pieces } from '../src/spans/assembly/pieces.js'
import { v1FromBytes } from '../src/spans/formats/from-v1.js'
import type { Span } from '../src/spans/span.js'
import { type V1, v1Struct } from './scribe.js'

const piece = (id: bigint, annotations: NonNullable<V1['annotations']>, rest: Partial<V1> = {}) =>
  v1FromBytes(v1Struct({ traceId: 1n, id, annotations, ...rest }))

test('pieces beyond what may wait go on as they are, and what comes later is a piece again', () => {
  const piece = (id: number, value = 'cs') =>
    v1FromBytes(
      v1Struct({ traceId: 1n, id: BigInt(id), annotations: [[value, 10 + id, { serviceName: 's' }]] }),
    )
  const pieces = new Pieces({ pieces: 2, ofOne: 3 })
  expect(pieces.add([piece(1), piece(2), piece(3)], 0)).toMatchObject([
    { id: '0000000000000001', timestamp: 11 },
  ])
  expect(pieces.held).toBe(2)
  expect(pieces.add([piece(1, 'cr')], 1)).toMatchObject([{ id: '0000000000000002' }])
  expect(pieces.due(PIECE_LIMITS.missingMs - 1)).toEqual([])
  expect(pieces.due(PIECE_LIMITS.missingMs + PIECE_LIMITS.quietMs * 2)).toMatchObject([
    { id: '0000000000000003' },
    { id: '0000000000000001', annotations: [{ value: 'cr' }] },
  ])
  expect(pieces.held).toBe(0)
  expect(pieces.add([piece(4), piece(4, 'x')], 0)).toEqual([])
  expect(pieces.add([piece(4, 'cr')], 0)).toMatchObject([{ timestamp: 14, annotations: [{ value: 'x' }] }])
  expect(pieces.add([piece(5)], 0)).toEqual([])
  expect(pieces.finish()).toMatchObject([{ id: '0000000000000005' }])
})

test('pieces of one span take what one span may: what comes then is a piece again', () => {
  const pieces = new Pieces({ bytesOfOne: 10_000 })
  const sizes: number[] = []
  for (let i = 1; i <= 20; i++) {
    for (const one of pieces.add([piece(1n, [['x'.repeat(2000) + i, i]])], 0))
      sizes.push(one.annotations!.length)
  }
  expect(sizes).toEqual([4, 4, 4, 4, 4])
  expect(pieces.held).toBe(0)
})

test('pieces with ever so many annotations are joined, and what came with them goes on', () => {
  const pieces = new Pieces({ bytesOfOne: Number.POSITIVE_INFINITY })
  const all = Array.from({ length: 300_000 }, (_, i) => ({ timestamp: i + 1, value: 'x', host: undefined }))
  const large = () => ({ ...piece(1n, []), annotations: [...all] })
  pieces.add([large()], 0)
  expect(pieces.add([piece(2n, [['cs', 1, { serviceName: 's' }]]), large()], 0)).toEqual([])
  expect(pieces.held).toBe(3)
  expect(pieces.finish()).toMatchObject([{ id: '0000000000000001' }, { id: '0000000000000002' }])
  expect(pieces.held).toBe(0)
})

test('what waits is bounded by all that it takes: names, services and annotations without a text too', () => {
  const long = 'n'.repeat(1000)
  const waits = (rest: Partial<V1>) => {
    const pieces = new Pieces({ bytes: 100_000 })
    for (let i = 1n; i <= 200n; i++) pieces.add([piece(i, [], rest)], 0)
    return pieces.held
  }
  expect(waits({})).toBe(200)
  expect(waits({ name: long })).toBeLessThan(100)
  expect(waits({ annotations: [['', 1, { serviceName: long }]] })).toBeLessThan(100)
  expect(waits({ tags: [['ca', 'BOOL', Buffer.of(1), { serviceName: long }]] })).toBeLessThan(100)
  expect(waits({ annotations: Array.from({ length: 100 }, () => ['', 1]) })).toBeLessThan(20)
  const gathering = new Gathering({ ...USUAL_LIMITS, bytes: 100_000 }, Gathered)
  const host = { serviceName: long }
  const one: Span = { traceId: '1', id: '2', name: long, localEndpoint: host, remoteEndpoint: host }
  const trace = gathering.open('1', 0)
  for (let i = 0; i < 50; i++) gathering.add(trace, one, 0)
  expect(gathering.surplus()).toBe(trace)
})

test.each<[string, string[], 'at once' | 'soon' | 'late']>([
  ['a call of both sides', ['cs', 'sr', 'ss', 'cr'], 'at once'],
  ['a server alone', ['sr', 'ss'], 'at once'],
  ['a client whose end is missing, with its server', ['cs', 'sr', 'ss'], 'late'],
  ['a server whose begin is missing', ['cs', 'cr', 'ss'], 'late'],
  ['an event', ['x'], 'late'],
  ['a message that is sent', ['ms', 'ws'], 'at once'],
  ['a producer that does not say when it was sent', ['ms'], 'soon'],
  ['a consumer that does not say when it came', ['mr'], 'soon'],
  ['a message of both sides, whatever the wire says', ['ms', 'mr'], 'soon'],
  ['a message that came on the wire only', ['wr'], 'late'],
  ['a message that was sent on the wire only', ['ws', 'mr'], 'late'],
  ['a producer in whose span a call is open', ['ms', 'cs'], 'late'],
])('%s: %j goes on %s', (_, values, when) => {
  const pieces = new Pieces()
  const one = piece(
    1n,
    values.map((value, i) => [value, i + 1, { serviceName: 's' }]),
  )
  expect(pieces.add([one], 0).length > 0).toBe(when === 'at once')
  const { quietMs, missingMs } = PIECE_LIMITS
  expect(pieces.due(quietMs).length > 0).toBe(when === 'soon')
  for (let now = quietMs * 2; now < missingMs; now += quietMs) expect(pieces.due(now)).toEqual([])
  expect(pieces.due(missingMs).length > 0).toBe(when === 'late')
})
