// relay/test/scribe-hostile.test.ts: what a bad client of Scribe can do to others: nothing. It loses its own connection at most, and
// what cannot be read of its messages.

import { once } from 'node:events'
import { connect as dial, type Socket } from 'node:net'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { MemoryBudget } from '../src/common/memory-budget.js'
import { Rejections } from '../src/common/rejections.js'
import { Semaphore } from '../src/common/semaphore.js'
import { Connection } from '../src/ports/connection.js'
import { startListener } from '../src/ports/listener.js'
import type { PlaceLimits } from '../src/ports/places.js'
import { ScribeCalls } from '../src/ports/scribe/calls.js'
import { Routes } from '../src/ports/scribe/categories.js'
import { Counters } from '../src/ports/scribe/counters.js'
import { Files } from '../src/ports/scribe/files.js'
import { Intake } from '../src/ports/scribe/intake.js'
import { ScribeSession } from '../src/ports/scribe/session.js'
import { v1FromBytes } from '../src/spans/formats/from-v1.js'
import { spansFromV1 } from '../src/spans/formats/v1-to-v2.js'
import { folder, relayIn, until } from './helpers.js'
import { scribeClient, type V1, v1Message, v1Struct } from './scribe.js'

const listen = '127.0.0.1:0'
const MiB = 2 ** 20

const i32 = (n: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(n)
  return bytes
}
const text = (words: string) => Buffer.concat([i32(words.length), Buffer.from(words)])
const frame = (...parts: Buffer[]) => Buffer.concat([i32(Buffer.concat(parts).length), ...parts])
const call = (name: string) => Buffer.concat([Buffer.of(0x80, 1, 0, 1), text(name), i32(1)])
const oldCall = (name: string) => Buffer.concat([text(name), Buffer.of(1), i32(1)])
const list = (type: number, length: number) => Buffer.concat([Buffer.of(15, 0, 1, type), i32(length)])

