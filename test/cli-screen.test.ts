// test/cli-screen.test.ts: tail and top as terminal programs: what a screen of a given size shows, what keys and resizes
// do, what is left on it afterwards; and what a terminal or pipe that nobody reads does to them and to the process.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { blkin, cli, json, startBlkin, ticking } from './support/cli.js'
import { until } from './support/relays.js'
import { terminal } from './support/tmux.js'
import { describeWith } from './support/tools.js'

const blkinIn = (...args: string[]) => `${process.execPath} ${cli} ${args.join(' ')}`

interface Ps {
  lost: number
  sessions: { name: string }[]
}
const sessionsOf = async (pid: string) =>
  json<Ps>(await blkin('ps', '-p', pid, '--json'))[0]?.sessions.map(({ name }) => name)

/** For what waits until many events have passed, however busy the machine is. */
const slow = 120_000

/** Memory that the process has, in MB. */
const memory = (pid: number | undefined) =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

/** How often it has ticked, by the id of an event that is recorded now. */
async function idOf(pid: string): Promise<number> {
  const tail = startBlkin(['tail', '-p', pid, '-e', '*:request', '--json'])
  await tail.says(/"id":\d+/)
  tail.child.kill('SIGINT')
  return Number(/"id":(\d+)/.exec((await tail.done).out)?.[1])
}

test('tail prints lines in the manner of babeltrace2, with contexts, and ^C leaves the process as it was', async () => {
  const { pid, name } = await ticking()
  const tail = startBlkin(['tail', '-p', pid, '-e', 'blockstore:request', '--context', 'span,tid'])
  await tail.says(/\n.*\n/)
  tail.child.kill('SIGINT')
  const { code, out, err } = await tail.done
  const [first, second] = out.split('\n')
  const context = `\\{ span = 0x0, tid = ${pid} \\}`
  const line = `\\S+:${name}:\\(${pid}\\) blockstore:request: \\{ cpu_id = \\d+ \\}, ${context}, \\{ id = \\d+, op = .*, length = \\d+ \\}`
  expect(first).toMatch(new RegExp(`^\\[\\d\\d:\\d\\d:\\d\\d\\.\\d{9}\\] \\(\\+\\?\\.\\?{9}\\) ${line}$`))
  expect(second).toMatch(new RegExp(`^\\[\\S+\\] \\(\\+\\d+\\.\\d{9}\\) ${line}$`))
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(await sessionsOf(pid)).toEqual([])
})

test('tail --json prints what view --json prints, and a filter holds', async () => {
  const { pid } = await ticking()
  const tail = startBlkin(['tail', '-p', pid, '-e', '*:re*', '--filter', 'op == "write"', '--json'])
  await tail.says(/\n.*\n/)
  tail.child.kill('SIGTERM')
  const events = json<{ fields: { op: string } }>(await tail.done)
  expect(events[0]).toMatchObject({
    pid: Number(pid),
    provider: 'blockstore',
    level: 'info',
    fields: { op: 'write' },
  })
  expect(events.every(({ fields }) => fields.op === 'write')).toBe(true)
})

test('a reader of tail that goes away ends it quietly, with the code of SIGPIPE', async () => {
  const { pid } = await ticking()
  const tail = startBlkin(['tail', '-p', pid])
  await tail.says('blockstore')
  tail.child.stdout!.destroy()
  expect(await tail.done).toMatchObject({ code: 141, err: '' })
  expect(await sessionsOf(pid)).toEqual([])
})

test('a reader of tail that stops costs lines, which are counted; nothing grows, and the process goes on', async () => {
  const { pid } = await ticking({ rate: 20_000 })
  const tail = startBlkin(['tail', '-p', pid])
  await tail.says('blockstore')
  tail.child.stdout!.pause()
  const [before, idBefore] = [memory(tail.child.pid), await idOf(pid)]
  await until(async () => (await idOf(pid)) > idBefore + 60_000)
  expect(memory(tail.child.pid) - before).toBeLessThan(60)
  tail.child.stdout!.resume()
  await tail.says(/… [\d,]+ events dropped: the terminal is slow/)
  tail.child.kill('SIGINT')
  expect((await tail.done).code).toBe(0)
  expect(json<Ps>(await blkin('ps', '-p', pid, '--json'))[0]?.lost).toBe(0)
})

