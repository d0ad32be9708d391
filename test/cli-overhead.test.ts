// test/cli-overhead.test.ts: `blkin overhead` as a user types it. No time is judged, but by how far on differs from off: where it
// must, by what the program does, and where it cannot.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { costRows } from '../lib/cli/overhead/cost-states.js'
import { freePort } from '../scripts/lib/ports.mjs'
import { blkin, json, startBlkin, ticking } from './support/cli.js'
import { controllerOf } from './support/control.js'
import { until } from './support/relays.js'
import { folder, program } from './support/run.js'

interface Change {
  name: string
  by: string
  told: boolean
  low?: number
  high?: number
  values: { off: number[]; on: number[] }
}

interface Compared {
  measured: string
  patterns: string[]
  events: number
  eventsPerSecond: number
  failures: { how: string; off: number; on: number }[]
  changes: Change[]
}

const [node, overhead] = [process.execPath, program('overhead.mjs')]
const changeOf = ({ changes }: Compared, name: string) => changes.find((one) => one.name === name)!

describe('without a program', () => {
  test('each state is measured, is what it is called, and is drawn', async () => {
    const svg = join(folder(), 'costs.svg')
    const done = await blkin('overhead', '--rounds', '3', '--json', '--svg', svg)
    expect(done.err).toBe('')
    expect(done.code).toBe(0)
    interface Row {
      says: string
      p25: number
      median: number
      p75: number
    }
    const [{ rows }] = json<{ rows: Row[] }>(done) as [{ rows: Row[] }]
    expect(rows.map(({ says }) => says)).toEqual(costRows.map(({ says }) => says))
    const of = (says: string) => rows.find((one) => one.says === says)!.median
    const [off, live] = ['off', 'on, live to a relay'].map((state) => of(`tracepoint ${state}, 3 integers`))
    expect(live).toBeGreaterThan(off!)
    for (const { says } of rows) expect(readFileSync(svg, 'utf8')).toContain(`>${says}</text>`)
  }, 90_000)
})

describe('a command', () => {
  test('whose tracepoints are dear is told to be slower, and its output is shown once', async () => {
    const svg = join(folder(), 'changes.svg')
    const args = ['overhead', '--json', '--svg', svg, '--rounds', '6', '-e', 'overhead:*']
    const done = await blkin(...args, '--', node, overhead, 'dear')
    expect(done.err).toBe('dear has worked\n')
    expect(done.code).toBe(0)
    const [compared] = json<Compared>(done) as [Compared]
    expect(compared).toMatchObject({ measured: 'runs', patterns: ['overhead:*'], events: 4000, failures: [] })
    const cpu = changeOf(compared, 'processor time of a run')
    expect(cpu).toMatchObject({ told: true, by: 'percent' })
    expect(cpu.low).toBeGreaterThan(0)
    expect(cpu.values.on).toHaveLength(6)
    expect(readFileSync(svg, 'utf8')).toContain('>processor time of a run</text>')
  }, 90_000)

  test('whose tracepoints are never hit is not told to be slower', async () => {
    const told = async () => {
      const args = ['overhead', '--json', '--rounds', '6', '-e', 'overhead:never']
      const [compared] = json<Compared>(await blkin(...args, '--', node, overhead, 'never')) as [Compared]
      expect(compared.events).toBe(0)
      return compared.changes.some((one) => one.told)
    }
    // By chance it is told once in some twenty times; what is there is told each time.
    expect((await told()) && (await told()) && (await told())).toBe(false)
  }, 90_000)

  test('that fails is told of, and makes the exit code 1; too few rounds say how many are missing', async () => {
    const args = ['overhead', '--rounds', '1', '-e', 'overhead:never', '--', node, overhead, 'never']
    const { code, out, err } = await startBlkin(args, { OVERHEAD_EXIT: '7' }).done
    expect(code).toBe(1)
    expect(err).toContain('blkin: ended with exit code 7: 2 runs with them on, 2 runs with them off\n')
    expect(out).toMatch(
      /^measured: overhead:never, 1 round of a run with them on and one with them off, live to/,
    )
    expect(out).toContain('emitted: nothing: no tracepoint that is covered was hit\n')
    expect(out).toMatch(/\ntime of a run .* {2}- {2,}- {2}too few rounds to tell: 5 more rounds needed\n/)
  })

  test('that is none, or has no such tracepoint, is not measured', async () => {
    const none = await blkin('overhead', '-e', 'a:*', '--', 'no-such-command')
    expect(none).toEqual({ code: 1, out: '', err: 'blkin: no-such-command: no such command\n' })
    const { code, out, err } = await blkin('overhead', '-e', 'overhead:dera', '--', node, overhead, 'never')
    expect({ code, out }).toEqual({ code: 3, out: '' })
    expect(err).toContain('no tracepoint matches overhead:dera; nearest: overhead:dear')
  })
})

const patterns = ['blockstore:request', 'blockstore:reply', 'blockstore:mapped']

/** A process, and what is on in it, by name of tracepoint. */
async function target() {
  const running = await ticking({ rate: 1000 })
  const control = await controllerOf(running)
  await blkin('enable', 'blockstore:reply', '-p', running.pid, '--session', 'mine', '--mode', 'overwrite')
  const on = async () =>
    (await control.tracepoints()).map(({ tracepoint, on }) => [
      `${tracepoint.provider}:${tracepoint.event}`,
      on.map(({ session }) => session),
    ])
  const before = await on()
  expect(before.map(([name]) => name)).toEqual(patterns)
  return { ...running, on, before }
}

const ownFolders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('blkin-overhead-'))

