// relay/test/fleet.test.ts: a controller at the relay: who is there, what they declared, and events as they come.
// Followers that are slow, or stop reading, cost themselves events and nobody else anything.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect as dial } from 'node:net'
import { afterAll, expect, onTestFinished, test, vi } from 'vitest'
import { dashed } from '../src/ctf/metadata.js'
import { type TraceInfo, TraceLoss } from '../src/ctf/model.js'
import { PutDecoder } from '../src/ctf/put-decoder.js'
import type { TraceItem } from '../src/ctf/read/merge.js'
import { connectFleet, type Fleet, type RelayOptions, view } from '../src/index.js'
import { fleet as fleetService, i64, service, types } from '../src/protocol/wire.js'
import { Follower, MOST_WAITING_BYTES } from '../src/recording/live/follower.js'
import { apache } from './apache.js'
import { connect, field, makeHello, makePut, tracepoint } from './client.js'
import { encode, StreamWriter } from './ctf-writer.js'
import { collect, folder, relayIn, until } from './helpers.js'

async function relayAndFleet(changes: Partial<RelayOptions> = {}) {
  const output = folder()
  const relay = await relayIn(output, changes)
  const fleet = await connectFleet(relay.socket)
  onTestFinished(() => fleet.close())
  return { relay, fleet, output }
}

/** A traced process with p:e and q:f, which puts events of n as it is told. */
async function traced(address: string, changes: Record<string, unknown> = {}) {
  const client = await connect(address)
  onTestFinished(() => client.end())
  const hello = makeHello(changes)
  await client.hello(hello)
  await client.declare([tracepoint(0, 'p:e'), tracepoint(1, 'q:f', [field('s', types.Type.STRING)])])
  const writer = new StreamWriter(hello.uuid, 0)
  writer.start(1n)
  let sequence = 0
  let time = 1n
  const putBytes = (packets: Buffer) => client.put(makePut(0, ++sequence, packets))
  const put = (id: number, values: Buffer[]) => {
    for (const value of values) {
      time += 10n
      writer.event(id, time, value)
    }
    return putBytes(writer.take())
  }
  return { ...client, hello, writer, put, putBytes }
}

async function takeUntil(fleet: Fleet, holds: (lines: string[]) => boolean): Promise<string[]> {
  const lines: string[] = []
  while (!holds(lines)) lines.push(...(await fleet.take(1000)).events)
  return lines
}

const field0 = (line: string) => Object.values(JSON.parse(line).fields)[0]

test('sessions of one process stand together, whether connected or gone', async () => {
  const { relay, fleet } = await relayAndFleet()
  const bootId = randomBytes(16)
  const clock = new types.Clock({ bootId, offset: i64(5) })
  const first = await traced(relay.address, { clock, pid: 7, startedAt: i64(2_000_000_000n) })
  await first.put(0, [encode('u32', 1), encode('u32', 2)])
  await traced(relay.address, { clock, pid: 7, session: 'ad-hoc', startedAt: i64(1_999_999_999n) })
  await traced(relay.address, { pid: 7 })
  first.end()
  await until(() => relay.stats().connections.open === 3)
  const processes = await fleet.processes()
  expect(processes.map(({ pid, sessions }) => [pid, sessions.length])).toEqual([[7, 2], [7, 1]]) // biome-ignore format: short
  expect(processes[0]).toMatchObject({ program: 'node', hostname: 'host', startedAt: 1_999_999_999n })
  const [gone, there] = processes[0]!.sessions
  expect(gone).toMatchObject({ name: 'default', connected: false, events: 1 })
  expect(gone!.lost).toEqual({ noRoom: 0, tooBig: 0, badValue: 0, noRing: 0, overwritten: 0, unstored: 0 })
  expect(there).toMatchObject({ name: 'ad-hoc', connected: true, events: 0, bytes: 0 })
})

