// test/contexts.test.ts: what events carry of their moment, in the main thread and in Workers, as babeltrace2 prints it; what
// filters ask of it; and what becomes of sources that misbehave.
import { describe, expect, test } from 'vitest'
import { controllerOf, spec } from './support/control.js'
import { relay } from './support/relays.js'
import { result, start } from './support/run.js'
import { describeWith } from './support/tools.js'
import { printed, recorded } from './support/trace.js'

const declared = `
  import { executionAsyncId } from 'node:async_hooks'
  import { context, currentSpan, enable, flush, openSession, provider, status, t } from 'blkin'
  const { e } = provider('moment', { e: { fields: { n: t.u32 } } })
  const session = (contexts, options) => openSession('s', { relay: process.argv.at(-1), contexts, ...options })
`
async function events(text: string) {
  const to = await relay()
  const told = await result(`${declared}${text}`, { args: [to.address] })
  return { told, output: to.output, ...(await recorded(to.output)) }
}

/** As declared, in a Worker: this text in both. */
const inBoth = (text: string) => `
  const text = ${JSON.stringify(text)}
  const { Worker } = await import('node:worker_threads')
  const AsyncFunction = (async () => {}).constructor
  const here = await new AsyncFunction('blkin', 'thread', 'e', text)(await import('blkin'), 0, e)
  const there = await new Promise((resolve, reject) => {
    const code = "const AsyncFunction = (async () => {}).constructor; import('blkin').then(async (blkin) => { const { e } = blkin.provider('moment', { e: { fields: { n: blkin.t.u32 } } });" +
      "const { parentPort, workerData } = await import('node:worker_threads');" +
      "parentPort.postMessage(await new AsyncFunction('blkin', 'thread', 'e', workerData)(blkin, 1, e)) })"
    new Worker(code, { eval: true, workerData: text }).on('message', resolve).on('error', reject)
  })
  await flush()
  console.log(JSON.stringify([here, there]))`

describeWith(['babeltrace2'], 'as babeltrace2 prints them', () => {
  test('those built in, in the main thread and in a Worker', async () => {
    const { told, output } = await events(`
      session(['tid', 'thread', 'cpu', 'span', 'trace', 'elu', 'async_id']).enable('*:*')
      ${inBoth(`
        const { executionAsyncId } = await import('node:async_hooks')
        const { readFileSync } = await import('node:fs')
        blkin.currentSpan(() => ({ spanId: 'f00000000000000' + thread, traceId: '0123456789abcdef8000000000000000' }))
        e({ n: thread })
        blkin.currentSpan(() => undefined)
        const id = executionAsyncId()
        e({ n: 10 + thread })
        const tid = Number(/^Pid:\\s*(\\d+)/m.exec(readFileSync('/proc/thread-self/status', 'utf8'))[1])
        return { tid, id, name: readFileSync('/proc/thread-self/comm', 'utf8').trim() }`)}`)
    const [here, there] = told as { tid: number; id: number; name: string }[]
    const all = printed(output).map(({ fields, context }) => ({ ...context, ...fields }))
    const of = (n: number) => all.find((one) => one.n === BigInt(n)) ?? {}
    const [main, worker] = [here, there].map((one) => ({ tid: BigInt(one?.tid ?? 0), thread: one?.name }))
    expect(main?.tid).not.toBe(worker?.tid)
    const span = { trace_high: 0x0123456789abcdefn, trace_low: 0x8000000000000000n }
    expect(of(0)).toMatchObject({ ...main, ...span, span: 0xf000000000000000n })
    expect(of(1)).toMatchObject({ ...worker, ...span, span: 0xf000000000000001n })
    const none = { trace_high: 0n, trace_low: 0n, span: 0n }
    expect(of(10)).toMatchObject({ ...main, ...none, async_id: BigInt(here?.id ?? -1) })
    expect(of(11)).toMatchObject({ ...worker, ...none, async_id: BigInt(there?.id ?? -1) })
    for (const { cpu, elu } of all) {
      expect(Number(cpu)).toBeLessThan(1024)
      expect(Number(elu)).toBeGreaterThanOrEqual(0)
      expect(Number(elu)).toBeLessThanOrEqual(1)
    }
  })

  test('those that a program registers, of each type, each thread with its own', async () => {
    const { output } = await events(`
      const values = { u8: [255, 1], u16: [65535, 2], u32: [4294967295, 3], u64: [18446744073709551615n, 4n], i8: [-128, 5], i16: [-32768, 6],
        i32: [-2147483648, 7], i64: [-9223372036854775808n, 8n], f32: [0.5, 9.5], f64: [-1e100, 10.25], bool: [true, false], string: ['größer', 'w'] }
      for (const name of Object.keys(values)) context('c_' + name, t[name], () => values[name][0])
      session(Object.keys(values).map((name) => 'c_' + name)).enable('*:*')
      ${inBoth(`
        const values = { u8: 1, u16: 2, u32: 3, u64: 4n, i8: 5, i16: 6, i32: 7, i64: 8n, f32: 9.5, f64: 10.25, bool: false, string: 'w' }
        if (thread === 1) for (const name of Object.keys(values)) blkin.context('c_' + name, blkin.t[name], () => values[name])
        e({ n: thread })`)}`)
    const all = printed(output).map(({ fields, context }) => ({ ...context, ...fields }))
    expect(all).toHaveLength(2)
    expect(all.find(({ n }) => n === 0n)).toMatchObject({
      ...{ c_u8: 255n, c_u16: 65535n, c_u32: 4294967295n, c_u64: 2n ** 64n - 1n },
      ...{ c_i8: -128n, c_i16: -32768n, c_i32: -(2n ** 31n), c_i64: -(2n ** 63n) },
      ...{ c_f32: 0.5, c_f64: -1e100, c_string: 'größer' },
    })
    expect(all.find(({ n }) => n === 1n)).toMatchObject({
      ...{ c_u8: 1n, c_u16: 2n, c_u32: 3n, c_u64: 4n, c_i8: 5n, c_i16: 6n, c_i32: 7n, c_i64: 8n },
      ...{ c_f32: 9.5, c_f64: 10.25, c_string: 'w' },
    })
  })
})

