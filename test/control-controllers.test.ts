// test/control-controllers.test.ts: several controllers of one process: each has its own answers and its own sessions; and
// how much of everything there may be.
import { join } from 'node:path'
import { type Control, connectControl } from '@blkin/relay'
import { expect, onTestFinished, test } from 'vitest'
import { controllerOf, folderOf, spec } from './support/control.js'
import { relay, until } from './support/relays.js'
import { program, start } from './support/run.js'

async function idle() {
  const running = start(program('idle.mjs'), { stdin: 'pipe', timeout: 60_000 })
  await running.says('ready')
  return running
}

test('two controllers at once, many calls in flight: each gets its answers, in full', async () => {
  const to = await relay()
  const running = await idle()
  const act = async (control: Control, name: string) => {
    for (let round = 0; round < 5; round++) {
      expect((await control.openSession(spec(name, to.address))).spec.name).toBe(name)
      const patterns = Array.from(
        { length: 100 },
        (_, i) => `idle:${i % 2 ? 'one' : '*'}${'*'.repeat(i >> 1)}`,
      )
      const calls = patterns.map((pattern) => control.enable(name, { pattern }))
      const refused = control.enable(`${name}-not`, { pattern: 'idle:*' }).catch((error) => error)
      const others = [control.tracepoints(), control.process(), control.flush(name, 5000)] as const
      const changes = await Promise.all(calls)
      expect(changes.map(({ rule }) => rule)).toEqual(patterns.map((_, i) => (changes[0]?.rule ?? 0) + i))
      expect(changes.map(({ covered }) => covered)).toEqual(patterns.map((_, i) => (i % 2 ? 1 : 2)))
      expect((await refused).message).toContain(`"${name}-not"`)
      const [tracepoints, { sessions }, flushed] = await Promise.all(others)
      expect(tracepoints.map(({ tracepoint }) => tracepoint.event)).toEqual(['one', 'two'])
      expect(flushed).toBe(true)
      const mine = sessions.find((one) => one.spec.name === name)
      expect(mine?.rules.map(({ pattern }) => pattern)).toEqual(patterns)
      await control.disable(name, 'idle:*')
      const { last, delivered } = await control.closeSession(name, 5000)
      expect({ name: last.spec.name, delivered }).toEqual({ name, delivered: true })
    }
  }
  await Promise.all([act(await controllerOf(running), 'a'), act(await controllerOf(running), 'b')])
  expect((await (await controllerOf(running)).process()).sessions).toEqual([])
}, 60_000)

test('eight sessions, and no ninth; a place that became free is used', async () => {
  const control = await controllerOf(await idle())
  for (let i = 0; i < 8; i++) await control.openSession(spec(`s${i}`, undefined))
  await expect(control.openSession(spec('s8', undefined))).rejects.toMatchObject({
    reason: 'LIMIT',
    message: '8 sessions are open; expected one to be closed first',
  })
  await expect(control.openSession(spec('s3', undefined))).rejects.toMatchObject({ reason: 'EXISTS' })
  await control.closeSession('s3', 0)
  expect(await control.openSession(spec('s8', undefined))).toMatchObject({ spec: { name: 's8' } })
})

test('1024 rules, and no more, on or off', async () => {
  const control = await controllerOf(await idle())
  await control.openSession(spec('many', undefined))
  const all = Array.from({ length: 1024 }, (_, i) => control.enable('many', { pattern: `idle:o*n${i}*` }))
  await Promise.all(all)
  const full = { reason: 'LIMIT', message: '1024 rules stand already; expected some to be ended first' }
  await expect(control.enable('many', { pattern: 'idle:*' })).rejects.toMatchObject(full)
  await expect(control.disable('many', 'idle:one')).rejects.toMatchObject(full)
  await control.disable('many', 'idle:o*n7*')
  const { sessions } = await control.process()
  expect(sessions[0]?.rules).toHaveLength(1024) // one ended, and one that switches off took its place
})

test('sixteen controllers; the seventeenth is told so, and a place that became free is used', async () => {
  const running = await idle()
  const socket = join(await folderOf(running), 'control')
  const controls = await Promise.all(Array.from({ length: 16 }, () => connectControl(socket)))
  onTestFinished(() => {
    for (const control of controls) control.close()
  })
  await Promise.all(controls.map((control) => control.process()))
  const late = await connectControl(socket)
  await expect(late.process()).rejects.toThrow('16 controllers are connected; expected one to leave first')
  const refused = await connectControl(socket)
  await expect(refused.openSession(spec('x', undefined))).rejects.toThrow('16 controllers are connected')
  await refused.closed
  controls[5]?.close()
  await until(async () => {
    const next = await connectControl(socket)
    onTestFinished(() => next.close())
    return next.process().then(
      () => true,
      () => false,
    )
  })
  expect((await controls[0]?.process())?.sessions).toEqual([])
})

