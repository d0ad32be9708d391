// test/control-fleet.test.ts: rules that a relay gives to every process of a name, whatever it is doing: idle, blocked,
// about to start or to declare; over the relay's own end and restart. And standing rules, which need no relay.
import { connectControl, connectFleet, type Fleet, readStanding, writeStanding } from '@blkin/relay'
import { expect, onTestFinished, test } from 'vitest'
import { controllerOf, spec, userFolder } from './support/control.js'
import { childRelay, freeAddress, relay, until } from './support/relays.js'
import { folder, program, result, start } from './support/run.js'
import { recorded } from './support/trace.js'

let names = 0
const name = () => `fleet-${process.pid}-${++names}`

async function fleetOf(address: string): Promise<Fleet> {
  const fleet = await connectFleet(address)
  onTestFinished(() => fleet.close())
  return fleet
}

async function idle(address: string, called: string, env: Record<string, string> = {}) {
  const running = start(program('idle.mjs'), {
    stdin: 'pipe',
    env: { BLKIN_RELAY: address, BLKIN_NAME: called, ...env },
    timeout: 60_000,
  })
  await running.says('ready')
  const control = await controllerOf(running)
  const on = async () => {
    const tracepoints = await control.tracepoints()
    return tracepoints
      .filter(({ on }) => on.length > 0)
      .map(({ tracepoint }) => tracepoint.event)
      .join()
  }
  let said = 0
  return {
    ...running,
    control,
    /** Until just these are on. */
    turns: (expected: string) => until(async () => (await on()) === expected),
    async emit() {
      running.child.stdin?.write('x')
      await running.says(`emitted ${++said}\n`)
    },
  }
}

test('idle processes, those that start later, and no others; on and off again', async () => {
  const to = await relay()
  const [mine, other] = [name(), name()]
  const fleet = await fleetOf(to.socket)
  const processes = await Promise.all([
    idle(to.address, mine),
    idle(to.address, mine),
    idle(to.address, other),
  ])
  const [one, two, three] = processes as [(typeof processes)[0], (typeof processes)[0], (typeof processes)[0]]
  await fleet.enable({ pattern: 'idle:one', target: `${mine}*` })
  await Promise.all([one.turns('one'), two.turns('one')])
  const late = await idle(to.address, mine)
  await late.turns('one')
  await three.turns('')
  for (const each of [one, two, three, late]) await each.emit()
  expect(await late.control.flush('default', 5000)).toBe(true)
  await until(async () => (await recorded(to.output)).events.length === 3)
  await fleet.enable({ pattern: 'idle:*', target: '*' })
  await Promise.all([one.turns('one,two'), three.turns('one,two'), late.turns('one,two')])
  await fleet.disable('*', 'idle:*')
  // It stands over what covers the same.
  await Promise.all([one.turns(''), three.turns(''), late.turns('')])
  await fleet.enable({ pattern: 'idle:one', target: `${mine}*` })
  await Promise.all([one.turns('one'), three.turns(''), late.turns('one')])
  await fleet.disable(`${mine}*`, 'idle:one')
  await Promise.all([one.turns(''), two.turns(''), late.turns('')])
})

test('a process whose loop is blocked, and a provider that is declared later', async () => {
  const to = await relay()
  const called = name()
  const fleet = await fleetOf(to.socket)
  const blocked = start(program('spinning.mjs'), {
    args: ['1'],
    env: { BLKIN_RELAY: to.address, BLKIN_NAME: called },
  })
  await blocked.says('blocked')
  await fleet.enable({ pattern: 'spinning:*', target: called })
  await until(
    async () => new Set((await recorded(to.output)).events.map(({ fields }) => fields.thread)).size === 2,
  )
  await fleet.disable(called, 'spinning:*')
  const control = await controllerOf(blocked)
  await until(async () => (await control.process()).sessions[0]?.enabled === 0)

  await fleet.enable({ pattern: 'later:*', target: called, level: 6 })
  const text = `
    import { flush, provider, status, t } from 'blkin'
    provider('first', { e: {} })
    while (status().rules.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    const { a, b } = provider('later', { a: { level: 'info' }, b: { level: 'debug' } })
    console.log(JSON.stringify([a.on[0] === 1, b.on[0] === 1, status().rules.map(({ origin, pattern }) => origin + ' ' + pattern)]))`
  expect(await result(text, { env: { BLKIN_RELAY: to.address, BLKIN_NAME: called } })).toEqual([
    true,
    false,
    ['relay later:*'],
  ])
})