test('contexts that nobody asks for cost no byte, and their sources are not asked', async () => {
  const text = `
    let asked = 0
    context('costly', t.string, () => { asked++; return 'x'.repeat(60) })
    const s = session([])
    s.enable('*:*')
    for (let n = 0; n < 1000; n++) e({ n })
    const head = () => status().sessions.find(({ name }) => name === 's').buffers.rings.reduce((sum, { head }) => sum + head, 0)
    const plain = head()
    await s.flush()
    const before = asked
    s.change({ contexts: ['costly'] })
    for (let n = 0; n < 1000; n++) e({ n })
    console.log(JSON.stringify({ plain, before, asked, with: head() }))`
  const { told, events: all } = await events(text)
  expect(told).toEqual({ plain: 24_000, before: 0, asked: 1000, with: 16_000 + 1000 * 72 })
  expect(all).toHaveLength(2000)
})

describe('a source that misbehaves', () => {
  const misbehaving: [string, string, unknown[]][] = [
    ['throws', `() => { if (n % 2) throw new Error('no'); return 'n' + n }`, ['n0', '', 'n2', '']],
    [
      'gives what is not of its type',
      `() => [Symbol('x'), { toString() { throw 1 } }, undefined, 7][n]`,
      ['Symbol(x)', '', 'undefined', '7'],
    ],
    [
      'gives a text that is too long, or holds a NUL',
      `() => n % 2 ? 'a\\0b' : 'ä'.repeat(100)`,
      ['ä'.repeat(31), 'a␀b', 'ä'.repeat(31), 'a␀b'],
    ],
  ]
  test.each(misbehaving)('%s', async (_, source, expected) => {
    const { events: all } = await events(`
      let n = 0
      context('odd', t.string, ${source})
      session(['odd']).enable('*:*')
      for (; n < 4; n++) e({ n })
      await flush()
      console.log('{}')`)
    expect(all.map(({ context }) => context?.odd)).toEqual(expected)
  })

  test('emits: its own events are there, and it is not asked for them again', async () => {
    const { told, events: all } = await events(`
      let asked = 0
      context('loud', t.u32, () => { e({ n: 1000 + asked }); return ++asked })
      session(['loud']).enable('*:*')
      for (let n = 0; n < 3; n++) e({ n })
      await flush()
      console.log(asked)`)
    expect(told).toBe(3)
    expect(all.map(({ fields, context }) => [fields.n, context?.loud])).toEqual([
      [1000, 0],
      [0, 1],
      [1001, 1],
      [1, 2],
      [1002, 2],
      [2, 3],
    ])
  })

  test('is slow, or changes sessions and rules from inside: no event is lost or comes twice', async () => {
    const { events: all, lost } = await events(`
      let n = 0
      context('busy', t.u32, () => {
        if (n % 10 === 3) s.change({ buffer: n % 20 === 3 ? '4x64K' : '8x64K' })
        if (n % 10 === 7) { const rule = s.enable('*:*', { sample: '99/100' }); rule.disable() }
        const until = performance.now() + 1
        while (performance.now() < until);
        return n
      })
      const s = session(['busy'], { buffer: '4x64K' })
      s.enable('*:*')
      for (; n < 60; n++) { e({ n }); if (n % 10 === 5) await new Promise((resolve) => setTimeout(resolve, 30)) }
      await flush()
      console.log('{}')`)
    expect(lost).toBe(0)
    expect(all.map(({ fields }) => fields.n)).toEqual(Array.from({ length: 60 }, (_, n) => n))
    expect(all.map(({ context }) => context?.busy)).toEqual(all.map(({ fields }) => fields.n))
  })
})