test('top without a terminal prints a table a second, as text and as JSON', async () => {
  const { pid, name } = await ticking()
  const text = startBlkin(['top', '-p', pid])
  await text.says(/reply\n\n/)
  text.child.kill('SIGINT')
  const { code, out } = await text.done
  expect(code).toBe(0)
  expect(out).toMatch(
    new RegExp(
      `^blkin top: ${pid} \\(${name}\\) \\| 1 session \\| relay connected \\| \\S+ events/s \\| 0 lost\\n\\n`,
    ),
  )
  expect(out).toMatch(/\nblockstore:request +\d+ +\d+ +[▁-█]+ +\S+[um]s +\S+[um]s {2}reply\n/)
  const raw = startBlkin(['top', '-p', pid, '--json', '--pair', 'blockstore:request,blockstore:mapped'])
  await raw.says(/"p99":\d+.*\n/)
  raw.child.kill('SIGTERM')
  const last = json<{ tracepoints: object[] }>(await raw.done).at(-1)
  expect(last?.tracepoints).toContainEqual(
    expect.objectContaining({ tracepoint: 'blockstore:request', until: 'blockstore:mapped' }),
  )
})

describeWith(['tmux'], 'in a terminal', () => {
  test('top takes the whole screen, follows its size, and gives it back', async () => {
    const { pid, name } = await ticking()
    const screen = terminal(80, 12)
    screen.type('echo before', 'Enter')
    await screen.shows(/^before$/m)
    screen.type(blkinIn('top', '-p', pid), 'Enter')
    await screen.shows(/blockstore:request +\d+ +\d+ .* reply$/m)
    const shown = screen.screen()
    expect(shown[0]).toMatch(new RegExp(`^blkin top: ${pid} \\(${name}\\)`))
    expect(shown[2]).toMatch(/^TRACEPOINT +RATE\/S +TOTAL +LAST 30 S +P50 +P99 +UNTIL/)
    expect(shown.filter((line) => line.startsWith('blockstore:'))).toHaveLength(3)
    screen.resize(60, 6)
    await screen.shows(/and 2 more/)
    expect(screen.screen().every((line) => line.length <= 60)).toBe(true)
    screen.resize(120, 20)
    await until(() => screen.screen().filter((line) => line.startsWith('blockstore:')).length === 3)
    screen.type('q')
    await screen.shows(/^before$/m)
    screen.type('echo after $?', 'Enter')
    await screen.shows(/^after 0$/m)
    expect(screen.screen().join('\n')).not.toContain('RATE/S')
    expect(await sessionsOf(pid)).toEqual([])
  })

  test('top that is ended by ^C gives the screen back, and echo with it', async () => {
    const { pid } = await ticking()
    const screen = terminal(80, 12)
    screen.type(blkinIn('top', '-p', pid), 'Enter')
    await screen.shows('RATE/S')
    screen.type('C-c')
    await until(() => !screen.screen().join('\n').includes('RATE/S'))
    screen.type('echo seen', 'Enter')
    await screen.shows(/^seen$/m)
    expect(screen.screen().join('\n')).not.toContain('RATE/S')
    expect(await sessionsOf(pid)).toEqual([])
  })

  test(
    'tail in a terminal that nobody reads drops lines, keeps its memory and the process, and says so',
    async () => {
      const { pid } = await ticking({ rate: 20_000 })
      const screen = terminal(100, 20)
      screen.type(`echo pid $$; ${blkinIn('tail', '-p', pid)}`, 'Enter')
      await screen.shows('blockstore:')
      const ps = await blkin('ps', '-p', pid, '--json')
      const tailPid = Number(/"tail-(\d+)"/.exec(ps.out)?.[1])
      const kept = screen.keeps('events dropped')
      screen.server.stop()
      const [before, idBefore] = [memory(tailPid), await idOf(pid)]
      await until(async () => (await idOf(pid)) > idBefore + 20_000)
      expect(memory(tailPid) - before).toBeLessThan(60)
      screen.server.go()
      await until(() => /… [\d,]+ events dropped: the terminal is slow/.test(kept()))
      screen.type('C-c')
      await until(async () => (await sessionsOf(pid))?.length === 0)
      expect(json<Ps>(await blkin('ps', '-p', pid, '--json'))[0]?.lost).toBe(0)
    },
    slow,
  )

  test(
    'a command in a terminal that nobody reads can still be ended',
    async () => {
      const { pid } = await ticking({ rate: 20_000 })
      const screen = terminal(100, 20)
      screen.type(blkinIn('tail', '-p', pid), 'Enter')
      await screen.shows('blockstore:')
      const tailPid = Number(/"tail-(\d+)"/.exec((await blkin('ps', '-p', pid, '--json')).out)?.[1])
      screen.server.stop()
      const idBefore = await idOf(pid)
      await until(async () => (await idOf(pid)) > idBefore + 30_000)
      process.kill(tailPid, 'SIGTERM')
      await until(async () => (await sessionsOf(pid))?.length === 0)
      screen.server.go()
    },
    slow,
  )
})