test('an attached session that another controller closed and opened anew does not go with the first', async () => {
  const running = await idle()
  const [one, two] = [await controllerOf(running), await controllerOf(running)]
  await one.openSession(spec('x', undefined, { attached: true }))
  await one.openSession(spec('mine', undefined, { attached: true }))
  await two.closeSession('x', 0)
  await two.openSession(spec('x', undefined))
  one.close()
  await until(async () => !(await two.process()).sessions.some(({ spec }) => spec.name === 'mine'))
  expect((await two.process()).sessions.map(({ spec }) => spec.name)).toEqual(['x'])
})

test('an attached session stays attached when it is changed, by whomever', async () => {
  const running = await idle()
  const [one, two] = [await controllerOf(running), await controllerOf(running)]
  await one.openSession(spec('x', undefined, { attached: true }))
  const changed = await two.changeSession(spec('x', undefined, { contexts: ['tid'] }))
  expect(changed.spec).toMatchObject({ attached: true, contexts: ['tid'] })
  expect((await two.process()).sessions).toHaveLength(1)
  one.close()
  await until(async () => (await two.process()).sessions.length === 0)
})

test('what is refused is refused with words: what was given, and what may be', async () => {
  const control = await controllerOf(await idle())
  const words = async (call: Promise<unknown>) => {
    const { reason, message } = await call.then(
      () => ({ reason: 'none', message: '' }),
      (error) => error,
    )
    return `${reason} ${message}`
  }
  await control.openSession(spec('there', undefined))
  const channel = { subBufferBytes: 65536, subBuffers: 4, mode: 'discard' as const }
  const open = (changes: object) => words(control.openSession(spec('x', undefined, changes)))
  expect(await open({ name: 'a/b' })).toMatch(/^MALFORMED session "a\/b": expected 1 to 64 letters, digits/)
  expect(await open({ name: '../x' })).toMatch(/^MALFORMED/)
  expect(await open({ name: 'control' })).toMatch(/^MALFORMED session "control": expected a name other than/)
  expect(await open({ relay: 'nowhere' })).toMatch(/^MALFORMED relay "nowhere": expected HOST:PORT/)
  expect(await open({ channel: { ...channel, subBuffers: 3 } })).toMatch(
    /^MALFORMED channel: 3 sub-buffers of 65536/,
  )
  expect(await open({ channel: { ...channel, mode: 'overwrite', subBuffers: 1 } })).toMatch(
    /overwrite with 1 sub-buffer/,
  )
  expect(await open({ channel: { ...channel, mode: 'block', blockMs: 2000 } })).toMatch(
    /block for 2000 ms: expected 1 to 1000/,
  )
  expect(await open({ contexts: ['tid', 'mood'] })).toBe(
    'MALFORMED context "mood": expected one of trace, tid, thread, cpu, span, trace_high, trace_low, elu, async_id',
  )
  expect(await open({ contexts: ['tid', 'tid'] })).toBe('MALFORMED context "tid": given twice')
  const gone = 'NO_SESSION session "gone": there is none of that name; expected there'
  expect(await words(control.closeSession('gone', 0))).toBe(gone)
  expect(await words(control.flush('gone', 0))).toBe(gone)
  expect(await words(control.enable('gone', { pattern: '*:*' }))).toBe(gone)
  expect(await words(control.changeSession(spec('gone', undefined)))).toBe(gone)
  const enable = (rule: object) => words(control.enable('there', { pattern: '*:*', ...rule }))
  expect(await enable({ pattern: 'x' })).toBe(
    'MALFORMED pattern "x": expected provider:event, such as "blockstore:*"',
  )
  expect(await enable({ exclude: ['\u0007'] })).toMatch(/^MALFORMED pattern "\?": expected/)
  expect(await enable({ level: 15 })).toBe('MALFORMED level 15: expected 0 (emerg) to 14 (debug)')
  expect(await enable({ sample: { keep: 2, of: 1 } })).toMatch(/^MALFORMED sample 2\/1: expected/)
  expect(await enable({ target: 'x'.repeat(1000) })).toMatch(
    /^MALFORMED target of 1000 bytes: expected at most 255/,
  )
  expect(await enable({ filter: 'x'.repeat(10_000) })).toMatch(
    /^MALFORMED filter of 10000 bytes: expected 1 to /,
  )
  expect(await enable({ filter: '' })).toMatch(/^MALFORMED filter of 0 bytes: expected 1 to /)
  const long = await words(control.closeSession('y'.repeat(100_000), 0))
  expect(long.length).toBeLessThan(500)
  expect((await control.process()).sessions[0]?.rules).toEqual([])
})