test('what is on in a session is told as it said last, and nothing once it is gone', async () => {
  const { relay, fleet } = await relayAndFleet()
  const one = await traced(relay.address)
  const uuid = dashed(one.hello.uuid)
  expect(await fleet.enabled(uuid)).toEqual({ rules: [], tracepoints: [] })
  const rule = { id: 3, on: true, pattern: 'p:*', exclude: [], level: 14, exactly: false, origin: 1 }
  const told = { rules: [new types.Rule(rule as never)], tracepoints: [{ tracepoint: 0, rule: 3 }] }
  await one.enabled(told)
  expect(await fleet.enabled(uuid)).toEqual({
    rules: [{ ...rule, origin: 'program' }],
    tracepoints: [{ tracepoint: 0, rule: 3 }],
  })
  const wrong: [object, RegExp][] = [
    [{ rules: [new types.Rule({ ...rule, pattern: 'p' } as never)], tracepoints: [] }, /rule.pattern is "p"/],
    [{ rules: [], tracepoints: [{ tracepoint: 16384, rule: 1 }] }, /enabled.tracepoints.tracepoint is 16384/],
    [{ rules: [], tracepoints: [{ tracepoint: 0, rule: 0 }] }, /enabled.tracepoints.rule is 0/],
    [{ rules: Array(1025).fill(told.rules[0]), tracepoints: [] }, /enabled.rules is "?1025 long/],
  ]
  for (const [given, words] of wrong) await expect(one.enabled(given)).rejects.toThrow(words)
  expect(await fleet.enabled(uuid), 'what was refused changed nothing').toMatchObject({ rules: [{ id: 3 }] })
  one.end()
  await until(() => relay.stats().connections.open === 1)
  expect(await fleet.enabled(uuid)).toEqual({ rules: [], tracepoints: [] })
})

test('tracepoints of a session are told, also of one that is gone or came to the relay before', async () => {
  const { relay, fleet, output } = await relayAndFleet()
  const client = await traced(relay.address)
  const [process] = await fleet.processes()
  const { uuid } = process!.sessions[0]!
  const declared = await fleet.tracepoints(uuid)
  expect(declared).toMatchObject([
    { provider: 'p', event: 'e' },
    { provider: 'q', fields: [{ type: 'string' }] },
  ])
  await client.put(0, [encode('u32', 1)])
  client.end()
  await until(() => relay.stats().connections.open === 1)
  expect(await fleet.tracepoints(uuid)).toEqual(declared)
  await relay.close()
  const later = await relayIn(output)
  const again = await connect(later.address)
  await again.hello(client.hello)
  const after = await connectFleet(later.socket)
  expect(await after.tracepoints(uuid)).toEqual(declared)
  const nobody = '00000000-0000-0000-0000-000000000000'
  await expect(after.tracepoints(nobody)).rejects.toMatchObject({
    reason: 'NO_SESSION',
    message: `no session has the uuid ${nobody}`,
  })
  await expect(after.tracepoints('12')).rejects.toThrow(/uuid is 1 bytes; expected 16 bytes/)
  after.close()
  again.end()
})

test('what a follower takes are the lines that view prints, of the programs and patterns it asked for', async () => {
  const { relay, fleet, output } = await relayAndFleet()
  const one = await traced(relay.address, { program: 'server', contexts: [field('tid', types.Type.U32)] })
  const two = await traced(relay.address, { program: 'other' })
  await one.put(
    0,
    [encode('u32', 1), encode('u32', 1)].map((n) => Buffer.concat([n, encode('u32', 1)])),
  )
  await fleet.follow('ser*', ['p:*', 'x:y'])
  const event = (n: number) => Buffer.concat([encode('u32', 99), encode('u32', n)])
  await two.put(0, [encode('u32', 50)])
  await one.put(0, [event(51), event(52)])
  await one.put(1, [Buffer.concat([encode('u32', 99), encode('string', 'no')])])
  one.writer.event(0, 1000n, event(53))
  await one.putBytes(one.writer.take(7n))
  const lines = await takeUntil(fleet, (all) => all.length >= 4)
  const printed = collect()
  await view({ path: output, json: true, patterns: ['p:*'], output: printed })
  const expected = printed
    .text()
    .split('\n')
    .filter((line) => line.includes('"server"'))
    .slice(2)
  expect(lines).toEqual(expected)
  expect(lines.join()).toContain('"context":{"tid":99},"fields":{"n":51}')
  expect(lines.join()).toContain('"lost":7')
})

test('a process that comes later is followed too, and a new follow ends the one before', async () => {
  const { relay, fleet } = await relayAndFleet()
  await fleet.follow('*', [])
  const later = await traced(relay.address)
  await later.put(0, [encode('u32', 1)])
  expect((await takeUntil(fleet, (all) => all.length > 0)).map(field0)).toEqual([1])
  await fleet.follow('*', ['q:*'])
  await later.put(0, [encode('u32', 2)])
  await later.put(1, [encode('string', 'x')])
  expect((await takeUntil(fleet, (all) => all.length > 0)).map(field0)).toEqual(['x'])
})

test('a take waits for something to come, as long as it says, and no longer than until the next call', async () => {
  const { relay, fleet } = await relayAndFleet()
  await expect(fleet.take(0)).rejects.toThrow(/nothing is followed; expected follow first/)
  await fleet.follow('*', [])
  expect(await fleet.take(0)).toEqual({ events: [], dropped: 0 })
  const waiting = fleet.take(60_000)
  await fleet.processes()
  expect(await waiting, 'ended by the next call').toEqual({ events: [], dropped: 0 })
  const coming = fleet.take(60_000)
  const client = await traced(relay.address)
  await client.put(0, [encode('u32', 5)])
  expect((await coming).events.map(field0)).toEqual([5])
  await expect(fleet.take(-1)).rejects.toThrow(/waitMs is -1; expected 0 to/)
})

test('a process hears with each answer whether somebody follows it, and puts sooner while that is so', async () => {
  const { relay, fleet } = await relayAndFleet()
  const client = await traced(relay.address)
  const isFollowed = async () => (await client.put(0, [encode('u32', 1)]))?.followed
  expect(await isFollowed()).toBe(false)
  await fleet.follow('another program', [])
  expect(await isFollowed()).toBe(false)
  const follower = await connectFleet(relay.socket)
  await follower.follow('*', ['q:*'])
  expect(await isFollowed()).toBe(true)
  follower.close()
  await vi.waitFor(async () => expect(await isFollowed()).toBe(false))
})

/** Of this process: more listeners than anybody meant to have, for one. */
const warnings: Error[] = []
process.on('warning', (warning) => warnings.push(warning))
afterAll(() => expect(warnings).toEqual([]))

test('ten followers each get all; one that takes nothing loses what is new beyond its bound, and is told', async () => {
  const { relay, fleet: slow } = await relayAndFleet()
  const followers = await Promise.all(Array.from({ length: 10 }, () => connectFleet(relay.socket)))
  for (const follower of [slow, ...followers]) await follower.follow('*', ['q:*'])
  const client = await traced(relay.address)
  const text = encode('string', 'x'.repeat(3000))
  const puts = 15
  const all = puts * 250
  const taken = followers.map(() => [] as string[])
  const taking = followers.map(async (follower, i) => {
    while (taken[i]!.length < all) {
      const { events, dropped } = await follower.take(1000)
      expect(dropped).toBe(0)
      taken[i]!.push(...events)
    }
  })
  for (let put = 1; put <= puts; put++) {
    await client.put(
      1,
      Array.from({ length: 250 }, () => text),
    )
    await until(() => taken.every((lines) => lines.length >= put * 250))
  }
  await Promise.all(taking)
  expect(taken.every((lines) => lines.join() === taken[0]!.join())).toBe(true)
  const first = await slow.take(0)
  expect(first.dropped, 'what the queue could not hold').toBeGreaterThan(all / 2)
  const bytes = (lines: string[]) => lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0)
  expect(bytes(first.events)).toBeLessThanOrEqual(2 ** 20)
  const rest = [...first.events]
  for (let more = await slow.take(0); more.events.length > 0; more = await slow.take(0)) {
    expect(more.dropped).toBe(0)
    rest.push(...more.events)
  }
  expect(rest.length + first.dropped).toBe(all)
  expect(rest, 'the oldest are kept').toEqual(taken[0]!.slice(0, rest.length))
  expect(bytes(rest)).toBeLessThan(MOST_WAITING_BYTES + 4096)
  for (const follower of followers) follower.close()
})

