// test/control-hostile.test.ts: what comes over the control socket from somebody who means harm, or is broken: random and
// cut bytes, lying lengths, wrong types, deep structs, calls that are none. The connection ends or the call is refused;
// the process lives, its memory stays, and a decent controller does not notice.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, statSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { controllerOf, descriptors, folderOf, rawSocket, rss, spec, ticks } from './support/control.js'
import { until } from './support/relays.js'
import { program, type Running, start } from './support/run.js'

async function idle(options = {}) {
  const running = start(program('idle.mjs'), { stdin: 'pipe', timeout: 110_000, ...options })
  await running.says('ready')
  return { ...running, pid: running.child.pid as number, folder: await folderOf(running) }
}

/** A generator of numbers below a bound that gives the same ones for the same seed (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const i32 = (value: number) => [value >>> 24, value >>> 16, value >>> 8, value].map((byte) => byte & 255)
const text = (value: string) => [...i32(Buffer.byteLength(value)), ...Buffer.from(value)]
const field = (type: number, id: number, ...value: number[]) => [type, id >> 8, id & 255, ...value]
const frame = (bytes: number[]) => Buffer.from([...i32(bytes.length), ...bytes])
const call = (name: string, ...fields: number[]) =>
  frame([...i32(0x80010001 | 0), ...text(name), ...i32(7), ...fields, 0])

/** Calls that are well formed, one of each. */
const good = (() => {
  const channel = [
    ...field(10, 1, 0, 0, 0, 0, 0, 0, 128, 0),
    ...field(8, 2, ...i32(4)),
    ...field(8, 3, ...i32(1)),
    0,
  ]
  const session = [...field(11, 1, ...text('fuzzed')), ...field(8, 4, ...i32(1)), ...field(12, 5, ...channel),
    ...field(15, 6, 11, ...i32(1), ...text('tid')), ...field(2, 7, 1), 0] // biome-ignore format: as it lies in the frame
  const rule = [...field(8, 1, ...i32(0)), ...field(2, 2, 1), ...field(11, 3, ...text('idle:*')),
    ...field(15, 4, 11, ...i32(1), ...text('idle:two')), ...field(8, 5, ...i32(14)), ...field(2, 6, 0),
    ...field(12, 7, ...field(8, 1, ...i32(1)), ...field(8, 2, ...i32(2)), 0),
    ...field(12, 8, ...field(11, 1, ...text('n > 1')), ...field(11, 2, ...text('\x01\x02\x03')), 0),
    ...field(8, 9, ...i32(2)), 0] // biome-ignore format: as it lies in the frame
  return [
    call('process'),
    call('tracepoints', ...field(8, 1, ...i32(0))),
    call('openSession', ...field(12, 1, ...session)),
    call('changeSession', ...field(12, 1, ...session)),
    call('enable', ...field(11, 1, ...text('fuzzed')), ...field(12, 2, ...rule)),
    call('disable', ...field(11, 1, ...text('fuzzed')), ...field(11, 2, ...text('idle:*'))),
    call('flush', ...field(11, 1, ...text('fuzzed')), ...field(8, 2, ...i32(10))),
    call('closeSession', ...field(11, 1, ...text('fuzzed')), ...field(8, 2, ...i32(10))),
  ]
})()

/** Sends the bytes, and says how it came out. */
async function send(folder: string, bytes: Uint8Array): Promise<{ answer: Buffer; ended: boolean }> {
  const socket: Socket = await rawSocket(folder)
  let answer = Buffer.alloc(0)
  let ended = false
  socket.on('data', (chunk) => {
    answer = Buffer.concat([answer, chunk as Buffer])
  })
  socket.on('close', () => {
    ended = true
  })
  socket.write(bytes)
  const whole = () => answer.length >= 4 && answer.length >= 4 + answer.readUInt32BE()
  await until(() => ended || whole())
  socket.destroy()
  return { answer, ended }
}