test('rules outlive the relay, and a process that has lost it gets what changed meanwhile', {
  timeout: 60_000,
}, async () => {
  const address = await freeAddress()
  const output = folder()
  const called = name()
  let away = await childRelay(address, output)
  const one = await idle(address, called)
  await (await fleetOf(away.socket)).enable({ pattern: 'idle:one', target: called })
  await one.turns('one')
  await away.kill()
  await one.emit()
  await one.turns('one') // they stand while it is away
  away = await childRelay(address, output)
  const late = await idle(address, called)
  await late.turns('one')
  await (await fleetOf(away.socket)).enable({ pattern: 'idle:two', target: called })
  await Promise.all([one.turns('one,two'), late.turns('one,two')])
  await until(async () => (await recorded(output)).events.length === 1)
})

test("the relay's rules go on where the session is changed, and not into one that ends", {
  timeout: 60_000,
}, async () => {
  const to = await relay()
  const called = name()
  const fleet = await fleetOf(to.socket)
  const one = await idle(to.address, called)
  await fleet.enable({ pattern: 'idle:one', target: called })
  await one.turns('one')
  for (let i = 0; i < 30; i++) {
    const channel = { subBufferBytes: 65536, subBuffers: i % 2 ? 4 : 8, mode: 'discard' as const }
    const changing = one.control.changeSession(spec('default', to.address, { channel }))
    await fleet.enable({
      pattern: `idle:${i % 3 ? 'one' : 'two'}${'*'.repeat(1 + (i >> 1))}`,
      target: called,
    })
    await one.emit()
    await changing
  }
  await fleet.enable({ pattern: 'idle:*', target: called })
  await one.turns('one,two')
  const { on = [] } = (await one.control.tracepoints())[0] ?? {}
  expect(on.map(({ session }) => session)).toEqual(['default'])
  const numbers = async () => {
    const { events } = await recorded(to.output)
    return events.filter(({ tracepoint }) => tracepoint.event === 'one').map(({ fields }) => fields.n)
  }
  // Nobody lists the sessions that were replaced while they deliver what they hold.
  await until(async () => (await numbers()).length >= 30)
  const recordedOnes = await numbers()
  expect(recordedOnes).toEqual([...new Set(recordedOnes)])
  expect(recordedOnes).toHaveLength(30)
})

test('many processes at once', { timeout: 60_000 }, async () => {
  const to = await relay()
  const called = name()
  const fleet = await fleetOf(to.socket)
  const all = await Promise.all(Array.from({ length: 10 }, () => idle(to.address, called)))
  for (const pattern of ['idle:one', 'idle:two']) await fleet.enable({ pattern, target: called })
  await Promise.all(all.map((each) => each.turns('one,two')))
  await Promise.all(all.map((each) => each.emit()))
  await until(async () => (await recorded(to.output)).events.length === 20)
  for (const pattern of ['idle:one', 'idle:two']) await fleet.disable(called, pattern)
  await Promise.all(all.map((each) => each.turns('')))
})

test('standing rules: a process of that name gets them when it starts, also without a relay', async () => {
  const called = name()
  const before = await readStanding(userFolder)
  onTestFinished(async () => {
    const rules = await readStanding(userFolder)
    await writeStanding(
      userFolder,
      rules.filter(({ target }) => target !== called),
    )
  })
  await writeStanding(userFolder, [...before, { pattern: 'idle:*', level: 6, target: called }])
  const text = `
    import { provider, status } from 'blkin'
    const { one, two } = provider('idle', { one: { level: 'info' }, two: { level: 'debug' } })
    console.log(JSON.stringify([one.on[0] === 1, two.on[0] === 1, status().rules.map(({ origin }) => origin)]))`
  expect(await result(text, { env: { BLKIN_NAME: called } })).toEqual([true, false, ['standing']])
  expect(await result(text, { env: { BLKIN_NAME: `${called}x` } })).toEqual([false, false, []])
  await expect(connectControl('/nowhere')).rejects.toThrow('no such socket')
})
