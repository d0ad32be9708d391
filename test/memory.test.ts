// test/memory.test.ts: where the rings lie, and what happens when there is no place for them. Each program has a private
// /dev/shm, so that no other process is met.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { recover } from './support/recover.js'
import { childRelay, freeAddress, relay } from './support/relays.js'
import { folder, lastJson, privateShm, result, run, start } from './support/run.js'
import { describeWith } from './support/tools.js'
import { recorded } from './support/trace.js'

interface Answer {
  buffers: { folder?: string; spareFolder?: string; inMemory?: number; error?: string }
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
    expect(buffers.error).toMatch(
      /blkin-\d+: not a folder of this user alone; they are in memory, so a kill loses/,
    )
    expect(lost).toMatchObject({ noRoom: 0, noRing: 0 })
  })

  /** /dev/shm is full once the folder is there and the tracepoint is declared. */
  const filling = (emitting: string) =>
    emitting.replace(
      'for (let n',
      `await import('node:fs').then(({ writeFileSync }) => { try { writeFileSync('/dev/shm/fill', Buffer.alloc(32 << 20)) } catch {} })\n  for (let n`,
    )

  test('TMPDIR, where /dev/shm fills up after the start; no SIGBUS', async () => {
    const [to, tmp] = [await relay(), folder()]
    const env = { ...to.env, TMPDIR: tmp }
    const { buffers, lost } = await result<Answer>(filling(text), { before: privateShm('20m'), env })
    expect(buffers.folder, 'the folder was made while there was room').toMatch(/^\/dev\/shm\//)
    expect(buffers.spareFolder).toMatch(new RegExp(`^${tmp}/blkin-\\d+/\\d+-\\d+/default$`))
    expect(buffers.inMemory).toBe(undefined)
    expect(lost).toMatchObject({ noRoom: 0, noRing: 0 })
    expect((await recorded(to.output)).events).toHaveLength(1000)
    expect(readdirSync(join(tmp, `blkin-${process.getuid?.()}`)), 'gone, since all was delivered').toEqual([])
  })

  test('TMPDIR, where /dev/shm fills up after the start, is recovered after a kill', async () => {
    const [address, output, tmp] = [await freeAddress(), folder(), folder()]
    const killed = filling(text).replace('await flush()', 'process.kill(process.pid, 9)')
    const env = { BLKIN_RELAY: address, BLKIN_ENABLE: '*:*', TMPDIR: tmp }
    expect(await run(killed, { before: privateShm('20m'), env })).toMatchObject({ signal: 'SIGKILL' })
    await childRelay(address, output)
    await result(recover, { before: privateShm('20m'), env })
    const { events, lost } = await recorded(output)
    expect({ events: events.length, lost }).toEqual({ events: 1000, lost: 0 })
  })

  test('memory of the process, where /dev/shm fills up and TMPDIR takes nothing: status() and one line say so', async () => {
    const to = await relay()
    const env = { ...to.env, TMPDIR: '/proc' }
    const ended = await run(filling(text), { before: privateShm('20m'), env })
    const { buffers, lost } = lastJson<Answer>(ended)
    expect(buffers.inMemory).toBe(1)
    const words =
      /no folder for rings: \/dev\/shm\/.*: No space left on device; they are in memory, so a kill loses what they hold/
    expect(buffers.error).toMatch(words)
    expect(ended.stderr).toMatch(new RegExp(`^blkin: ${words.source}\n$`))
    expect(lost).toMatchObject({ noRoom: 0, noRing: 0 })
    expect((await recorded(to.output)).events).toHaveLength(1000)
  })

  test('events of what was declared while /dev/shm was full are recovered, or counted as lost', async () => {
    const [address, output] = [await freeAddress(), folder()]
    const killed = `${text.split('for (let n')[0]}
      for (let n = 0; n < 300; n++) e({ n })
      const { rmSync, statfsSync, writeFileSync } = await import('node:fs')
      for (let bytes = 1 << 25; bytes >= 1; bytes >>= 1)
        try { writeFileSync('/dev/shm/fill' + bytes, Buffer.alloc(bytes)) } catch {}
      const long = Array.from({ length: 300 }, (_, i) => 'label' + i + 'x'.repeat(50)) // more than the last page takes
      const { late } = provider('late', { late: { fields: { n: t.u32, label: t.enum(long) } } })
      for (let n = 0; n < 200; n++) late({ n, label: long[7] })
      process.kill(process.pid, 9)`
    const both = `{ ${process.execPath} --input-type=module -e "$BLKIN_TEST" || true; } && rm -f /dev/shm/fill*`
    const running = start(recover, {
      before: privateShm(
        '20m',
        `${both} && echo dead && while ! test -e ${output}/go; do sleep 0.05; done && rm ${output}/go`,
      ),
      env: { BLKIN_RELAY: address, BLKIN_ENABLE: '*:*', BLKIN_TEST: killed },
    })
    await running.says('dead')
    await childRelay(address, output)
    writeFileSync(join(output, 'go'), '')
    expect(await running.ended).toMatchObject({ code: 0 })
    const { events, lost } = await recorded(output)
    expect({ first: events.length >= 300, all: events.length + lost }).toEqual({ first: true, all: 500 })
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
