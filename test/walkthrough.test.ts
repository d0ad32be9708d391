// test/walkthrough.test.ts: the commands of runtime control one after the other, as a user types them, on the block store
// while QEMU's tools and fio drive it: what each prints, what it changes, and what it records.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  hasTool,
  run,
  type ServerProcess,
  startServerIn,
  storePids,
  temporaryDir,
} from './blockstore-harness.js'
import { blkin, cli, json, startBlkin } from './support/cli.js'
import { folder } from './support/run.js'
import { printed } from './support/trace.js'

const name = `server-${process.pid}`
const tools = ['qemu-io', 'fio', 'babeltrace2'].filter((tool) => !hasTool(tool))
const { dir, remove } = temporaryDir()
let server: ServerProcess
let fio: ChildProcess
let pid: string

beforeAll(async () => {
  if (tools.length > 0) return
  const env = { ...process.env, BLKIN_NAME: name, BLKIN_REQUIRE_NATIVE: '1' }
  server = await startServerIn(env, dir, '--volume', 'disk0=64M')
  pid = String(server.child.pid)
  // Blocks on both sides of the filter's 65,536 bytes, both ways, for as long as the commands take.
  const load = ['--name=x', '--ioengine=nbd', `--uri=${server.uri}/disk0`, '--rw=randrw', '--bsrange=4k-128k']
  fio = spawn(
    'fio',
    [...load, '--blockalign=4k', '--iodepth=4', '--size=64M', '--time_based', '--runtime=300'],
    {
      stdio: 'ignore',
    },
  )
})

afterAll(async () => {
  if (tools.length > 0) return
  const over = once(fio, 'exit')
  fio.kill('SIGKILL')
  await over
  await server.end()
  await run(process.execPath, [cli, 'disable', 'blockstore:*', '-p', `${name}*`]).catch(() => {}) // 3: nobody is left
  remove()
})

const each = (title: string, body: () => Promise<void>, ms = 60_000) =>
  test(title, { timeout: ms }, async (t) => {
    if (tools.length > 0) t.skip(`not installed: ${tools.join(', ')}`)
    await body()
  })

const ps = async () =>
  json<{ pid: number; program: string; sessions: { name: string }[] }>(await blkin('ps', '--json')).find(
    (one) => String(one.pid) === pid,
  )
const on = async () =>
  json<{ event: string; on: { session: string }[] }>(await blkin('list', '-p', pid, '--json'))
    .filter((one) => one.on.length > 0)
    .map(({ event }) => event)

each('blkin ps shows the server and its stores, by name', async () => {
  const { code, out, err } = await blkin('ps')
  expect(code, err).toBe(err.includes('did not answer') ? 1 : 0) // another test's process may be stopped
  expect(out).toMatch(/^ *PID +NAME +UP +EVENTS\/S +LOST +SESSION +RELAY\n/)
  expect(out).toMatch(new RegExp(`^ *${pid} +${name} +\\d+s +0 +0 +- +-$`, 'm'))
  for (const store of await storePids(server)) expect(out).toMatch(new RegExp(`^ *${store} +store-\\d `, 'm'))
})

each("blkin list -p TARGET 'blockstore:*' shows the tracepoints, all off", async () => {
  const { code, out } = await blkin('list', '-p', pid, 'blockstore:*')
  expect(code).toBe(0)
  expect(out).toMatch(
    /^blockstore:request +info +off +.*op: enum\(read, write, flush, trim, write_zeroes\).*length: u32$/m,
  )
  expect(await on()).toEqual([])
})

