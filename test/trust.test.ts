// test/trust.test.ts: what another user of this machine put where our folders and sockets are expected is told nothing, and gets
// nothing written through it. Most of it takes root, to be that other user.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { connectFleet } from '@blkin/relay'
import { expect, onTestFinished, test } from 'vitest'
import { blkin, cli, startBlkin, ticking } from './support/cli.js'
import { folderOf } from './support/control.js'
import { relay, until } from './support/relays.js'
import { cleanEnvironment, folder, privateShm, start } from './support/run.js'

const asRoot = test.skipIf(process.getuid?.() !== 0)
const stranger = 12345
const asStranger = ['setpriv', `--reuid=${stranger}`, `--regid=${stranger}`, '--clear-groups']

/** A folder where processes look for theirs, with one that another user made under root's name, and a socket in it. */
async function strangersFolder() {
  const base = folder()
  const user = join(base, 'blkin-0')
  const process = join(user, '4711-1')
  mkdirSync(process, { recursive: true, mode: 0o700 })
  let heard = 0
  const server = createServer(() => void heard++).listen(join(process, 'control'))
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  for (const path of [join(process, 'control'), process, user]) chownSync(path, stranger, stranger)
  return { base, user, process, heard: () => heard }
}

asRoot("no verb speaks to a socket in another user's folder, with a token or without", async () => {
  const { base, user, heard } = await strangersFolder()
  const env = { TMPDIR: base, BLKIN_TOKEN: 'secret' }
  const verbs = [
    ['ps', '-p', '4711'],
    ['enable', '*:*', '-p', '4711', '--to', '127.0.0.1:1'],
    ['tail', '-p', '4711'],
    ['record', '-p', '4711', '-e', '*:*', '-o', join(folder(), 'trace')],
  ]
  for (const verb of verbs) {
    const { err, code } = await startBlkin(verb, env).done
    expect(err).toContain(
      `blkin: left alone: ${user}: it belongs to uid ${stranger}; expected a folder of uid 0 alone\n`,
    )
    expect(code).toBe(3)
  }
  expect(heard()).toBe(0)
})

asRoot("nor to one in root's own folder that another user was given", async () => {
  const { base, user, process, heard } = await strangersFolder()
  chownSync(user, 0, 0)
  const told = async () =>
    (await startBlkin(['ps', '-p', '4711'], { TMPDIR: base, BLKIN_TOKEN: 's' }).done).err
  expect(await told()).toContain(`blkin: left alone: ${process}: it belongs to uid ${stranger}`)
  chownSync(process, 0, 0)
  expect(await told()).toContain(
    `${process}/control: it belongs to uid ${stranger}; expected a socket of uid 0 or root`,
  )
  expect(heard()).toBe(0)
})

asRoot("a standing rule writes nothing in another user's folder, and stands in the next", async () => {
  const [base, victim] = [folder(), join(folder(), 'victim')]
  writeFileSync(victim, 'untouched')
  const theirs = '/dev/shm/blkin-0'
  const names = ['standing.lock.$$', 'standing.lock', 'standing.$$.new']
  const links = names.map((name) => `ln -s ${victim} ${theirs}/${name}`).join(' && ')
  const also = `mkdir -m 700 ${theirs} && ${links} && chown -h ${stranger} ${theirs} ${theirs}/*`
  const [command = '', ...rest] = [...privateShm('1m', also), process.execPath, cli, 'enable', 'own:*']
  const child = spawn(command, rest, { env: { ...cleanEnvironment(), TMPDIR: base }, stdio: 'ignore' })
  await once(child, 'close')
  expect(readFileSync(victim, 'utf8')).toBe('untouched')
  expect(readdirSync(join(base, 'blkin-0'))).toEqual(['standing'])
  expect(statSync(join(base, 'blkin-0')).mode & 0o777).toBe(0o700)
})

asRoot('a standing rule goes through no link in our own folder either', async () => {
  const [base, victim] = [folder(), join(folder(), 'victim')]
  writeFileSync(victim, 'untouched')
  const own = '/dev/shm/blkin-0'
  const names = ['standing.lock.$$', 'standing.$$.new']
  const links = names.map((name) => `ln -s ${victim} ${own}/${name}`).join(' && ')
  const [command = '', ...rest] = [
    ...privateShm('1m', `mkdir -m 700 ${own} && ${links}`),
    ...[process.execPath, cli, 'enable', 'own:*'],
  ]
  const child = spawn(command, rest, { env: { ...cleanEnvironment(), TMPDIR: base }, stdio: 'ignore' })
  const [code] = await once(child, 'close')
  expect(code, 'the rule stands, and nobody runs').toBe(3)
  expect(readFileSync(victim, 'utf8')).toBe('untouched')
})

asRoot("a process makes no folder where others may rename it, nor in another user's", async () => {
  const theirs = folder()
  mkdirSync(join(theirs, 'blkin-0'), { mode: 0o700 })
  chownSync(join(theirs, 'blkin-0'), stranger, stranger)
  const open = folder()
  chownSync(open, stranger, stranger)
  const text = `
    import { provider, status } from 'blkin'
    provider('p', { e: {} })
    console.log(JSON.stringify(status().control))`
  const told = async (base: string, size: string) => {
    const ended = await start(text, { env: { TMPDIR: base }, before: privateShm(size) }).ended
    return JSON.parse(ended.stdout) as { error?: string; folder?: string }
  }
  expect(await told(theirs, '4k')).toMatchObject({
    error: expect.stringContaining('not a folder of this user alone'),
  })
  expect(await told(open, '4k')).toMatchObject({ error: `${open}: others may rename what is in it` })
  expect(readdirSync(open)).toEqual([])
})

