// relay/test/rules.test.ts: the relay's rules: who is told which and when, that they outlive it, and the long poll.

import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { connectFleet, type Fleet, startRelay } from '../src/index.js'
import { targetCovers, targetsOverlap } from '../src/recording/rules/target.js'
import { connect, makeHello, makePut, tracepoint } from './client.js'
import { encode, StreamWriter } from './ctf-writer.js'
import { folder, relayIn, until } from './helpers.js'

type Told = { version: { toNumber(): number }; rules: { pattern: string; on: boolean }[] } | null | undefined

const told = (set: Told) =>
  set ? [set.version.toNumber(), ...set.rules.map((rule) => `${rule.on ? '' : '!'}${rule.pattern}`)] : set

async function relayAndFleet(output = folder()) {
  const relay = await relayIn(output)
  const fleet = await connectFleet(relay.socket)
  return { relay, fleet, output }
}

const patterns = async (fleet: Fleet) =>
  (await fleet.rules()).map((rule) => `${rule.on ? '' : '!'}${rule.target} ${rule.pattern}`)

test('a process is told the rules for programs of its name: by hello, and by the put after a change', async () => {
  const { relay, fleet } = await relayAndFleet()
  await fleet.enable({ target: 'no*', pattern: 'a:*' })
  await fleet.enable({ target: 'other', pattern: 'b:*' })
  const client = await connect(relay.address)
  const hello = makeHello()
  expect(told((await client.hello(hello)).rules)).toEqual([2, 'a:*'])
  await client.declare([tracepoint(0, 'p:e')])
  const writer = new StreamWriter(hello.uuid, 0)
  writer.start(1n)
  let sequence = 0
  const put = () => {
    writer.event(0, 2n, encode('u32', 1))
    return client.put(makePut(0, ++sequence, writer.take()))
  }
  expect(told((await put()).rules), 'nothing new').toBe(null)
  await fleet.disable('*', 'a:x')
  expect(told((await put()).rules)).toEqual([3, 'a:*', '!a:x'])
  expect(told((await put()).rules), 'it was told').toBe(null)
  client.end()
  fleet.close()
})

test('the last rule decides: a rule that stands already goes to the end, and ids are never used twice', async () => {
  const { fleet } = await relayAndFleet()
  await fleet.enable({ target: 'a*', pattern: 'x:*' })
  await fleet.enable({ target: 'a*', pattern: 'y:*', level: 6 })
  const [, second] = await fleet.rules()
  const again = await fleet.enable({ target: 'a*', pattern: 'x:*' })
  expect(again.map(({ id, pattern }) => [id, pattern])).toEqual([[2, 'y:*'], [1, 'x:*']]) // biome-ignore format: short
  expect(second).toEqual({
    ...{ id: 2, on: true, pattern: 'y:*', exclude: [], level: 6, exactly: false },
    ...{ origin: 'relay', target: 'a*' },
  })
  await fleet.disable('a*', 'x:*')
  expect(await patterns(fleet), 'nothing else covers it').toEqual(['a* y:*'])
  await fleet.disable('a*', 'y:z')
  expect(await patterns(fleet), 'others cover it').toEqual(['a* y:*', '!a* y:z'])
  await fleet.disable('b', 'y:z')
  expect(await patterns(fleet), 'for b nothing is on').toEqual(['a* y:*', '!a* y:z'])
  await fleet.disable('*', 'y:z')
  expect(await patterns(fleet)).toEqual(['a* y:*', '!a* y:z', '!* y:z'])
  await fleet.disable('a*', 'y:*')
  expect(await patterns(fleet), 'nothing is left to switch off').toEqual([])
  const [last] = await fleet.enable({ target: 'a', pattern: 'z:*' })
  expect(last!.id).toBeGreaterThan(6)
  fleet.close()
})

test('rules and their version outlive the relay, in a file that only its owner reads', async () => {
  const { relay, fleet, output } = await relayAndFleet()
  const filter = 'n > 1'
  const rules = await fleet.enable({ target: 'é*', pattern: 'a:*', filter, sample: { keep: 1, of: 9 } })
  expect(rules).toMatchObject([{ filter, sample: { keep: 1, of: 9 } }])
  await relay.close()
  expect(readdirSync(output)).toEqual(['.rules'])
  expect(statSync(join(output, '.rules')).mode & 0o777).toBe(0o600)
  const after = await relayAndFleet(output)
  expect(await after.fleet.rules()).toEqual(rules)
  const client = await connect(after.relay.address)
  expect(told((await client.hello(makeHello({ program: 'école' }))).rules)).toEqual([1, 'a:*'])
  client.end()
  after.fleet.close()
})

test('a file of rules that is none of ours is told before anything is taken', async () => {
  const output = folder()
  writeFileSync(join(output, '.rules'), 'nonsense')
  await expect(startRelay({ listen: '127.0.0.1:0', output })).rejects.toThrow(/^\/.*\/.rules: /)
})

test('a change that the disk refuses is none', async () => {
  const { fleet, output } = await relayAndFleet()
  await fleet.enable({ target: 'a', pattern: 'a:*' })
  rmSync(join(output, '.rules'))
  mkdirSync(join(output, '.rules', 'in the way'), { recursive: true })
  await expect(fleet.enable({ target: 'a', pattern: 'b:*' })).rejects.toMatchObject({ reason: 'STORAGE' })
  expect(await patterns(fleet)).toEqual(['a a:*'])
  fleet.close()
})

