// test/memory.test.ts: where the rings lie, and what happens when there is no place for them. Each program has a private
// /dev/shm, so that no other process is met.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { relay } from './support/relays.js'
import { folder, privateShm, result, run } from './support/run.js'
import { describeWith } from './support/tools.js'
import { recorded } from './support/trace.js'

interface Answer {
  buffers: { folder?: string; error?: string }
  lost: { noRoom: number; noRing: number }
}

const text = `
  import { flush, provider, status, t } from 'blkin'
  import { Worker, isMainThread } from 'node:worker_threads'
  const { e } = provider('memory', { e: { fields: { n: t.u32 } } })
  for (let n = 0; n < 1000; n++) e({ n })
  await flush()
  console.log(JSON.stringify(status()))`

describeWith(['unshare -m'], 'the place of the rings', () => {
  async function expectAll(before: string[], env: Record<string, string> = {}): Promise<Answer> {
    const to = await relay()
    const answer = await result<Answer>(text, { before, env: { ...to.env, ...env } })
    const { events, lost } = await recorded(to.output)
    expect(lost).toBe(answer.lost.noRoom + answer.lost.noRing)
    expect(events.length + lost).toBe(1000)
    return answer
  }

  test('/dev/shm, where there is room', async () => {
    const { buffers, lost } = await expectAll(privateShm('64m'))
    expect(buffers.folder).toMatch(/^\/dev\/shm\/blkin-\d+\/\d+-\d+\/default$/)
    expect(lost).toMatchObject({ noRoom: 0, noRing: 0 })
  })

  test('TMPDIR, where /dev/shm is too small', async () => {
    const tmp = folder()
    const { buffers, lost } = await expectAll(privateShm('1m'), { TMPDIR: tmp })
    expect(buffers.folder).toMatch(new RegExp(`^${tmp}/blkin-\\d+/`))
    expect(lost).toMatchObject({ noRoom: 0, noRing: 0 })
  })

  test('TMPDIR, where a file has the name of our folder in /dev/shm', async () => {
    const tmp = folder()
    const { buffers } = await expectAll(privateShm('64m', 'touch /dev/shm/blkin-$(id -u)'), { TMPDIR: tmp })
    expect(buffers.folder).toMatch(new RegExp(`^${tmp}/`))
  })

  test('TMPDIR, where our folder in /dev/shm is open to others or a link', async () => {
    for (const trap of [
      'mkdir -m 777 /dev/shm/blkin-$(id -u)',
      'mkdir -m 700 /dev/shm/x && ln -s x /dev/shm/blkin-$(id -u)',
    ]) {
      const tmp = folder()
      const { buffers } = await expectAll(privateShm('64m', trap), { TMPDIR: tmp })
      expect(buffers.folder, trap).toMatch(new RegExp(`^${tmp}/`))
    }
  })

  test('memory of the process, where both are blocked; the reason is in status()', async () => {
    const tmp = folder()
    writeFileSync(join(tmp, `blkin-${process.getuid?.()}`), '')
    const { buffers, lost } = await expectAll(privateShm('64m', 'touch /dev/shm/blkin-$(id -u)'), {
      TMPDIR: tmp,
    })
    expect(buffers.folder).toBe(undefined)
    expect(buffers.error).toMatch(/blkin-\d+: not a folder of this user alone$/)
    expect(lost).toMatchObject({ noRoom: 0, noRing: 0 })
  })

  test('a /dev/shm that fills up after the start: other memory, no SIGBUS', async () => {
    const filling = text.replace(
      'for (let n',
      `await import('node:fs').then(({ writeFileSync }) => { try { writeFileSync('/dev/shm/fill', Buffer.alloc(32 << 20)) } catch {} })\n  for (let n`,
    )
    const to = await relay()
    const answer = await result<Answer>(filling, { before: privateShm('20m'), env: to.env })
    expect(answer.buffers.folder, 'the folder was made while there was room').toMatch(/^\/dev\/shm\//)
    expect(answer.lost).toMatchObject({ noRoom: 0, noRing: 0 })
    expect((await recorded(to.output)).events).toHaveLength(1000)
  })

  test('a program folder is gone after the end when all was delivered, and left for recovery when not', async () => {
    const list = 'ls /dev/shm/blkin-* | wc -l'
    const to = await relay()
    const shell = (command: string) =>
      privateShm(
        '64m',
        `{ ${process.execPath} --input-type=module -e "$BLKIN_TEST" && ${list} ; } ; true`,
      ).concat(command)
    for (const [address, left] of [
      [to.address, '0'],
      ['127.0.0.1:1', '1'],
    ] as const) {
      const env = { ...to.env, BLKIN_RELAY: address, BLKIN_TEST: text }
      const ended = await run('0', { before: shell('true'), env })
      expect(ended.stdout.trim().split('\n').at(-1), ended.stderr).toBe(left)
    }
  })
})

describeWith(['unshare -m', 'prlimit'], 'no ring at all', () => {
  test('a limit on the size of files is no signal and no crash: the events count as noRing', async () => {
    const to = await relay()
    const tmp = folder()
    mkdirSync(join(tmp, 'x'))
    const before = [...privateShm('64m'), 'prlimit', '--fsize=100000']
    const answer = await result<Answer>(text, { before, env: { ...to.env, TMPDIR: tmp } })
    expect(answer.lost).toMatchObject({ noRing: 1000 })
    expect(answer.buffers.error).toMatch(/^no ring: /)
    expect(await recorded(to.output)).toEqual({ events: [], lost: 1000 })
  })
})
