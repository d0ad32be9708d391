// test/cli-fleet.test.ts: the same verbs with --relay: every process that a relay knows, now and later.
import { expect, test } from 'vitest'
import { blkin, json, startBlkin, ticking } from './support/cli.js'
import { relay, until } from './support/relays.js'

/** A relay, and a process that sends there and records nothing yet. */
async function fleet() {
  const { address: sendsTo, socket: address } = await relay()
  const env = { BLKIN_RELAY: sendsTo }
  const one = await ticking({ env })
  const at = (...args: string[]) => blkin(...args, '--relay', address)
  await until(async () => (await at('ps')).code === 0)
  return { address, env, one, at }
}

const events = async (at: (...args: string[]) => ReturnType<typeof blkin>) =>
  json<{ pid: number; sessions: { events: number }[] }>(await at('ps', '--json')).filter(({ sessions }) =>
    sessions.some((session) => session.events > 0),
  )

test('rules at the relay reach its processes, those that come later, and go', async () => {
  const { env, one, at } = await fleet()
  const given = await at('enable', 'blockstore:re*', '-p', 'ticking*', '--level', 'info')
  expect(given.out).toMatch(/^rule \d+ blockstore:re\* for ticking\*: info\n$/)
  await until(async () => (await events(at)).length === 1)
  const later = await ticking({ env, name: one.name })
  await until(async () => (await events(at)).length === 2)
  expect((await at('ps')).out).toMatch(new RegExp(`${later.pid} +${one.name} .* default +connected`))
  expect((await at('rules')).out).toMatch(/on +blockstore:re\* +info .* relay, for ticking\*\n/)
  expect((await at('list', 'blockstore:*')).out).toMatch(/blockstore:mapped +debug_module/)
  expect((await at('disable', 'blockstore:*', '-p', 'ticking*')).out).toContain('off for ticking*')
  await until(async () => !(await blkin('list', '-p', one.pid)).out.includes('by'))
})

test('list says what is on by which rule, whoever gave it, as the process itself does', async () => {
  const { address, env, one, at } = await fleet()
  const own = await ticking({ env: { ...env, BLKIN_ENABLE: 'blockstore:re*', BLKIN_FILTER: 'id > 0' } })
  const listed = async (where: string[], ...more: string[]) =>
    (await blkin('list', ...where, '-p', own.name, ...more)).out
  const here = (...more: string[]) => listed([], ...more)
  const there = (...more: string[]) => listed(['--relay', address], ...more)
  const same = async () =>
    (await there()) === (await here()) && (await there('--json')) === (await here('--json'))
  await until(async () => (await there()).includes(' by '))
  expect(await there()).toMatch(/blockstore:request +\w+ +default by \d+ "blockstore:re\*" if id > 0 /)
  await until(same)
  await blkin('enable', 'blockstore:mapped', '-p', own.pid, '--sample', '1/100')
  await until(async () => (await there()).includes('"blockstore:mapped" 1/100'))
  await until(same)
  await at('enable', 'blockstore:reply', '-p', own.name)
  await until(async () => /default by \d+ "blockstore:reply"/.test(await there()))
  await until(same)
  await blkin('disable', '*:*', '-p', own.pid)
  await until(async () => !(await there()).includes('"blockstore:mapped"'))
  await until(same)
  expect((await at('list', '-p', one.name)).out, 'nothing is on in the other').not.toContain(' by ')
  own.child.kill('SIGKILL')
  await until(async () => (await there()).includes(' gone '))
  expect(json(await at('list', '-p', own.name, '--json', 'blockstore:reply'))).toEqual([
    expect.objectContaining({ on: [], gone: true }),
  ])
})

test('tail and top follow what its processes send', async () => {
  const { address, one, at } = await fleet()
  await at('enable', 'blockstore:*')
  const tail = startBlkin(['tail', '--relay', address, '-p', one.name, '-e', '*:request'])
  await tail.says(/\n.*\n/)
  tail.child.kill('SIGINT')
  const line = new RegExp(
    `:${one.name}:\\(${one.pid}\\) blockstore:request: { cpu_id = \\d+ }, { id = \\d+, op = "`,
  )
  expect((await tail.done).out).toMatch(line)
  const top = startBlkin(['top', '--relay', address, '--json'])
  await top.says(/"p99"/)
  top.child.kill('SIGINT')
  const last = json<{ processes: string; tracepoints: object[] }>(await top.done).at(-1)
  expect(last?.processes).toBe('1 process heard')
  expect(last?.tracepoints).toContainEqual(
    expect.objectContaining({ tracepoint: 'blockstore:request', until: 'blockstore:reply' }),
  )
})

test('what a relay cannot do is said', async () => {
  const { at } = await fleet()
  const refused: [string[], RegExp, number][] = [
    [['enable', 'a:*', '-p', '4711'], /-p 4711: a relay's rules are for programs by name/, 2],
    [['enable', 'a:*', '--buffer', '4x1M'], /--buffer and --relay do not go together/, 2],
    [['tail', '-f', 'x > 1'], /--filter and --relay do not go together: what a relay gets, its rules say/, 2],
    [['disable', '--session', 'default'], /--relay: expected a pattern/, 2],
    [['ps', '-p', 'nobody'], /the relay knows no such process/, 3],
  ]
  for (const [args, words, expected] of refused) {
    const { code, err } = await at(...args)
    expect(err).toMatch(words)
    expect(code).toBe(expected)
  }
})