const bad: [string, Buffer, RegExp][] = [
  [
    'a frame that is longer than Thrift allows',
    i32(16_384_001),
    /frame length is 16384001; expected 1 to 16384000/,
  ],
  ['a name that is longer than its frame', frame(i32(1000), Buffer.from('Log')), /ended Scribe's client: /],
  [
    'a list that is longer than its frame',
    frame(oldCall('Log'), list(12, 2 ** 31 - 1)),
    /claims 2147483647 elements/,
  ],
  [
    'as many entries as the frame has bytes',
    frame(call('Log'), list(12, 1000), Buffer.alloc(1001)),
    /claims 1000 elements/,
  ],
  ['a list of a negative length', frame(call('Log'), list(12, -1)), /claims -1 elements/],
  [
    'a text longer than its frame',
    frame(call('Log'), list(12, 1), Buffer.of(11, 0, 1), i32(2 ** 30)),
    /ended Scribe's client: /,
  ],
  [
    'an entry that breaks off',
    frame(call('Log'), list(12, 1), Buffer.of(11, 0, 1), text('a')),
    /ended Scribe's client: /,
  ],
  [
    'structs in structs without end',
    frame(call('Log'), list(12, 1), ...Array.from({ length: 3000 }, () => Buffer.of(12, 0, 9))),
    /depth/,
  ],
  ['an empty frame', i32(0), /frame length is 0/],
]

test.each(bad)(
  '%s ends its own connection, with the reason in the log, and no other',
  async (_, bytes, reason) => {
    const relay = await relayIn(folder(), { scribe: { listen } })
    const good = await scribeClient(relay.scribeAddress!)
    onTestFinished(() => good.end())
    expect(await good.log([['a', 'before']])).toBe('OK')
    const socket = dial(Number(relay.scribeAddress!.split(':')[1]), '127.0.0.1')
    socket.on('error', () => {}).resume()
    socket.write(bytes)
    await once(socket, 'close')
    await until(() => relay.stats().scribe!.connections.ended === 1)
    expect(relay.lines.join('\n')).toMatch(reason)
    expect(await good.log([['a', 'after']])).toBe('OK')
    expect(relay.stats().scribe).toMatchObject({ good: 2, bad: 0, connections: { open: 1 } })
  },
)

test('half a frame is nothing', async () => {
  const relay = await relayIn(folder(), { scribe: { listen } })
  const socket = dial(Number(relay.scribeAddress!.split(':')[1]), '127.0.0.1')
  socket.end(Buffer.concat([i32(1000), call('Log')]))
  await until(() => relay.stats().scribe!.connections.ended === 1)
  expect(relay.lines.join()).toMatch(/closed in the middle of a frame/)
  expect(relay.stats().scribe).toMatchObject({ good: 0, connections: { open: 0 } })
})

/** A port with so many places, and rooms for frames that have begun; who logs finds files that take all. */
async function port(places: PlaceLimits, most: number, rooms = { belonging: MiB, strangers: MiB }) {
  const lines: string[] = []
  const rejections = new Rejections((line) => lines.push(line))
  const files = new Files(folder(), rejections.log)
  const intake = new Intake(
    new Routes(),
    files,
    new Counters(),
    () => true,
    () => {},
  )
  const turns = new Semaphore(1)
  const [belonging, strangers] = [new MemoryBudget(rooms.belonging), new MemoryBudget(rooms.strangers)]
  const options = {
    speakerOf: () => new ScribeCalls(new ScribeSession(intake, '1', 1), turns),
    rejections,
    belonging: { most, room: belonging },
    strangers: { most, room: strangers },
  }
  const connect = (socket: Socket) => new Connection(socket, options)
  const listener = await startListener({ host: '127.0.0.1', port: 0 }, places, connect, rejections)
  onTestFinished(async () => {
    await listener.close()
    await files.close()
  })
  return { listener, lines, belonging, strangers }
}

test('of clients that have not logged yet the one that was silent for longest makes room, and those that have stay', async () => {
  const { listener, lines } = await port({ most: 2, idleMs: 60_000, strangers: 1 }, MiB)
  const first = await scribeClient(listener.address)
  expect(await first.log([['a', 'b']])).toBe('OK')
  const silent = dial(Number(listener.address.split(':')[1]), '127.0.0.1').resume()
  await until(() => listener.counts().open === 2)
  const next = await scribeClient(listener.address)
  await once(silent, 'close')
  for (const client of [first, next]) expect(await client.log([['a', 'b']])).toBe('OK')
  const late = dial(Number(listener.address.split(':')[1]), '127.0.0.1').on('error', () => {})
  await once(late.resume(), 'close')
  expect(listener.counts(), 'nobody who has logged was silent for a minute').toEqual({
    open: 2,
    refused: 1,
    ended: 1,
  })
  expect(lines.join()).toMatch(/ended Scribe's client: it was silent, and another needs its place/)
  first.end()
  next.end()
})

test('where all places are taken by clients that have logged, the one that was silent for longest makes room', async () => {
  const { listener } = await port({ most: 1, idleMs: 1, strangers: 1 }, MiB)
  const first = await scribeClient(listener.address)
  expect(await first.log([['a', 'b']])).toBe('OK')
  const since = performance.now()
  await until(() => performance.now() - since > 1)
  const next = await scribeClient(listener.address)
  expect(await next.log([['a', 'b']])).toBe('OK')
  await until(() => listener.counts().ended === 1)
  expect(listener.counts()).toEqual({ open: 1, refused: 0, ended: 1 })
  next.end()
})

test('half frames of all strangers take so much: who has no room for his is not read until there is some', async () => {
  const places = { most: 4, idleMs: 60_000, strangers: 4 }
  const { listener, strangers: room } = await port(places, 1000, { belonging: 1000, strangers: 1000 })
  const half = async () => {
    const socket = dial(Number(listener.address.split(':')[1]), '127.0.0.1')
    const whole = frame(call('getName'), Buffer.of(11, 0, 9), text('x'.repeat(600)), Buffer.of(0))
    const answers: Buffer[] = []
    socket.on('data', (bytes) => answers.push(bytes)).write(whole.subarray(0, 300))
    return { socket, answers, rest: () => socket.write(whole.subarray(300)) }
  }
  const first = await half()
  await until(() => room.bytes > 600)
  const second = await half()
  await until(() => room.isWanted)
  second.rest()
  const small = await scribeClient(listener.address)
  expect(await small.log([['a', 'b']])).toBe('OK')
  expect(second.answers).toEqual([])
  first.rest()
  await until(() => first.answers.length === 1 && second.answers.length === 1)
  expect(room.bytes).toBe(0)
  const third = await half()
  await until(() => room.bytes > 0)
  third.socket.destroy()
  await until(() => room.bytes === 0)
  for (const { socket } of [first, second]) socket.destroy()
  small.end()
})

test('so many calls are worked on at once, of all connections; others are not even read', async () => {
  const waiting: ((isTaken: boolean) => void)[] = []
  const seen: number[] = []
  const intake = {
    log: (entries: unknown[]) => {
      seen.push(entries.length)
      return new Promise<boolean>((resolve) => waiting.push(resolve))
    },
  } as unknown as Intake
  const turns = new Semaphore(2)
  const entry = Buffer.concat([
    Buffer.of(11, 0, 1),
    text('a'),
    Buffer.of(11, 0, 2),
    text('message'),
    Buffer.of(0),
  ])
  const answers = [1, 2, 3].map((count) => {
    const entries = Array.from({ length: count }, () => entry)
    const frame = Buffer.concat([call('Log'), list(12, count), ...entries, Buffer.of(0)])
    return new ScribeCalls(new ScribeSession(intake, '1', 1), turns).answer(frame)
  })
  await until(() => seen.length >= 2)
  expect(seen).toEqual([1, 2])
  waiting[0]!(true)
  await answers[0]
  await until(() => seen.length === 3)
  for (const done of waiting) done(true)
  await Promise.all(answers)
})

const span: V1 = {
  ...{ traceId: 1n, id: 2n, parentId: 3n, name: 'n', timestamp: 5, duration: 6, debug: true },
  annotations: [
    ['sr', 5, { serviceName: 's', ipv4: '1.2.3.4', port: 5 }],
    ['x', 6],
  ],
  tags: [['k', 'STRING', Buffer.from('v'), { serviceName: 's' }]],
}

test('a span that cannot be read is counted and left out, and takes nothing with it', async () => {
  const relay = await relayIn(folder(), { scribe: { listen } })
  const client = await scribeClient(relay.scribeAddress!)
  onTestFinished(() => client.end())
  const struct = v1Struct(span)
  const wrong = [
    ...[
      '',
      '!',
      'AAAA====',
      '=AAA',
      'YWJj\0',
      v1Message({ ...span, id: 0n }),
      v1Message({ ...span, traceId: 0n }),
    ],
    ...[struct.subarray(0, -1).toString('base64'), struct.subarray(0, 9).toString('base64')],
    Buffer.concat([list(12, 2 ** 31 - 1), Buffer.of(0)]).toString('base64'),
    Buffer.concat([...Array.from({ length: 100 }, () => Buffer.of(12, 0, 99)), Buffer.of(0)]).toString(
      'base64',
    ),
  ]
  const right = [
    `${v1Message(span)}\n`,
    v1Message(span).replace(/.{20}/g, '$&\r\n'),
    Buffer.concat([struct, struct]).toString('base64'),
    v1Message({ ...span, timestamp: 2n ** 60n, duration: 2n ** 63n - 1n }),
  ]
  expect(await client.log([...wrong, ...right].map((message): [string, string] => ['zipkin', message]))).toBe(
    'OK',
  )
  expect(relay.stats().scribe).toMatchObject({ good: right.length, bad: wrong.length, denied: 0 })
  await until(() => relay.stats().tracing!.scribed === right.length)
})

test('what a tag may be: text, numbers, yes and no; bytes are left out', () => {
  const double = Buffer.alloc(8)
  double.writeDoubleBE(-1.5)
  const tags: V1['tags'] = [
    ['text', 'STRING', Buffer.from('Ü')],
    ['yes', 'BOOL', Buffer.of(1)],
    ['no', 'BOOL', Buffer.of(0)],
    ['i16', 'I16', Buffer.of(0xff, 0xfe)],
    ['i32', 'I32', Buffer.of(0, 0, 1, 0)],
    ['i64', 'I64', Buffer.of(0x7f, 255, 255, 255, 255, 255, 255, 255)],
    ['double', 'DOUBLE', double],
    ['bytes', 'BYTES', Buffer.of(1, 2)],
    ['short', 'I64', Buffer.of(1)],
    ['__proto__', 'STRING', Buffer.from('p')],
  ]
  const [made] = spansFromV1(v1FromBytes(v1Struct({ ...span, tags })))
  expect(Object.entries(made!.tags!).sort()).toEqual([
    ...[
      ['__proto__', 'p'],
      ['double', '-1.5'],
      ['i16', '-2'],
      ['i32', '256'],
      ['i64', '9223372036854775807'],
    ],
    ...[
      ['no', 'false'],
      ['text', 'Ü'],
      ['yes', 'true'],
    ],
  ])
})

/** Bytes of something real, some of them changed, and cut anywhere. */
const broken = (real: Buffer) =>
  fc
    .tuple(fc.array(fc.tuple(fc.nat(real.length - 1), fc.nat(255)), { maxLength: 4 }), fc.nat(real.length))
    .map(([changes, length]) => {
      const bytes = Buffer.from(real)
      for (const [at, value] of changes) bytes[at] = value
      return bytes.subarray(0, Math.max(1, length))
    })

test('any bytes are a span or an error', () => {
  fc.assert(
    fc.property(fc.oneof(broken(v1Struct(span)), fc.uint8Array().map(Buffer.from)), (bytes) => {
      try {
        for (const one of spansFromV1(v1FromBytes(bytes as Buffer))) expect(one.id).toMatch(/^[0-9a-f]{16}$/)
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
    }),
    { numRuns: 2000 },
  )
})

test('any frame is answered, or ends its connection', async () => {
  const files = new Files(folder(), () => {})
  onTestFinished(() => files.close())
  const intake = new Intake(
    new Routes(),
    files,
    new Counters(),
    () => true,
    () => {},
  )
  const session = new ScribeSession(intake, '1', 1)
  const entry = Buffer.concat([
    Buffer.of(11, 0, 1),
    text('zipkin'),
    Buffer.of(11, 0, 2),
    text(v1Message(span)),
    Buffer.of(0),
  ])
  for (const head of [call('Log'), oldCall('Log')]) {
    const real = Buffer.concat([head, list(12, 1), entry, Buffer.of(0)])
    const answers = async (bytes: Buffer) => {
      const answer = await new ScribeCalls(session, new Semaphore(1))
        .answer(bytes)
        .catch((error: Error) => error)
      if (!(answer instanceof Error)) expect(answer!.length).toBeGreaterThan(4)
    }
    await answers(real)
    await fc.assert(fc.asyncProperty(broken(real), answers), { numRuns: 500 })
  }
  expect(intake.counters.of('received good')).toBeGreaterThanOrEqual(2)
})

test.each<[string, Partial<V1>, RegExp]>([
  [
    'bytes',
    { tags: [['k', 'STRING', Buffer.alloc(2 ** 20)]] },
    /a span has \d+ bytes; expected at most 1048576/,
  ],
  [
    'annotations and tags',
    { annotations: Array.from({ length: 10_000 }, (_, i) => ['x', i + 1]), tags: span.tags! },
    /has 10001 annotations and tags; expected at most 10000/,
  ],
  [
    'services',
    { annotations: Array.from({ length: 65 }, (_, i) => ['x', i + 1, { serviceName: `s${i}` }]), tags: [] },
    /has 65 services; expected at most 64/,
  ],
  [
    'characters in its name',
    { name: 'n'.repeat(1025) },
    /1025 characters in its name; expected at most 1024/,
  ],
  [
    "characters in a service's name",
    { annotations: [['x', 5, { serviceName: 's'.repeat(1025) }]] },
    /1025 characters in a service's name/,
  ],
])('a span of too many %s is none', (_, more, words) => {
  expect(() => v1FromBytes(v1Struct({ ...span, ...more }))).toThrow(words)
})

test('the largest spans there can be go through a relay with a sink, and it lives', async () => {
  const nowhere = '127.0.0.1:9'
  const relay = await relayIn(folder(), {
    scribe: { listen },
    tracing: { sinks: { zipkin: `http://${nowhere}` } },
  })
  const client = await scribeClient(relay.scribeAddress!)
  onTestFinished(() => client.end())
  const sized = (length: number, i: number) =>
    v1Message({ ...span, timestamp: 0, duration: 0, annotations: [['\0'.repeat(length) + i, 5 + i]] })
  for (let i = 0; i < 10; i++) expect(await client.log([['zipkin', sized(11e6, i)]])).toBe('OK')
  for (let i = 0; i < 10; i++) expect(await client.log([['zipkin', sized(1e6, i)]])).toBe('OK')
  expect(relay.stats().scribe).toMatchObject({ good: 10, bad: 10 })
  await until(() => relay.stats().tracing!.scribed >= 5)
})

test('blanks without end are read in one go', async () => {
  const files = new Files(folder(), () => {})
  onTestFinished(() => files.close())
  const intake = new Intake(
    new Routes(),
    files,
    new Counters(),
    () => true,
    () => {},
  )
  const blanks = Buffer.from(`${' '.repeat(200_000)}!`) // tried anew at each, they take a minute
  const good = Buffer.from(`${v1Message(span)}${'\n'.repeat(1000)}`)
  await intake.log([blanks, good].map((message) => ({ category: 'zipkin', message })))
  expect(intake.counters.of('received bad')).toBe(1)
  expect(intake.counters.of('received good')).toBe(1)
})

test('a category that is too long to have a place is counted in the sum only, whatever the patterns', async () => {
  const files = new Files(folder(), () => {})
  onTestFinished(() => files.close())
  const intake = new Intake(
    new Routes({ 'app*': 'app' }),
    files,
    new Counters(),
    () => true,
    () => {},
  )
  const categories = [`app${'x'.repeat(198)}`, 'x'.repeat(201), `app${'x'.repeat(197)}`, 'app']
  await intake.log(categories.map((category) => ({ category, message: Buffer.of(1) })))
  expect(Object.fromEntries(intake.counters.all())).toEqual({
    [`app${'x'.repeat(197)}:received good`]: 1,
    'app:received good': 1,
    'scribe_overall:received bad': 2,
    'scribe_overall:received good': 2,
  })
})
