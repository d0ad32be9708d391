// test/cli-control.test.ts: the verbs that act on running processes, as a user types them: what they print, what they
// change in the process, and how they exit. Each test has processes of its own, under names of its own, since standing
// rules and folders are the user's and shared with whatever else runs.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { connectControl } from '@blkin/relay'
import { describe, expect, onTestFinished, test } from 'vitest'
import { blkin, json, startBlkin, ticking } from './support/cli.js'
import { relay, until } from './support/relays.js'
import { folder, start } from './support/run.js'
import { recorded } from './support/trace.js'

interface Ps {
  pid: number
  sessions: {
    name: string
    mode: string
    subBuffers: number
    contexts: string[]
    relay: string
    events: number
  }[]
}
interface ListedJson {
  pid: number
  provider: string
  event: string
  fields: { name: string; type: string }[]
  on: { session: string; pattern: string; origin: string }[]
}

const onIn = async (pid: string) =>
  json<ListedJson>(await blkin('list', '-p', pid, '--json'))
    .filter(({ on }) => on.length > 0)
    .map(({ event }) => event)

/** The folder that a traced process would have. */
function processFolder(name: string): string {
  const made = join('/dev/shm', `blkin-${process.getuid?.()}`, name)
  mkdirSync(made, { recursive: true, mode: 0o700 })
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
  return made
}

describe('blkin list and ps', () => {
  test('show a process that does nothing yet: its tracepoints, their levels, fields and types, all off', async () => {
    const { pid, name } = await ticking()
    const { code, out } = await blkin('list', '-p', pid)
    expect(code).toBe(0)
    expect(out).toContain(`${name} (${pid})\n`)
    expect(out).toMatch(
      /blockstore:request +info +off +id: u64, op: enum\(read, write, flush\), length: u32\n/,
    )
    expect(out).toMatch(/blockstore:mapped +debug_module +off +object: string, offset: u32\n/)
    const ps = await blkin('ps', '-p', name)
    expect(ps.out).toMatch(
      new RegExp(`^ *PID +NAME +UP +EVENTS/S +LOST +SESSION +RELAY\n *${pid} +${name} +\\d+s +0 +0 +-`),
    )
  })

  test('group processes of one program that have the same to show', async () => {
    const one = await ticking()
    const two = await ticking({ name: one.name })
    const { out } = await blkin('list', '-p', one.name, 'blockstore:re*')
    expect(out.match(/blockstore:request/g)).toHaveLength(1)
    expect(out).toContain(`${one.name} (${one.pid}, ${two.pid})`)
    expect(out).not.toContain('mapped')
  })

  test('tell the rate that the relay takes, and how the relay is', async () => {
    const { env } = await relay()
    const { pid } = await ticking({ env })
    await until(async () => {
      const [one] = json<Ps & { eventsPerSecond: number }>(await blkin('ps', '-p', pid, '--json'))
      return (one?.eventsPerSecond ?? 0) > 100
    })
    expect((await blkin('ps', '-p', pid)).out).toMatch(/default +connected\n$/)
  })

  test('answer also while the event loop of the process is blocked', async () => {
    const { pid } = await ticking({ how: 'block' })
    expect((await blkin('enable', 'blockstore:*', '-p', pid)).code).toBe(0)
    expect(await onIn(pid)).toEqual(['request', 'reply', 'mapped'])
  })
})