each(
  'blkin record -p with a filter records just that, ^C detaches, and the server is as it was',
  async () => {
    const output = folder()
    const filter = 'length > 65536 && op == "write"'
    const recording = startBlkin([
      'record',
      '-p',
      pid,
      '-e',
      'blockstore:*',
      '--filter',
      filter,
      '-o',
      output,
    ])
    await recording.says('recording')
    expect((await ps())?.sessions.map((session) => session.name)).toEqual([`record-${recording.child.pid}`])
    await run('qemu-io', ['-f', 'raw', '-c', 'write -P 7 0 100k', '-c', 'write 1M 4k', `${server.uri}/disk0`])
    await new Promise((resolve) => setTimeout(resolve, 1000))
    recording.child.kill('SIGINT')
    const { code, err } = await recording.done
    expect(code, err).toBe(0)
    const [, count, lost] = /recorded ([\d,]+) events from 1 process .* ([\d,]+) lost/.exec(err) ?? []
    expect(lost).toBe('0')
    const events = printed(output)
    expect(events).toHaveLength(Number(count?.replaceAll(',', '')))
    expect(events.length).toBeGreaterThan(20)
    for (const { fields } of events) {
      expect(Number(fields.length)).toBeGreaterThan(65536)
      expect(JSON.stringify(fields.op)).toContain('write')
    }
    expect(
      events.some(({ fields }) => Number(fields.length) === 102400),
      'what qemu-io wrote',
    ).toBe(true)
    expect((await ps())?.sessions).toEqual([])
    expect(await on()).toEqual([])
  },
)

each('blkin enable by name, level, exclusion and share; disable; rules', async () => {
  const enabled = await blkin(
    ...[
      'enable',
      'blockstore:*',
      '-p',
      `${name}*`,
      '--level',
      'info',
      '--exclude',
      '*:mapped',
      '--sample',
      '1/100',
    ],
  )
  expect(enabled.code, enabled.err).toBe(0)
  const events = await on()
  expect(events).toContain('request')
  expect(events).not.toContain('mapped')
  expect(events).not.toContain('copyup') // debug_module: not as severe
  const disabled = await blkin('disable', 'blockstore:reply', '-p', pid)
  expect(disabled.code, disabled.err).toBe(0)
  expect(await on()).toEqual(events.filter((event) => event !== 'reply'))
  const { out } = await blkin('rules')
  expect(out).toMatch(new RegExp(`on +blockstore:\\* +info +1/100 +\\*:mapped +- +standing, for ${name}\\*`))
  expect(out).toMatch(new RegExp(`^${name} \\(${pid}\\), session default$`, 'm'))
  expect(out).toMatch(/off +blockstore:reply/)
})

each('blkin tail prints events as they come, with contexts, and ^C detaches', async () => {
  const tail = startBlkin(['tail', '-p', pid, '-e', '*:*', '--context', 'span,tid'])
  await tail.says(/blockstore:request: [\s\S]*blockstore:reply: /)
  tail.child.kill('SIGINT')
  const { out } = await tail.done
  const line = out.split('\n').find((one) => one.includes('blockstore:request:'))
  expect(line).toMatch(
    new RegExp(
      `^\\[[\\d:.]+\\] \\(\\+.*\\) \\S+:${name}:\\(${pid}\\) blockstore:request: ` +
        `\\{ cpu_id = \\d+ \\}, \\{ span = 0x0, tid = ${pid} \\}, \\{ id = \\d+,`,
    ),
  )
  expect((await ps())?.sessions.map((session) => session.name)).toEqual(['default'])
})

each('blkin top tells the rate of each tracepoint, and the time from request to reply', async () => {
  const top = startBlkin(['top', '-p', pid, '--json'])
  await top.says(/"p50"[\s\S]*\n/)
  top.child.kill('SIGINT')
  const { out } = await top.done
  const last = out.trimEnd().split('\n').at(-1) as string
  expect(last).toContain('blockstore:request')
  expect(last).toMatch(/"p99"/)
})

each(
  'a filter on a field that is not there, a pattern that matches nothing, a pid that is not there',
  async () => {
    const filter = await blkin('enable', 'blockstore:request', '-p', pid, '--filter', 'lenght > 4')
    expect(filter.code).not.toBe(0)
    expect(filter.err).toContain('has no field "lenght"')
    expect(filter.err).toContain('did you mean "length"?')
    const pattern = await blkin('enable', 'blockstor:*', '-p', pid)
    expect(pattern.code).toBe(3)
    expect(pattern.err).toContain('blockstore:')
    await blkin('disable', 'blockstor:*', '-p', pid)
    const nobody = await blkin('list', '-p', '999999999')
    expect(nobody.code).not.toBe(0)
    expect(nobody.err).toContain('999999999')
  },
)