test('rules that no process could take, and too many of them, are refused', async () => {
  const { fleet } = await relayAndFleet()
  await expect(fleet.enable({ pattern: 'a:*' })).rejects.toThrow(/rule.target is missing/)
  await expect(fleet.enable({ target: 'a', pattern: 'a' })).rejects.toMatchObject({ reason: 'MALFORMED' })
  await expect(fleet.disable('a', 'a b:c')).rejects.toThrow(/pattern is "a b:c"; expected provider:event/)
  const filter = 'n'.repeat(4096)
  const exclude = Array.from({ length: 64 }, (_, i) => `${'x'.repeat(240)}:${i}`)
  const refused = /the rules take \d+ bytes; expected at most 1048576: disable some/
  let taken = 0
  while (taken < 100) {
    const answer = await fleet
      .enable({ target: 'a', pattern: `a:${taken}`, exclude, filter })
      .catch((error) => error)
    if (answer instanceof Error) {
      expect(answer).toMatchObject({ reason: 'LIMIT', message: expect.stringMatching(refused) })
      break
    }
    taken++
  }
  expect(taken).toBeLessThan(100)
  expect((await fleet.rules()).length).toBe(taken)
  fleet.close()
})

test('a poll is answered at once where rules are newer, else when they change', async () => {
  const { relay, fleet } = await relayAndFleet()
  const client = await connect(relay.address)
  await client.hello()
  await fleet.enable({ target: '*', pattern: 'a:*' })
  expect(told(await client.rules(0, 60_000))).toEqual([1, 'a:*'])
  const answered = vi.fn()
  const poll = client.rules(1, 2 ** 31 - 1).then((set) => {
    answered()
    return set
  })
  await fleet.rules()
  expect(answered).not.toHaveBeenCalled()
  await fleet.enable({ target: '*', pattern: 'b:*' })
  expect(told(await poll)).toEqual([2, 'a:*', 'b:*'])
  client.end()
  fleet.close()
})

test('the next call ends a poll, and answers keep their order', async () => {
  const { relay } = await relayAndFleet()
  const client = await connect(relay.address)
  await client.hello()
  const order: string[] = []
  const poll = client.rules(0, 60_000).then(() => order.push('poll'))
  const second = client.rules(0, 60_000).then(() => order.push('second'))
  const declared = client.declare([tracepoint(0, 'p:e')]).then(() => order.push('declared'))
  await Promise.all([poll, second, declared])
  expect(order).toEqual(['poll', 'second', 'declared'])
  client.end()
})

test('a poll ends after what it asked for, 60 s at most; polls keep a connection alive; closing ends them', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const relay = await startRelay({ listen: '127.0.0.1:0', output: folder() })
    const client = await connect(relay.address)
    await client.hello()
    for (const [asked, ms] of [
      [5_000, 5_000],
      [2 ** 31 - 1, 60_000],
      [2 ** 31 - 1, 60_000],
    ] as const) {
      // biome-ignore format: short
      const before = vi.getTimerCount()
      const poll = client.rules(0, asked)
      const answered = vi.fn()
      void poll.then(answered)
      await until(() => vi.getTimerCount() > before)
      vi.advanceTimersByTime(ms - 1)
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
      expect(answered).not.toHaveBeenCalled()
      vi.advanceTimersByTime(1)
      expect(told(await poll)).toEqual([0])
    }
    const before = vi.getTimerCount()
    const last = client.rules(0, 60_000).catch((error: Error) => error.message)
    await until(() => vi.getTimerCount() > before)
    vi.useRealTimers()
    await relay.close()
    expect(await last).toMatch(/closed by the relay/)
  } finally {
    vi.useRealTimers()
  }
})

test('polls before hello, and of times that are none, are refused', async () => {
  const { relay } = await relayAndFleet()
  const client = await connect(relay.address)
  await expect(client.rules(0, 0)).rejects.toThrow(/expected hello first/)
  await client.hello()
  await expect(client.rules(0, -1)).rejects.toThrow(/waitMs is -1; expected 0 to 2147483647/)
  await expect(client.rules(-1, 0)).rejects.toThrow(/known is -1; expected 0 to/)
  client.end()
})

test('a client that goes away while it polls leaves nothing behind', async () => {
  const { relay, fleet } = await relayAndFleet()
  const client = await connect(relay.address)
  await client.hello()
  client.rules(0, 60_000).catch(() => {})
  await fleet.rules()
  client.socket.destroy()
  await until(() => relay.stats().connections.open === 1)
  fleet.close()
})

test('targets: what they cover, and which of them can cover one name', () => {
  expect(targetCovers('ser*er', 'server')).toBe(true)
  expect(targetCovers('*', 'a:b c')).toBe(true)
  expect(targetCovers('a', 'ab')).toBe(false)
  const overlap: [string, string, boolean][] = [
    ['a*', '*b', true],
    ['a', 'a', true],
    ['a', 'b', false],
    ['a*c', 'a*b', false],
    ['*a*', 'b*', true],
    ['', '*', true],
    ['ab', 'a*bc', false],
    ['**', 'x', true],
  ]
  for (const [one, two, does] of overlap) {
    expect(targetsOverlap(one, two), `${one} ${two}`).toBe(does)
    expect(targetsOverlap(two, one), `${two} ${one}`).toBe(does)
  }
})