asRoot('a process tells nothing to a relay’s socket behind which another user listens', async () => {
  const theirs = folder()
  chownSync(theirs, stranger, stranger)
  const path = join(theirs, 'relay')
  const text = `
    import { createServer } from 'node:net'
    createServer((socket) => {
      socket.on('data', () => console.log('heard')).on('error', () => {})
    }).listen(process.argv.at(-1), () => console.log('listening'))`
  const listener = spawn(
    asStranger[0]!,
    [...asStranger.slice(1), process.execPath, '--input-type=module', '-e', text, '--', path],
    { cwd: '/', env: { PATH: process.env.PATH }, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const ended = once(listener, 'close')
  onTestFinished(async () => {
    listener.kill('SIGKILL')
    await ended
  })
  let said = ''
  listener.stdout.setEncoding('utf8').on('data', (more: string) => {
    said += more
  })
  await until(() => said.includes('listening'))
  const env = { BLKIN_RELAY: `unix:${path}`, BLKIN_TOKEN: 'secret', BLKIN_ENABLE: '*:*' }
  const { output, pid } = await ticking({ env })
  const words = `who listens there is uid ${stranger}; expected uid 0 or root`
  await until(() => output().stderr.includes(words))
  expect((await blkin('ps', '-p', pid)).out).toContain(words)
  expect(said).toBe('listening\n')
})

asRoot('a process that is told nothing sends to the socket of its own user’s relay', async () => {
  const text = `
    import { flush, provider, status } from 'blkin'
    provider('p', { e: {} }).e()
    const stored = await flush(10_000)
    console.log(JSON.stringify({ stored, relay: status().sessions[0].relay }))`
  const both = [
    '"$NODE" "$CLI" relay --listen unix: -o "$OUT" & relay=$!',
    'until [ -S /dev/shm/blkin-0/relay-4650 ]; do sleep 0.02; done',
    'BLKIN_ENABLE="*:*" "$NODE" --input-type=module -e "$TEXT"; kill $relay; wait $relay',
  ].join('; ')
  const [command = '', ...rest] = [...privateShm('64m'), 'sh', '-c', both]
  const env = { ...cleanEnvironment(), NODE: process.execPath, CLI: cli, OUT: folder(), TEXT: text }
  const child = spawn(command, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    out += more
  })
  child.stderr.setEncoding('utf8').on('data', (more: string) => {
    err += more
  })
  await once(child, 'close')
  const address = 'unix:/dev/shm/blkin-0/relay-4650'
  expect(JSON.parse(out)).toMatchObject({ stored: true, relay: { address } })
  expect(err).toContain(`listening on ${address}, traces go to`)
  expect(err).toContain('recorded 1 event from 1 process')
})

test('a relay on loopback without a token: its user controls it by its socket, and nobody by the port', async () => {
  const running = startBlkin(['relay', '--listen', '127.0.0.1:0', '-o', folder(), '--json'])
  await running.says(/"socket":"unix:[^"]+"/)
  const shown = {
    listening: /"listening":"([^"]+)"/.exec(running.text())![1]!,
    socket: /"socket":"unix:([^"]+)"/.exec(running.text())![1]!,
  }
  await expect(connectFleet(shown.listening)).rejects.toMatchObject({ reason: 'TOKEN' })
  expect(statSync(shown.socket).mode & 0o777).toBe(0o600)
  expect((await blkin('enable', 'own:*', '--relay', shown.listening)).out).toMatch(
    /^rule \d+ own:\* for \*\n$/,
  )
  running.child.kill('SIGTERM')
  await running.done
  expect(existsSync(shown.socket)).toBe(false)
})

test('record speaks with its command’s programs by a socket that goes with it', async () => {
  const text = 'console.log(process.env.BLKIN_RELAY)'
  const { out } = await blkin(
    'record',
    '-o',
    join(folder(), 'trace'),
    '-e',
    '*:*',
    '--',
    process.execPath,
    '-e',
    text,
  )
  const [, path = ''] = /^unix:(.*)\n/.exec(out) ?? []
  expect(path).toMatch(/\/blkin-relay-\w+\/relay$/)
  expect(existsSync(join(path, '..'))).toBe(false)
})

test('the secret of a session is in no file that others read, and in no answer', async () => {
  const to = await relay()
  const running = await ticking({ env: to.env })
  await until(() => to.stats().processes.some(({ events }) => events > 0))
  const hello = join(await folderOf(running), 'default', 'hello')
  expect(statSync(hello).mode & 0o777).toBe(0o600)
  const bytes = readFileSync(hello)
  // Field 12, of 16 bytes: the last before the struct's end.
  const field = Buffer.from('0b000c00000010', 'hex')
  const at = bytes.indexOf(field)
  expect(at).toBe(bytes.length - 1 - 16 - field.length)
  const secret = bytes.subarray(at + field.length, bytes.length - 1)
  const [trace = ''] = readdirSync(to.output).filter((name) => !name.startsWith('.'))
  for (const name of readdirSync(join(to.output, trace)))
    expect(readFileSync(join(to.output, trace, name)).includes(secret), name).toBe(false)
})