test('a follower that asks and reads no answer does not hold up a put', async () => {
  const token = 'right'
  const { relay } = await relayAndFleet({ token })
  const connection = apache.createConnection('127.0.0.1', Number(relay.address.split(':')[1]), {
    transport: apache.TFramedTransport,
    protocol: apache.TBinaryProtocol,
  })
  connection.on('error', () => {})
  onTestFinished(() => void connection.connection.destroy())
  const stuck = apache.createClient(fleetService.Client, connection) as InstanceType<
    typeof fleetService.Client
  >
  await stuck.greet(1, token)
  await stuck.follow('*', [])
  connection.connection.pause()
  for (let i = 0; i < 50; i++) stuck.take(60_000).catch(() => {})
  const client = await traced(relay.address, { token })
  const text = encode('string', 'x'.repeat(3000))
  for (let i = 0; i < 40; i++)
    await client.put(
      1,
      Array.from({ length: 250 }, () => text),
    )
  expect(relay.stats().processes[0]).toMatchObject({ puts: 40 })
  connection.connection.resetAndDestroy()
  await until(() => relay.stats().connections.open === 2)
})

test('while nobody follows, nothing is decoded; events that are not as declared are told in the log', async () => {
  const { relay, fleet } = await relayAndFleet()
  const client = await traced(relay.address)
  const spy = vi.spyOn(PutDecoder.prototype, 'decode')
  onTestFinished(() => spy.mockRestore())
  await client.put(0, [encode('u32', 1)])
  await client.put(0, [encode('u32', 1)])
  expect(spy).not.toHaveBeenCalled()
  await fleet.follow('*', [])
  await client.put(7, [Buffer.alloc(0)])
  await client.put(0, [encode('u32', 2)])
  expect(relay.lines.join()).toMatch(
    /node \(pid 4711\): stream 0, put 3 cannot be followed: event id 7 is in no metadata/,
  )
  expect((await takeUntil(fleet, (all) => all.length > 0)).map(field0)).toEqual([2])
  expect(relay.stats().processes[0]).toMatchObject({ puts: 4 })
})