describe('-p', () => {
  test('compares a process with itself, and leaves on what was on', async () => {
    const { pid, on, before } = await target()
    const args = ['overhead', '--json', '--time', '2400ms', '--rounds', '6']
    const done = await blkin(...args, '-p', pid, '-e', 'blockstore:*')
    expect(done.code).toBe(0)
    expect(done.err).toContain('on in session mine all the time: what is measured is one session more')
    const [compared] = json<Compared>(done) as [Compared]
    expect(compared.eventsPerSecond).toBeGreaterThan(0)
    expect(changeOf(compared, 'processor time a second').values.on).toHaveLength(6)
    expect(await on()).toEqual(before)
  })

  test.each(['SIGINT', 'SIGKILL'] as const)('stopped by %s leaves on what was on', async (signal) => {
    const { pid, on, before } = await target()
    const folders = ownFolders()
    const one = startBlkin(['overhead', '--time', '60s', '--rounds', '300', '-p', pid, '-e', 'blockstore:*'])
    await until(async () => (await on()).every(([, sessions]) => String(sessions).includes('overhead')))
    if (signal === 'SIGINT') await until(async () => !String(await on()).includes('overhead')) // a block is over
    one.child.kill(signal)
    const { code } = await one.done
    expect(code).toBe(signal === 'SIGKILL' ? null : code)
    await until(async () => JSON.stringify(await on()) === JSON.stringify(before))
    await until(() => ownFolders().every((name) => folders.includes(name)))
  })

  test('ends when the process ends, with what it has measured', async () => {
    const { pid, child } = await ticking({ rate: 1000 })
    const one = startBlkin(['overhead', '--time', '60s', '--rounds', '300', '-p', pid, '-e', 'blockstore:*'])
    await one.says('on and off in blocks of 100 ms')
    child.kill('SIGKILL')
    const { code, err } = await one.done
    expect(code).toBe(1)
    expect(err).toContain('a process that was measured has ended')
  })
})

describe('--url', () => {
  test('puts a server under load, tells what tracing costs a request, and leaves nothing of the server', async () => {
    const port = await freePort()
    const url = `http://127.0.0.1:${port}/`
    const args = ['overhead', '--json', '--time', '2400ms', '--rounds', '6', '-e', 'overhead:*', '--url', url]
    const shell = `'${node}' '${overhead}' serve ${port}; true` // which does not pass signals on
    const done = await blkin(...args, '--', 'sh', '-c', shell)
    expect(done.code, done.err).toBe(0)
    const [compared] = json<Compared>(done) as [Compared]
    expect(compared.measured).toBe('blocks')
    expect(changeOf(compared, 'processor time a request')).toMatchObject({ told: true, by: 'percent' })
    expect(changeOf(compared, 'processor time a request').low).toBeGreaterThan(0)
    expect(changeOf(compared, 'requests a second').high).toBeLessThan(0)
    expect(changeOf(compared, 'event loop delay, p99').values.on).toHaveLength(6)
    await expect(fetch(url)).rejects.toThrow('fetch failed')
  }, 90_000)

  test('a server that ends before it answers is quoted', async () => {
    const args = [
      'overhead',
      '-e',
      'a:*',
      '--url',
      'http://127.0.0.1:1/',
      '--',
      node,
      '-e',
      'throw "no room"',
    ]
    const { code, out, err } = await blkin(...args)
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(/it ended with exit code 1; it said:\n[\s\S]*no room/)
  })

  test('without autocannon it says what to install', async () => {
    const hook = join(folder(), 'hook.cjs')
    writeFileSync(
      hook,
      `const Module = require('node:module')
const resolve = Module._resolveFilename
Module._resolveFilename = (request, ...rest) => {
  if (request !== 'autocannon') return resolve(request, ...rest)
  throw Object.assign(new Error("Cannot find module 'autocannon'"), { code: 'MODULE_NOT_FOUND' })
}`,
    )
    const args = ['overhead', '-e', 'a:*', '--url', 'http://127.0.0.1:1/', '--', 'true']
    const { code, err } = await startBlkin(args, { NODE_OPTIONS: `--require ${hook}` }).done
    expect(err).toBe(
      'blkin: --url needs the package autocannon, which makes the load: npm install --save-dev autocannon\n',
    )
    expect(code).toBe(1)
  })
})

test.each([
  [
    ['-p', '1', '--', 'true'],
    '-p and a command do not go together: measure what runs already, or what is run',
  ],
  [['--', 'true'], '-e is missing; expected a pattern such as -e "blockstore:*"'],
  [['-e', 'a:*'], '--enable is about a program: expected -p TARGET, or a command behind --'],
  [['--url', 'http://a/'], '--url is about a program: expected -p TARGET, or a command behind --'],
  [['--url', 'ftp://a/'], '--url: "ftp://a/": expected a URL such as http://127.0.0.1:8080/cart'],
  [['--rounds', '0'], '--rounds: "0": expected a count from 1 to 1000'],
  [['--time', '3'], '--time: "3": expected a time such as 500ms, 10s, 5m or 1h'],
  [
    ['--svg', '/nowhere/a.svg'],
    "--svg /nowhere/a.svg: ENOENT: no such file or directory, open '/nowhere/a.svg'",
  ],
  [
    ['-p', '1', '-e', 'a:*', '--time', '1s'],
    '20 rounds take two blocks of 100 ms each: expected a --time of 4s at least',
  ],
])('%j is refused', async (args, words) => {
  expect(await blkin('overhead', ...args)).toEqual({ code: 2, out: '', err: `blkin: ${words}\n` })
})
