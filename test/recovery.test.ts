// test/recovery.test.ts: what killed processes leave is brought to their relay whole, or counted as lost: whoever starts
// meanwhile, by whatever name they knew the relay, whoever ran them, and whatever else lies in their folders.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { freePort } from '../scripts/lib/ports.mjs'
import { cli, startBlkin, ticking } from './support/cli.js'
import { userFolder } from './support/control.js'
import { freeAddress, until } from './support/relays.js'
import { folder, lastJson, program, type RunOptions, run, start } from './support/run.js'
import { describeWith } from './support/tools.js'
import { recorded } from './support/trace.js'

/** A program that emits so many events and is killed by itself; none of them has left its rings unless a relay is there. */
async function killed(relay: string, options: RunOptions = {}, events = 200): Promise<number> {
  const env = { BLKIN_RELAY: relay, BLKIN_ENABLE: '*:*', BLKIN_BUFFER: '4x64K', ...options.env }
  const ended = await run(program('burst.mjs'), { ...options, args: [String(events), 'kill'], env })
  expect(ended.signal ?? ended.code, ended.stderr).toMatch(/SIGKILL|137/)
  return lastJson<{ emitted: number }>(ended).emitted
}

/** Starts `blkin relay` there, and ends it once it has so many events, recorded or lost. */
async function collected(listen: string, events: number, flags: string[] = [], output = folder()) {
  const running = startBlkin(['relay', '-l', listen, '-o', output, ...flags])
  await running.says('listening on')
  const sum = async () => {
    const { events: found, lost } = await recorded(output)
    return found.length + lost
  }
  await until(async () => (await sum()) >= events)
  running.child.kill('SIGTERM')
  expect(await running.done).toMatchObject({ code: 0 })
  expect(await sum()).toBe(events)
  return recorded(output)
}

const folders = () => (existsSync(userFolder) ? readdirSync(userFolder) : [])

test('processes that start keep what a dozen dead ones left: all of it comes to the relay', async () => {
  const address = await freeAddress()
  let emitted = 0
  for (let i = 0; i < 12; i++) emitted += await killed(address)
  for (let i = 0; i < 2; i++)
    await run("import { provider } from 'blkin'; provider('newer', { e: {} })", {
      env: { BLKIN_RELAY: await freeAddress() },
    })
  const { lost } = await collected(address, emitted)
  expect(lost).toBe(0)
}, 60_000)

test('a relay is itself by every name that reaches it', async () => {
  const port = await freePort()
  let emitted = 0
  for (const host of ['localhost', '[::1]', '127.0.0.1', '127.0.0.2'])
    emitted += await killed(`${host}:${port}`, { env: { BLKIN_TOKEN: 'secret' } })
  await collected(`[::]:${port}`, emitted, ['--token', 'secret'])
}, 60_000)

test('and no other: one that listens elsewhere leaves the folder as it is', async () => {
  const [address, other] = [await freeAddress(), await freeAddress()]
  const before = folders()
  const emitted = await killed(address)
  const left = folders().filter((name) => !before.includes(name))
  await collected(other, await killed(other))
  expect(folders()).toEqual(expect.arrayContaining(left))
  await collected(address, emitted)
  expect(folders()).not.toEqual(expect.arrayContaining(left))
}, 60_000)

describeWith(['unshare -n'], 'a recording of what runs already', () => {
  test('takes nothing that was left for a port, though there are only two to choose from', async () => {
    const ports = [40_000, 40_001] // of a network of their own
    const before = folders()
    for (const port of ports) await killed(`127.0.0.1:${port}`)
    const left = folders().filter((name) => !before.includes(name))
    onTestFinished(() => {
      for (const name of left) rmSync(join(userFolder, name), { recursive: true, force: true })
    })
    const { pid } = await ticking()
    const output = join(folder(), 'trace')
    const network = `echo ${ports.join(' ')} > /proc/sys/net/ipv4/ip_local_port_range && ip link set lo up`
    const recording = start(cli, {
      args: ['record', '-p', pid, '-e', '*:*', '--for', '300ms', '-o', output],
      before: ['unshare', '-n', 'sh', '-c', `${network} && exec "$@"`, 'sh'],
    })
    const { stderr } = await recording.ended
    const { events } = await recorded(output)
    const providers = new Set(events.map(({ tracepoint }) => tracepoint.provider))
    expect(providers, stderr).toEqual(new Set(['blockstore']))
    expect(folders()).toEqual(expect.arrayContaining(left))
  })
})