describe('blkin enable and disable', () => {
  test('a rule is given, shown with its parts, and taken back', async () => {
    const { pid } = await ticking()
    const given = [
      '-p',
      pid,
      '--level',
      'info',
      '--exclude',
      '*:reply',
      '--sample',
      '1%',
      '--filter',
      'length > 4096',
    ]
    const { code, out } = await blkin('enable', 'blockstore:*', ...given)
    expect(out).toBe(
      `${pid} (${out.split('(')[1]?.split(')')[0]}): rule 1 blockstore:*: 1 tracepoint covered, 1 on in session default\n`,
    )
    expect(code).toBe(0)
    expect((await blkin('rules', '-p', pid)).out).toMatch(
      /1 +on +blockstore:\* +info +1\/100 +\*:reply +length > 4096 +control\n/,
    )
    expect(await onIn(pid)).toEqual(['request'])
    expect((await blkin('disable', 'blockstore:request', '-p', pid)).code).toBe(0)
    expect(await onIn(pid)).toEqual([])
  })

  test('--exactly takes one level alone', async () => {
    const { pid } = await ticking()
    await blkin('enable', '*:*', '-p', pid, '--exactly', 'debug_module')
    expect(await onIn(pid)).toEqual(['mapped'])
  })

  test('what the environment says counts as a flag, and the flag over it', async () => {
    const { pid } = await ticking()
    const env = { BLKIN_EXACTLY: 'debug_module', BLKIN_EXCLUDE: '*:*' }
    const done = await startBlkin(['enable', '*:*', '-p', pid, '--json', '-x', '*:none'], env).done
    expect(json(done)[0]).toMatchObject({ pid: Number(pid), covered: 1, enabled: 1 })
  })

  test('a session is opened with its geometry and contexts, changed while it runs, and closed', async () => {
    const { address } = await relay()
    const { pid } = await ticking()
    const session = async () =>
      json<Ps>(await blkin('ps', '-p', pid, '--json'))[0]?.sessions.find(({ name }) => name === 'mine')
    const more = ['-p', pid, '--session', 'mine']
    await blkin(
      'enable',
      '*:*',
      ...more,
      '--to',
      address,
      '--buffer',
      '8x64K',
      '--mode',
      'block:5',
      '-c',
      'tid',
    )
    expect(await session()).toMatchObject({ relay: address, subBuffers: 8, mode: 'block', contexts: ['tid'] })
    await until(async () => ((await session())?.events ?? 0) > 0)
    await blkin('enable', '*:none', ...more, '--mode', 'discard')
    expect(await session()).toMatchObject({ subBuffers: 8, mode: 'discard', contexts: ['tid'] })
    const closed = await blkin('disable', ...more)
    expect(closed.out).toMatch(/session mine closed, [\d,]+ events? delivered\n$/)
    expect(await session()).toBeUndefined()
  })

  test("a session's settings in the environment do not change one that runs", async () => {
    const { pid } = await ticking()
    await blkin('enable', '*:*', '-p', pid, '--buffer', '2x64K')
    await startBlkin(['enable', '*:reply', '-p', pid], { BLKIN_BUFFER: '8x8K', BLKIN_MODE: 'overwrite' }).done
    const [state] = json<Ps>(await blkin('ps', '-p', pid, '--json'))
    expect(state?.sessions[0]).toMatchObject({ subBuffers: 2, mode: 'discard' })
  })

  test('by name it stands: who starts later has it too, until it is disabled', async () => {
    const first = await ticking()
    const { name } = first
    onTestFinished(async () => void (await blkin('disable', '*:*', '-p', `${name}*`)))
    await blkin('enable', 'blockstore:re*', '-p', `${name}*`)
    const later = await ticking({ name })
    expect(await onIn(first.pid)).toEqual(['request', 'reply'])
    expect(await onIn(later.pid)).toEqual(['request', 'reply'])
    expect((await blkin('rules', '-p', later.pid)).out).toContain(`standing, for ${name}*`)
    await blkin('disable', '*:*', '-p', `${name}*`)
    const last = await ticking({ name })
    expect([...(await onIn(first.pid)), ...(await onIn(last.pid))]).toEqual([])
  })

  test('a command that died with the standing rules in its hands keeps nobody from them', async () => {
    const lock = join('/dev/shm', `blkin-${process.getuid?.()}`, 'standing.lock')
    for (const left of ['', '999999999']) {
      const name = `none-${process.pid}-${left.length}`
      await until(() => {
        try {
          writeFileSync(lock, left, { flag: 'wx', mode: 0o600 })
          return true
        } catch {
          return false // another test's command has it at this moment
        }
      })
      const { code, err } = await blkin('enable', 'blockstore:*', '-p', name)
      expect(err).toContain('the rule stands for those that start')
      expect(code).toBe(3)
      await blkin('disable', 'blockstore:*', '-p', name)
    }
  })

  test('with a pid nothing stands', async () => {
    const { pid, name } = await ticking()
    await blkin('enable', '*:*', '-p', pid)
    expect(await onIn((await ticking({ name })).pid)).toEqual([])
  })
})

