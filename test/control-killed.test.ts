// test/control-killed.test.ts: controllers killed at whatever point of a call: what was theirs goes, and nothing else; the
// process and the other controllers do not notice.
import { existsSync, readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { controllerOf, folderOf, mapped, spec } from './support/control.js'
import { freeAddress, relay, until } from './support/relays.js'
import { program, start } from './support/run.js'
import { recorded } from './support/trace.js'

async function idle() {
  const running = start(program('idle.mjs'), { stdin: 'pipe', timeout: 60_000 })
  await running.says('ready')
  let emitted = 0
  const emit = async (times: number) => {
    emitted += times
    running.child.stdin?.write('x'.repeat(times))
    await running.says(`emitted ${emitted}\n`)
  }
  return { ...running, emit, pid: running.child.pid as number, folder: await folderOf(running) }
}

/** A controller of its own process, which does `text` and then waits to be killed. */
async function controller(folder: string, text: string, session?: object) {
  const running = start(
    `import { connectControl } from '@blkin/relay'
     import { connect } from 'node:net'
     const [path, session] = process.argv.slice(-2)
     const spec = JSON.parse(session)
     setInterval(() => {}, 1000)
     const done = () => process.stdout.write('done')
     ${text}`,
    { args: [join(folder, 'control'), JSON.stringify(session ?? null)] },
  )
  await running.says('done')
  return {
    async kill() {
      running.child.kill('SIGKILL')
      await running.ended
    },
  }
}

/** Accepts and never answers. */
async function mute(): Promise<string> {
  const address = await freeAddress()
  const [, port] = address.split(':')
  const server = createServer((socket) => socket.on('error', () => {})).listen(Number(port), '127.0.0.1')
  onTestFinished(() => void server.close())
  return address
}

test('with half a frame sent: the process goes on, and another controller works', async () => {
  const traced = await idle()
  const other = await controllerOf(traced)
  for (const bytes of [
    '[0]',
    '[0, 0, 0]',
    '[0, 0, 0, 60]',
    '[0, 0, 0, 60, 128, 1, 0, 1, 0, 0, 0, 7, 112]',
    '[0, 31, 255, 255, 1]',
  ]) {
    const text = `const socket = connect(path, () => socket.write(Buffer.from(${bytes}), done))`
    const one = await controller(traced.folder, text)
    expect((await other.process()).pid).toBe(traced.pid)
    await one.kill()
    expect((await other.process()).sessions).toEqual([])
  }
})

test('after it opened an attached session: its rings, its memory and its folder go; other sessions stay', async () => {
  const to = await relay()
  const traced = await idle()
  const other = await controllerOf(traced)
  await other.openSession(spec('stays', to.address))
  await other.enable('stays', { pattern: 'idle:one' })
  const text = `const control = await connectControl(path)
    await control.openSession(spec)
    await control.enable(spec.name, { pattern: 'idle:*' })
    done()`
  const one = await controller(traced.folder, text, spec('goes', to.address, { attached: true }))
  await traced.emit(20)
  const rings = () => mapped(traced.pid, traced.folder).filter((path) => path.startsWith('goes'))
  expect(rings().length).toBeGreaterThan(1) // its state, and a ring at least
  await one.kill()
  await until(async () => (await other.process()).sessions.length === 1)
  await until(() => rings().length === 0)
  expect(readdirSync(traced.folder).sort()).toEqual(['alive', 'control', 'stays', 'tracepoints'])
  await traced.emit(10)
  expect(await other.flush('stays', 5000)).toBe(true)
  const { last } = await other.closeSession('stays', 5000)
  expect(last.events).toBe(30)
  const { events } = await recorded(to.output)
  // What it had recorded was delivered on its way out.
  expect(events.filter(({ trace }) => trace.uuid === last.uuid)).toHaveLength(30)
  expect(events.filter(({ trace }) => trace.uuid !== last.uuid)).toHaveLength(40)
})

test('while it waits in closeSession() for a relay that never answers: the session goes all the same', async () => {
  const traced = await idle()
  const other = await controllerOf(traced)
  const text = `const control = await connectControl(path)
    await control.openSession(spec)
    await control.enable(spec.name, { pattern: 'idle:*' })
    process.stdout.write('open')
    await new Promise((resolve) => setTimeout(resolve, 300))
    control.closeSession(spec.name, 600_000).catch(() => {})
    setTimeout(done, 100)`
  const one = controller(traced.folder, text, spec('waits', await mute(), { attached: true }))
  await until(async () => (await other.process()).sessions.length === 1)
  await traced.emit(5)
  await until(async () => (await other.process()).sessions.length === 0)
  await (await one).kill()
  await until(() => !existsSync(join(traced.folder, 'waits')))
  expect(mapped(traced.pid, traced.folder)).toEqual([])
  expect(await other.openSession(spec('waits', undefined))).toMatchObject({ spec: { name: 'waits' } })
})

test('while it floods the process with calls and reads no answer', async () => {
  const traced = await idle()
  const other = await controllerOf(traced)
  const text = `const socket = connect(path)
    // process(), again and again
    const call = Buffer.from('00000014' + '80010001' + '00000007' + Buffer.from('process').toString('hex') + '00000001' + '00', 'hex')
    const many = Buffer.concat(Array.from({ length: 4000 }, () => call))
    socket.on('error', () => {}).on('connect', () => { for (let i = 0; i < 20; i++) socket.write(many); done() })`
  const one = await controller(traced.folder, text)
  for (let i = 0; i < 20; i++) expect((await other.process()).pid).toBe(traced.pid)
  await one.kill()
  expect((await other.process()).pid).toBe(traced.pid)
})

test('a controller that sends a call and hangs up at once has its session taken away, not left behind', async () => {
  const traced = await idle()
  const other = await controllerOf(traced)
  const text = `for (let i = 0; i < 20; i++) {
      const control = await connectControl(path)
      void control.openSession({ ...spec, name: 'x' + i }).catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, i % 4))
      control.close()
    }
    done()`
  const one = await controller(traced.folder, text, spec('x', undefined, { attached: true }))
  await one.kill()
  await until(async () => (await other.process()).sessions.length === 0)
  await until(() => readdirSync(traced.folder).length === 3)
})