test('a filter asks for contexts of either kind, also where the session carries none', async () => {
  const { events: all } = await events(`
    let tenant = 'none'
    context('tenant', t.string, () => tenant)
    context('weight', t.f64, () => tenant.length)
    const s = session([])
    s.enable('*:*', { filter: '$ctx.tenant == "ac*" && $ctx.weight > 3.5 && $ctx.tid > 0 && $ctx.thread != "x"' })
    const names = ['acme', 'none', 'ac', 'acre', 'ACME']
    for (let n = 0; n < 50; n++) { tenant = names[n % 5]; e({ n }) }
    await flush()
    console.log('{}')`)
  expect(all.map(({ fields }) => fields.n)).toEqual(
    Array.from({ length: 50 }, (_, n) => n).filter((n) => n % 5 === 0 || n % 5 === 3),
  )
  expect(all[0]?.context).toBe(undefined)
})

test('a controller gives rules with contexts to a process that is running', async () => {
  const to = await relay()
  const running = start(
    `${declared}
    let n = 0
    context('parity', t.bool, () => n % 2 === 1)
    setInterval(() => { e({ n }); n++ }, 1)
    console.log('ready')`,
    { args: ['x'] },
  )
  await running.says('ready')
  const control = await controllerOf(running)
  await control.openSession(spec('s', to.address, { contexts: ['parity', 'tid'] }))
  await control.enable('s', { pattern: '*:*', filter: '$ctx.parity' })
  await new Promise((resolve) => setTimeout(resolve, 100))
  await control.closeSession('s', 5000)
  const { events: all } = await recorded(to.output)
  expect(all.length).toBeGreaterThan(3)
  for (const { fields, context } of all) {
    expect((fields.n as number) % 2).toBe(1)
    expect(context).toMatchObject({ tid: running.child.pid })
  }
})

test('what cannot be is refused, with what may be', async () => {
  const told = await result<string[]>(`${declared}
    context('mine', t.u8, () => 1)
    const log = []
    const say = (act) => { try { act(); log.push('') } catch (error) { log.push(error.code + ' ' + error.message) } }
    say(() => session(['mine', 'mood'], { relay: null }))
    say(() => session(['trace', 'trace_low'], { relay: null }))
    say(() => context('mine', t.u16, () => 1))
    say(() => context('tid', t.i32, () => 1))
    say(() => context('mine', t.u8, () => 2))
    say(() => context('9', t.u8, () => 2))
    say(() => context('x', t.array(t.u8, 3), () => []))
    say(() => context('x', t.u8))
    say(() => currentSpan(5))
    say(() => enable('*:*', { filter: '$ctx.mood == 1' }))
    let more = 0
    for (let i = 0; i < 40; i++) try { context('c' + i, t.u8, () => 1); more++ } catch (error) { log.push(error.message); break }
    log.push(String(more))
    console.log(JSON.stringify(log))`)
  expect(told).toEqual([
    'ERR_BLKIN_MALFORMED context "mood": expected one of trace, tid, thread, cpu, span, trace_high, trace_low, elu, async_id, mine',
    'ERR_BLKIN_MALFORMED context "trace_low": given twice',
    'ERR_BLKIN_CONTEXT context "mine": the name is taken by a context of another kind; expected another name',
    'ERR_BLKIN_CONTEXT context "tid": the name is taken by a context of another kind; expected another name',
    '',
    expect.stringMatching(/^ERR_BLKIN_CONTEXT context "9": expected a letter/),
    expect.stringMatching(/^ERR_BLKIN_CONTEXT context "x": expected a type of one number/),
    expect.stringMatching(/^ERR_BLKIN_CONTEXT context "x": given undefined; expected a function/),
    expect.stringMatching(/currentSpan: given number; expected a function/),
    expect.stringMatching(/^ERR_BLKIN_FILTER the filter fits no tracepoint .*mood/),
    'context "c23": 32 contexts are there already; expected no more',
    '23',
  ])
})