describe('blkin record -p', () => {
  test('attaches, filters, detaches whole, and leaves the process as it was', async () => {
    const { pid } = await ticking({ how: 'block' })
    await blkin('enable', '*:mapped', '-p', pid)
    const before = json<Ps>(await blkin('ps', '-p', pid, '--json'))[0]?.sessions.map(({ name }) => name)
    const output = join(folder(), 'trace')
    const filter = 'length > 65536 && op == "write"'
    const running = startBlkin([
      'record',
      '-p',
      pid,
      '-e',
      'blockstore:re*',
      '--filter',
      filter,
      '-o',
      output,
    ])
    await until(async () => existsSync(output) && (await recorded(output)).events.length > 10)
    running.child.kill('SIGINT')
    const { code, err } = await running.done
    expect(err).toMatch(
      /recording \d+ \(.*\): 2 tracepoints covered; \^C detaches\n.*recorded [\d,]+ events from 1 process/,
    )
    expect(code).toBe(0)
    const { events, lost } = await recorded(output)
    expect(events.every(({ fields }) => fields.op === 'write' && (fields.length as number) > 65536)).toBe(
      true,
    )
    expect(lost).toBe(0)
    expect(err).toContain(`recorded ${events.length.toLocaleString('en-US')} events`)
    expect(json<Ps>(await blkin('ps', '-p', pid, '--json'))[0]?.sessions.map(({ name }) => name)).toEqual(
      before,
    )
    expect(await onIn(pid)).toEqual(['mapped'])
  })

  test('several at once, for a time, with the summary as JSON', async () => {
    const one = await ticking()
    await ticking({ name: one.name })
    const output = join(folder(), 'trace')
    const done = await blkin('record', '-p', one.name, '-e', '*:*', '--for', '500ms', '-o', output, '--json')
    const [summary] = json<{ events: number; lost: number; traces: unknown[] }>(done)
    expect(summary?.traces).toHaveLength(2)
    expect((await recorded(output)).events).toHaveLength(summary?.events ?? -1)
  })

  test('ends with the processes, and recovers what a killed one left', async () => {
    const { pid, child } = await ticking({ rate: 20_000 })
    const output = join(folder(), 'trace')
    const running = startBlkin(['record', '-p', pid, '-e', '*:*', '-o', output])
    await until(async () => existsSync(output) && (await recorded(output)).events.length > 1000)
    child.kill('SIGKILL')
    const { code, err } = await running.done
    expect(err).toContain('all of them have ended')
    expect(code).toBe(0)
    const { events, lost } = await recorded(output)
    const ids = events
      .filter(({ tracepoint }) => tracepoint.event === 'request')
      .map(({ fields }) => Number(fields.id))
    expect(ids.every((id, i) => i === 0 || id === (ids[i - 1] as number) + 1)).toBe(lost === 0)
  })

  test('a killed record leaves nothing behind in the process', async () => {
    const { pid } = await ticking()
    const running = startBlkin(['record', '-p', pid, '-e', '*:*', '-o', join(folder(), 'trace')])
    await running.says('covered')
    running.child.kill('SIGKILL')
    await running.done
    await until(async () => json<Ps>(await blkin('ps', '-p', pid, '--json'))[0]?.sessions.length === 0)
  })

  test.skipIf(process.getuid?.() !== 0)(
    'a process that does not reach the command is told, and not attached to',
    async () => {
      const text = `
      import koffi from 'koffi'
      import { provider } from 'blkin'
      const { e } = provider('p', { e: {} })
      e()
      koffi.load(null).func('int chroot(const char *)')(process.argv.at(-1))
      console.log('elsewhere')
      setInterval(e, 10)`
      const running = start(text, { args: [folder()] })
      await running.says('elsewhere')
      const pid = String(running.child.pid)
      const { code, err } = await blkin('record', '-p', pid, '-e', '*:*', '-o', join(folder(), 'trace'))
      expect(err).toMatch(/ does not reach this command's relay: connect: No such file or directory/)
      expect(err).toContain('no process could be attached to')
      expect(code).toBe(1)
      expect(json<Ps>(await blkin('ps', '-p', pid, '--json'))[0]?.sessions).toEqual([])
    },
  )

  test('what a killed one had in the file system the next one removes', async () => {
    const { pid } = await ticking()
    const socketOf = async () =>
      json<Ps>(await blkin('ps', '-p', pid, '--json'))[0]?.sessions[0]?.relay.replace('unix:', '') as string
    const killed = startBlkin(['tail', '-p', pid])
    await until(async () => existsSync(await socketOf()))
    const left = await socketOf()
    killed.child.kill('SIGKILL')
    await killed.done
    expect(existsSync(left)).toBe(true)
    const next = startBlkin(['tail', '-p', pid])
    await until(() => !existsSync(dirname(left)))
    await until(async () => existsSync(await socketOf()))
    const own = await socketOf()
    next.child.kill('SIGINT')
    await next.done
    expect(existsSync(dirname(own))).toBe(false)
  })
})

describe('what is wrong is said so that a person can act', () => {
  test.each([
    ['a process that is not there', ['ps', '-p', '999999999'], /there is no process 999999999; y/],
    ['one that does not trace', ['ps', '-p', '1'], /process 1 \(.*\) is not traced|is another user's \(uid/],
    [
      'a name that none has',
      ['enable', 'a:b', '-p', 'no-such-program-at-all', '--session', 's'],
      /no traced process is named "no-such-program-at-all"/,
    ],
  ])('%s', async (_, args, words) => {
    const { code, err } = await blkin(...args)
    expect(err).toMatch(words)
    expect(code).toBe(3)
  })

  test('a pattern that nothing matches, with the nearest names; the rule stands all the same', async () => {
    const { pid } = await ticking()
    const { code, err } = await blkin('enable', 'blockstor:request', '-p', pid)
    expect(err).toBe(
      'blkin: no tracepoint matches blockstor:request; nearest: blockstore:request; the rule stands for later ones\n',
    )
    expect(code).toBe(3)
    expect((await blkin('list', '-p', pid, 'nothing:*')).err).toBe(
      'blkin: no tracepoint matches nothing:*; there are blockstore:*\n',
    )
  })

  test('a name that is nearly right', async () => {
    const { name } = await ticking()
    const { err } = await blkin('ps', '-p', `${name.slice(0, -1)}x`)
    expect(err).toContain('nearest: ticking-')
  })

  test('a filter that fits nothing, with the column and a caret, and nothing is changed', async () => {
    const { pid } = await ticking()
    const { code, err } = await blkin(
      'enable',
      'blockstore:re*',
      '-p',
      pid,
      '--filter',
      'id > 1 && lenth > 5',
    )
    expect(err).toContain(
      'blockstore:request has no field "lenth"; it has id, op, length (did you mean "length"?)',
    )
    expect(err).toContain('column 11')
    expect(err).toMatch(/\n {2}id > 1 && lenth > 5\n {12}\^\n$/)
    expect(code).toBe(2)
    expect((await blkin('rules', '-p', pid)).out).not.toContain('blockstore')
  })

  test('a filter is judged by what the rule covers: its level and what it excludes count', async () => {
    const { pid } = await ticking()
    const more = ['-p', pid, '--filter', 'offset > 5'] // of blockstore:mapped alone, which is debug_module
    for (const flags of [
      ['-l', 'info'],
      ['--exactly', 'info'],
      ['-x', '*:mapped'],
    ])
      expect(await blkin('enable', 'blockstore:*', ...more, ...flags)).toMatchObject({
        code: 2,
        err: expect.stringContaining('has no field "offset"'),
      })
    expect((await blkin('enable', 'blockstore:*', ...more, '--exactly', 'debug_module')).code).toBe(0)
  })

  test('a filter that every process refuses stands for nobody, and a rule that stood before stands on', async () => {
    const { name } = await ticking()
    onTestFinished(async () => void (await blkin('disable', '*:*', '-p', name)))
    const standing = async () =>
      json<{ target?: string; filter?: string }>(await blkin('rules', '--json'))
        .filter((rule) => 'standing' in rule && rule.target === name)
        .map(({ filter }) => filter)
    const enable = (filter: string) => blkin('enable', 'blockstore:request', '-p', name, '--filter', filter)
    const unknown = await enable('$ctx.mood > 1')
    expect(unknown).toMatchObject({ code: 1, err: expect.stringContaining('mood') })
    expect(await standing()).toEqual([])
    const field = await enable('$ctx.mood > 1 && lenth > 1')
    expect(field).toMatchObject({ code: 2, err: expect.stringContaining('no field "lenth"') })
    await enable('length > 1')
    await enable('$ctx.mood > 1')
    expect(await standing()).toEqual(['length > 1'])
  })

  test('a session that was opened for a rule that is refused is closed again', async () => {
    const { pid } = await ticking()
    const filter = ['--filter', '$ctx.mood > 1']
    expect((await blkin('enable', '*:request', '-p', pid, '--session', 'mine', ...filter)).code).toBe(1)
    expect(json<Ps>(await blkin('ps', '-p', pid, '--json'))[0]?.sessions).toEqual([])
  })

  test('record with a filter that fits nothing leaves no folder', async () => {
    const { pid } = await ticking()
    const output = join(folder(), 'trace')
    const { code } = await blkin('record', '-p', pid, '-e', '*:*', '-o', output, '--filter', 'lenth > 5')
    expect({ code, there: existsSync(output) }).toEqual({ code: 2, there: false })
  })

  test('a process that has no place for one more controller is not called dead', async () => {
    const { pid } = await ticking()
    const base = join('/dev/shm', `blkin-${process.getuid?.()}`)
    const found = readdirSync(base).find((one) => one.startsWith(`${pid}-`)) as string
    const controls = await Promise.all(
      Array.from({ length: 16 }, () => connectControl(join(base, found, 'control'))),
    )
    onTestFinished(() => {
      for (const control of controls) control.close()
    })
    await Promise.all(controls.map((control) => control.process()))
    const { code, err } = await blkin('ps', '-p', pid)
    expect(err).toMatch(new RegExp(`^blkin: ${pid} \\(.+\\).*16 controllers`))
    expect(err).toContain(`process ${pid} is traced, but takes no orders now`)
    expect(code).toBe(1)
  })

  test('one that closes every connection at once is told', async () => {
    const folder = processFolder('999999998-1')
    const server = createServer((socket) => void socket.destroy())
    await new Promise<void>((resolve) => void server.listen(join(folder, 'control'), resolve))
    onTestFinished(() => void server.close())
    expect(await blkin('ps', '-p', '999999998')).toMatchObject({
      code: 1,
      err: expect.stringContaining('999999998 (?) took no connection (it may have 16 controllers already)'),
    })
  })

  test('rules of programs of which none runs', async () => {
    const { code, err } = await blkin('rules', '-p', 'no-such-program-at-all')
    expect(err).toContain('no traced process is named "no-such-program-at-all"')
    expect(code).toBe(3)
  })

  test('a filter that does not fit some: they are named, the others are on', async () => {
    const { pid } = await ticking()
    const { code, err } = await blkin('enable', 'blockstore:*', '-p', pid, '--filter', 'length > 5')
    expect(err).toMatch(/^blkin: the filter does not fit blockstore:mapped: .*no field "length"/)
    expect(code).toBe(0)
    expect(await onIn(pid)).toEqual(['request', 'reply'])
  })

  test('a relay that is away, with what to start', async () => {
    const { code, err } = await blkin('ps', '--relay', '127.0.0.1:1')
    expect(err).toBe(
      'blkin: the relay is away: 127.0.0.1:1: nobody listens there; start one there: blkin relay --listen 127.0.0.1:1\n',
    )
    expect(code).toBe(1)
  })

  test('flags that are none, with exit code 2', async () => {
    const refused: [string[], RegExp][] = [
      [['enable', 'blockstore'], /PATTERN: pattern "blockstore": expected provider:event/],
      [['enable', 'a:b', '--sample', '0'], /--sample: sample "0": expected a share such as/],
      [['enable', 'a:b', '--mode', 'fast'], /--mode: mode "fast": expected discard, overwrite, block/],
      [['enable', 'a:b', '--filter', 'x >'], /--filter: filter "x >": column 4/],
      [['enable', 'a:b', '--to', 'here'], /--to: "here": expected HOST:PORT/],
      [['enable', 'a:b', '-l', 'info', '--exactly', 'info'], /cannot be used with option/],
      [['disable'], /expected a pattern such as .*, or --session NAME/],
      [
        ['record', '-e', 'a:b', '-p', '1', '--for', '5', '-o', '/tmp/x'],
        /--for: "5": expected a time such as/,
      ],
      [['record', '-e', 'a:b', '-p', '1', '--', 'true'], /-p and a command do not go together/],
      [['top', '--pair', 'a:b'], /--pair: "a:b": expected PROVIDER:BEGIN,PROVIDER:END/],
    ]
    for (const [args, words] of refused) {
      const { code, err } = await blkin(...args)
      expect(err, args.join(' ')).toMatch(words)
      expect(code, args.join(' ')).toBe(2)
    }
  })

  test('one that does not answer is told, and does not keep the others', async () => {
    const { pid, name } = await ticking()
    const made = processFolder('999999998-1')
    const server = createServer(() => {}).listen(join(made, 'control'))
    onTestFinished(() => void server.close())
    const { code, out, err } = await blkin('ps', '-p', name)
    expect(err).toMatch(
      /process 999999998 did not answer within 2000 ms; it may be stopped \(.*999999998-1\)\n$/,
    )
    expect(out).toContain(pid)
    expect(code).toBe(0)
  })

  test('a process that is stopped: it is told so once, and that is a failure', async () => {
    const { pid, name, child } = await ticking()
    child.kill('SIGSTOP')
    for (const [target, verb] of [
      [pid, 'tail'],
      [name, 'list'],
    ] as const) {
      const { code, out, err } = await blkin(verb, '-p', target)
      expect(
        err.match(new RegExp(`process ${pid} did not answer within 2000 ms; it may be stopped`, 'g')),
        err,
      ).toHaveLength(1)
      expect(err).not.toContain('is not traced')
      expect(out).toBe('')
      expect(code).toBe(1)
    }
    child.kill('SIGCONT')
    expect((await blkin('ps', '-p', pid)).code).toBe(0)
  })

  test('what a dead process left, its pid living again as another, is no process', async () => {
    processFolder(`${process.pid}-1`)
    const { code, err } = await blkin('ps', '-p', String(process.pid))
    expect(err).toMatch(/is not traced/)
    expect(code).toBe(3)
  })
})