async function expectWell(running: Running & { pid: number }): Promise<void> {
  const control = await controllerOf(running)
  expect((await control.process()).pid).toBe(running.pid)
  control.close()
}

describe('a frame that is no call', () => {
  const nothing: [string, Buffer][] = [
    ['empty', Buffer.from([0, 0, 0, 0])],
    ['larger than any may be', Buffer.from([...i32(2 ** 21 + 1), 1])],
    ['of a negative length', Buffer.from([255, 255, 255, 255, 1])],
    ['of another protocol', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['of a reply', frame([...i32(0x80010002 | 0), ...text('process'), ...i32(1), 0])],
    ['of a oneway call', frame([...i32(0x80010004 | 0), ...text('process'), ...i32(1), 0])],
    ['whose name is longer than it', frame([...i32(0x80010001 | 0), ...i32(1000), 65])],
    ['cut behind its name', frame([...i32(0x80010001 | 0), ...text('process')])],
  ]
  test.each(nothing)('%s: the connection ends', async (_, bytes) => {
    const running = await idle()
    expect(await send(running.folder, bytes)).toEqual({ answer: Buffer.alloc(0), ended: true })
    await expectWell(running)
  })
})

test('a call that is none, or whose arguments cannot be read, is answered with words, and the connection stays', async () => {
  const { folder } = await idle()
  const deep = Array.from({ length: 20_000 }, () => field(12, 1)).flat()
  const odd: [Buffer, RegExp][] = [
    [call('nonsense'), /no call "nonsense" in Control/],
    [call('\u0007'.repeat(5000)), /no call "\?{256}" in Control/],
    [call('tracepoints', ...field(8, 1, ...i32(-1))), /tracepoints: the arguments cannot be read/],
    [call('tracepoints', ...field(12, 9, ...deep)), /tracepoints: the arguments cannot be read/],
    [call('enable', ...field(12, 2, ...field(15, 4, 11, ...i32(2 ** 30)))), /enable: the arguments/],
    [call('enable', ...field(12, 2, ...field(15, 4, 12, ...i32(3)))), /enable: the arguments/],
    [call('openSession', ...field(12, 1, ...field(99, 1))), /openSession: the arguments/],
    [call('flush', ...field(11, 1, ...text('x')), ...field(8, 2, ...i32(-5))), /flush: the arguments/],
    [call('closeSession', ...field(11, 1, ...i32(-1))), /closeSession: the arguments/],
    [call('enable'), /pattern "": expected provider:event/],
    [call('openSession', ...field(8, 1, ...i32(1))), /session "": expected 1 to 64 letters/],
  ]
  for (const [bytes, words] of odd) {
    const { answer, ended } = await send(folder, bytes)
    expect(ended, String(words)).toBe(false)
    expect(answer.toString('latin1')).toMatch(words)
  }
})

test('thousands of connections with random bytes, and with calls that were cut, mixed and changed', async () => {
  const running = await idle()
  const below = random(20_260_101)
  const pick = <T>(from: T[]) => from[below(from.length)] as T
  const one = () => {
    const kind = below(5)
    if (kind === 0) return Buffer.from(Array.from({ length: 1 + below(200) }, () => below(256)))
    if (kind === 1) return frame(Array.from({ length: 1 + below(200) }, () => below(256)))
    const bytes = Buffer.concat(Array.from({ length: 1 + below(4) }, () => pick(good)))
    if (kind === 2) return bytes.subarray(0, 1 + below(bytes.length))
    for (let n = 1 + below(4); n > 0; n--)
      bytes[4 + below(bytes.length - 4)] = pick([0, 1, 127, 128, 255, below(256)])
    return bytes
  }
  const wave = async (connections: number) => {
    for (let i = 0; i < connections; i += 8) {
      const sockets = await Promise.all(Array.from({ length: 8 }, () => rawSocket(running.folder)))
      const gone = sockets.map((socket) => new Promise((resolve) => socket.resume().on('close', resolve)))
      for (const socket of sockets) socket.end(one())
      await Promise.all(gone) // it ends those that say that they are done
    }
  }
  await wave(800)
  const before = rss(running.pid)
  await wave(3200)
  const grown = rss(running.pid) - before
  expect(running.child.exitCode).toBe(null)
  await expectWell(running)
  const control = await controllerOf(running)
  await until(async () => (await control.process()).sessions.every(({ spec }) => !spec.attached))
  expect(grown, 'bytes of memory').toBeLessThan(8 * 2 ** 20)
  expect(descriptors(running.pid).filter((one) => one.startsWith('socket:')).length).toBeLessThan(20)
}, 120_000)

test('rules and names as large as a frame allows are refused, and not kept', async () => {
  const running = await idle()
  const control = await controllerOf(running)
  await control.openSession(spec('large', undefined))
  const before = rss(running.pid)
  const huge = 'x'.repeat(2 ** 20)
  for (let i = 0; i < 64; i++) {
    await expect(control.enable('large', { pattern: `idle:${i}`, target: huge })).rejects.toThrow('target')
    await expect(control.enable('large', { pattern: huge })).rejects.toThrow('pattern')
    await expect(control.openSession(spec(huge, undefined))).rejects.toThrow('session')
    await expect(control.openSession(spec('y', undefined, { contexts: [huge] }))).rejects.toThrow('context')
    await expect(control.openSession(spec('y', undefined, { token: huge }))).rejects.toThrow('token')
  }
  expect(rss(running.pid) - before).toBeLessThan(32 * 2 ** 20)
})

test('a process with no descriptor left does not spin on who wants to connect, and hears them later', async () => {
  const running = await idle({ before: ['prlimit', '--nofile=96:96'] })
  const sockets: Socket[] = []
  // As many as its table and the queue take.
  for (let socket: Socket | undefined; ; sockets.push(socket)) {
    socket = await rawSocket(running.folder).catch(() => undefined)
    if (socket === undefined) break
  }
  const before = ticks(running.pid)
  await new Promise((resolve) => setTimeout(resolve, 1000))
  expect(ticks(running.pid) - before, 'ticks of 10 ms in a second').toBeLessThan(50)
  for (const socket of sockets) socket.destroy()
  // The queue is full until it has taken and dropped those.
  await until(async () => {
    const socket = await rawSocket(running.folder).catch(() => undefined)
    socket?.destroy()
    return socket !== undefined
  })
  await expectWell(running)
})

describe('who may connect', () => {
  test('the folder is 0700, the socket 0600', async () => {
    const { folder } = await idle()
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(statSync(join(folder, '..')).mode & 0o777).toBe(0o700)
    expect(statSync(join(folder, 'control')).mode & 0o777).toBe(0o600)
  })

  const root = process.getuid?.() === 0
  test.skipIf(!root)(
    `another user is not heard, were the modes opened for all${root ? '' : ' (not root)'}`,
    async () => {
      const running = await idle()
      const asNobody = () =>
      spawnSync('python3', ['-c', `
import os, socket, sys
os.setgroups([]), os.setgid(65534), os.setuid(65534)
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(bytes.fromhex('${good[0]?.toString('hex')}'))
print(len(s.recv(100)))`, join(running.folder, 'control')], { encoding: 'utf8' }) // biome-ignore format: a program
      expect(asNobody().stderr).toContain('PermissionError')
      const user = join(running.folder, '..')
      onTestFinished(() => {
        for (const one of [user, running.folder].filter(existsSync)) chmodSync(one, 0o700)
      })
      chmodSync(user, 0o755)
      chmodSync(running.folder, 0o755)
      chmodSync(join(running.folder, 'control'), 0o666)
      const { stdout, stderr } = asNobody()
      expect(stdout === '0\n' || /ConnectionResetError|BrokenPipeError/.test(stderr), stdout + stderr).toBe(
        true,
      )
      await expectWell(running)
    },
  )
})