describeWith(['prlimit'], 'a relay that can store nothing more', () => {
  test('ends by SIGTERM while it recovers, and the next one goes on', async () => {
    const address = await freeAddress()
    let emitted = 0
    for (let i = 0; i < 6; i++) emitted += await killed(address, {}, 1000)
    const output = folder()
    const full = start(cli, {
      args: ['relay', '-l', address, '-o', output],
      before: ['prlimit', '--fsize=9000'],
      timeout: 60_000,
    })
    const hasBegun = () => readdirSync(output).some((name) => !name.startsWith('.')) // a trace
    await until(() => full.output().stderr.includes('listening on') && hasBegun())
    full.child.kill('SIGTERM')
    // Each of the six would have its share of 10 s.
    expect(await full.ended).toMatchObject({ signal: null, stderr: expect.not.stringContaining('not all') })
    await collected(address, emitted, [], output)
  }, 60_000)
})

describeWith(['setpriv'], 'a relay of root', () => {
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
  test.skipIf(process.getuid?.() !== 0)("recovers other users' processes too", async () => {
    const address = await freeAddress()
    const emitted = await killed(address, { before: nobody })
    await collected(address, emitted)
    expect(readdirSync('/dev/shm/blkin-65534')).toEqual([])
  })

  test.skipIf(process.getuid?.() !== 0)('with a token takes of others only what showed it', async () => {
    const address = await freeAddress()
    const theirs = await killed(address, { before: nobody, env: { BLKIN_TOKEN: 'none' } })
    const own = await killed(address)
    await collected(address, own, ['--token', 'secret'])
    expect(readdirSync('/dev/shm/blkin-65534')).toHaveLength(1)
    await collected(address, theirs)
  })
})

describeWith(['gcc'], 'a child of fork(2) that never calls exec', () => {
  test('does not keep its dead parent from being recovered', async () => {
    const address = await freeAddress()
    const library = join(folder(), 'fork.so')
    execFileSync('gcc', ['-shared', '-fPIC', '-o', library, program('fork.c')])
    const text = `
      import { provider } from 'blkin'
      import koffi from 'koffi'
      const { e } = provider('p', { e: {} })
      for (let n = 0; n < 10; n++) e()
      const child = koffi.load(process.argv.at(-1)).func('int fork_idle()')()
      console.log(JSON.stringify({ child }))
      setInterval(() => {}, 1000)`
    const running = start(text, { args: [library], env: { BLKIN_RELAY: address, BLKIN_ENABLE: '*:*' } })
    await running.says('child')
    const { child } = JSON.parse(running.output().stdout) as { child: number }
    onTestFinished(() => void process.kill(child, 'SIGKILL'))
    running.child.kill('SIGKILL')
    await collected(address, 10)
  })
})

test.each(['tracepoints', 'alive', 'default/relay', 'default/hello', 'default/state', 'default/events/0'])(
  'a FIFO in the place of %s holds up nothing',
  async (name) => {
    const address = await freeAddress()
    const before = folders()
    const emitted = await killed(address)
    const left = folders().find((one) => !before.includes(one)) as string
    const odd = join(userFolder, '1-1') // comes first
    cpSync(join(userFolder, left), odd, { recursive: true, filter: (from) => !from.endsWith('/control') })
    onTestFinished(() => rmSync(odd, { recursive: true, force: true }))
    rmSync(join(odd, name), { force: true })
    rmSync(join(odd, 'default/events'), { recursive: true }) // or its events would be there twice
    execFileSync('mkdir', ['-m', '700', join(odd, 'default/events')])
    execFileSync('mkfifo', [join(odd, name)])
    await collected(address, emitted)
  },
  30_000,
)