test('a controller must show the token, and say greet first', async () => {
  const { relay } = await relayAndFleet({ token: 'right' })
  for (const token of [undefined, 'wrong'])
    await expect(connectFleet(relay.address, token)).rejects.toMatchObject({
      reason: 'TOKEN',
      message: expect.stringMatching(/greet.token is (missing|not the one this relay was given)/),
    })
  await until(() => relay.stats().connections.open === 1)
  const client = await connect(relay.address)
  await client.hello(makeHello({ token: 'right' }))
  client.end()
})

test('the first call decides the service: calls of the other one are unknown then', async () => {
  const token = 'right'
  const { relay } = await relayAndFleet({ token })
  const speak = () => {
    const connection = apache.createConnection('127.0.0.1', Number(relay.address.split(':')[1]), {
      transport: apache.TFramedTransport,
      protocol: apache.TBinaryProtocol,
    })
    connection.on('error', () => {})
    onTestFinished(() => void connection.end())
    return connection
  }
  const early = apache.createClient(fleetService.Client, speak()) as InstanceType<typeof fleetService.Client>
  await expect(early.processes()).rejects.toThrow(/Unknown function processes/)
  await expect(early.greet(1, '')).rejects.toThrow(/Unknown function greet/)
  const connection = speak()
  const greeted = apache.createClient(fleetService.Client, connection) as InstanceType<
    typeof fleetService.Client
  >
  await greeted.greet(1, token)
  await greeted.rules()
  const process = apache.createClient(service.Client, speak()) as InstanceType<typeof service.Client>
  await process.hello(makeHello({ token }))
})

test('beyond 64 followers the next is refused, and one that goes makes room', async () => {
  const { relay } = await relayAndFleet()
  const followers = await Promise.all(Array.from({ length: 64 }, () => connectFleet(relay.socket)))
  for (const follower of followers) await follower.follow('*', [])
  const late = await connectFleet(relay.socket)
  await expect(late.follow('*', [])).rejects.toMatchObject({ reason: 'LIMIT' })
  followers[0]!.close()
  await until(() => relay.stats().connections.open === 65)
  await late.follow('*', [])
  for (const follower of [late, ...followers]) follower.close()
})

