// test/control-folders.test.ts: folders of the dead beside those of the living: a pid used again, a folder copied, a process
// killed with its socket in place.
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectControl } from '@blkin/relay'
import { expect, onTestFinished, test } from 'vitest'
import { controllerOf, folderOf, spec, userFolder } from './support/control.js'
import { program, result, start } from './support/run.js'

async function idle(env: Record<string, string> = {}) {
  const running = start(program('idle.mjs'), { stdin: 'pipe', env, timeout: 60_000 })
  await running.says('ready')
  return { ...running, pid: running.child.pid as number, folder: await folderOf(running) }
}

async function killed() {
  const running = await idle()
  const control = await controllerOf(running)
  await control.openSession(spec('kept', undefined))
  await control.enable('kept', { pattern: '*:*' })
  running.child.stdin?.write('xxx')
  await running.says('emitted 3')
  running.child.kill('SIGKILL')
  await running.ended
  onTestFinished(() => rmSync(running.folder, { recursive: true, force: true }))
  return running
}

test('the socket of a killed process refuses, and nobody takes its folder for a living one', async () => {
  const dead = await killed()
  expect(existsSync(join(dead.folder, 'control'))).toBe(true)
  await expect(connectControl(join(dead.folder, 'control'))).rejects.toThrow('nobody listens there')
})

test('a process with the pid of a dead one has a folder of its own, and its own socket', async () => {
  const dead = await killed()
  const living = await idle()
  // What the dead one would have left, had it had this pid.
  const left = join(userFolder, `${living.pid}-1`)
  cpSync(dead.folder, left, { recursive: true, filter: (from) => !from.endsWith('/control') })
  onTestFinished(() => rmSync(left, { recursive: true, force: true }))
  const control = await connectControl(join(living.folder, 'control'))
  onTestFinished(() => control.close())
  expect(await control.process()).toMatchObject({ pid: living.pid, sessions: [] })
  await control.openSession(spec('kept', undefined))
  expect(readdirSync(living.folder).sort()).toEqual(['alive', 'control', 'kept', 'tracepoints'])
  living.child.stdin?.end()
  await living.ended
  expect(existsSync(living.folder)).toBe(false)
  expect(existsSync(join(left, 'kept')), 'what is not its own stays').toBe(true)
})

test('a name that is taken already, to the very start time: the process takes another', async () => {
  // The addon is loaded, and its folder made, when the program says so: time enough to take the name.
  const text = `
    import { mkdirSync, readFileSync, rmSync } from 'node:fs'
    import { provider, status } from 'blkin'
    const start = readFileSync('/proc/self/stat', 'utf8').replace(/^.*\\) /, '').split(' ')[19]
    const taken = process.argv.at(-1) + '/' + process.pid + '-' + start
    mkdirSync(taken, { mode: 0o700 })
    provider('p', { e: {} })
    const { folder, error } = status().control
    rmSync(taken, { recursive: true })
    console.log(JSON.stringify({ other: folder === taken + '-2', error }))`
  mkdirSync(userFolder, { recursive: true, mode: 0o700 })
  expect(await result(text, { args: [userFolder] })).toEqual({ other: true })
})

test('a folder whose path is too long for a socket: tracing goes on, and status() says why nobody can connect', async () => {
  const long = join('/tmp', 'x'.repeat(100))
  mkdirSync(long, { recursive: true })
  onTestFinished(() => rmSync(long, { recursive: true, force: true }))
  const text = `
    import { openSession, provider, status } from 'blkin'
    const { e } = provider('p', { e: {} })
    openSession('s', { relay: null }).enable('*:*')
    e()
    const { control, sessions } = status()
    console.log(JSON.stringify({ error: control.error, heads: sessions[0].buffers.rings.map(({ head }) => head) }))`
  const before = [
    'unshare',
    '-m',
    '--propagation',
    'private',
    'sh',
    '-c',
    'mount -t tmpfs -o size=4k tmpfs /dev/shm && exec "$@"',
    'sh',
  ]
  const told = await result<{ error: string; heads: number[] }>(text, { env: { TMPDIR: long }, before })
  expect(told.error).toMatch(/\/control: File name too long$/)
  expect(told.heads).toEqual([16])
})

test('files in the place of what a process would make there do it no harm', async () => {
  const odd = join(userFolder, 'not-a-process')
  mkdirSync(userFolder, { recursive: true, mode: 0o700 })
  writeFileSync(odd, 'nothing')
  onTestFinished(() => rmSync(odd, { force: true }))
  expect((await (await controllerOf(await idle())).process()).tracepoints).toBe(2)
})