test('calls without their arguments are refused, and bytes that are no call end only their own connection', async () => {
  const token = 'right'
  const { relay, fleet } = await relayAndFleet({ token })
  const connection = apache.createConnection('127.0.0.1', Number(relay.address.split(':')[1]), {
    transport: apache.TFramedTransport,
    protocol: apache.TBinaryProtocol,
  })
  connection.on('error', () => {})
  onTestFinished(() => void connection.connection.destroy())
  const bad = apache.createClient(fleetService.Client, connection) as InstanceType<typeof fleetService.Client>
  await expect(bad.greet(2, '')).rejects.toThrow(/greet.version is 2; this relay speaks 1/)
  await until(() => relay.stats().connections.open === 1)
  const missing = undefined as never
  await expect(fleet.enable({ target: 'a', pattern: missing }), 'nothing is sent').rejects.toThrow(/pattern/)
  const second = apache.createConnection('127.0.0.1', Number(relay.address.split(':')[1]), {
    transport: apache.TFramedTransport,
    protocol: apache.TBinaryProtocol,
  })
  onTestFinished(() => void second.end())
  const other = apache.createClient(fleetService.Client, second) as InstanceType<typeof fleetService.Client>
  await other.greet(1, token)
  await expect(other.enable(missing)).rejects.toThrow(/rule is missing; expected a Rule/)
  await expect(other.follow(missing, [])).rejects.toThrow(/target is missing; expected 1 to 255 bytes/)
  await expect(other.follow('a', missing)).rejects.toThrow(/patterns is missing; expected at most 64/)
  await expect(other.follow('a', ['a'])).rejects.toThrow(/patterns is "a"; expected provider:event/)
  await expect(other.disable(missing, 'a:b')).rejects.toThrow(/target is missing/)
  await expect(other.take(missing)).rejects.toThrow(/waitMs is missing; expected 0 to/)
  const raw = dial(Number(relay.address.split(':')[1]), '127.0.0.1')
  raw.on('error', () => {}).resume()
  const greet = '800100010000000567726565740000000108000100000001' + '0b0002000000057269676874' + '00'
  const list = '8001000100000006666f6c6c6f7700000002' + '0f00020b7fffffff'
  for (const call of [greet, list]) {
    const bytes = Buffer.from(call, 'hex')
    const length = Buffer.alloc(4)
    length.writeInt32BE(bytes.length)
    raw.write(Buffer.concat([length, bytes]))
  }
  await once(raw, 'close')
  expect(relay.lines.join()).toMatch(/ended a controller: a container claims 2147483647 elements/)
  expect(await fleet.rules()).toEqual([])
})

test('of a full follower events are counted, and losses of the process are added up and told later', () => {
  const follower = new Follower('*', [])
  const trace = { hostname: 'host', pid: 1, program: 'p' } as TraceInfo
  follower.push('x'.repeat(MOST_WAITING_BYTES / 4))
  for (let i = 0; i < 3; i++) follower.push('x'.repeat(MOST_WAITING_BYTES / 4))
  expect(follower.full).toBe(true)
  follower.drop({ kind: 'event' } as TraceItem)
  follower.drop(new TraceLoss(trace, 2, 10, 0, 11_000_000_000n, 5n, 1n))
  follower.drop(new TraceLoss(trace, 2, 12, 0, 13_000_000_000n, 7n, 0n))
  expect(follower.take()).toMatchObject({ dropped: 1 })
  const rest = [1, 2, 3, 4].map(() => follower.take())
  expect(rest.map(({ dropped }) => dropped)).toEqual([0, 0, 0, 0])
  const last = rest.flatMap(({ events }) => events).at(-1) as string
  expect(JSON.parse(last)).toMatchObject({
    stream: 2,
    lost: 12,
    lostPackets: 1,
    until: '1970-01-01T00:00:13.000000000Z',
  })
})
