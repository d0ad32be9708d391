// test/rules.test.ts: what is on when: patterns, levels, exclusions, later declarations, Workers, and the environment's
// twins of enable()'s options. Each program prints which tracepoints say that they are on.
import { describe, expect, test } from 'vitest'
import { freeAddress, relay, until } from './support/relays.js'
import { lastJson, result, run, start } from './support/run.js'
import { recorded } from './support/trace.js'

const declared = `
  import { disable, enable, provider, status, t } from 'blkin'
  const disk = provider('disk', { read: { level: 'info' }, write: { level: 'err' }, readahead: { level: 'debug' } })
  const net = provider('net.tcp', { read: {}, send: { level: 'warning' } })
  const on = () => [...Object.values(disk), ...Object.values(net)].filter((one) => one.on[0]).map((one) => one.tracepoint)
  const log = []
  const say = () => log.push(on().join(' '))
`
const said = (text: string, env: Record<string, string> = {}) =>
  result<string[]>(`${declared}${text}\nconsole.log(JSON.stringify(log))`, {
    env: { BLKIN_RELAY: '127.0.0.1:1', ...env },
  })

const all = 'disk:read disk:write disk:readahead net.tcp:read net.tcp:send'

describe('enable()', () => {
  test('nothing is on before a rule, and a rule covers what its pattern says', async () => {
    const patterns = [
      'disk:read',
      'disk:read*',
      'disk:*',
      '*:read',
      '*:*',
      'net.*:*',
      'n*t.tcp:s*d',
      'disk:',
      'a:b:c',
      'x:y',
      '*isk:*rea*',
    ]
    const text = `say(); for (const pattern of ${JSON.stringify(patterns)}) {
      try { const rule = enable(pattern); say(); rule.disable(); rule.disable() } catch (error) { log.push(error.code) } }; say()`
    expect(await said(text)).toEqual([
      '',
      'disk:read',
      'disk:read disk:readahead',
      'disk:read disk:write disk:readahead',
      'disk:read net.tcp:read',
      all,
      'net.tcp:read net.tcp:send',
      'net.tcp:send',
      'ERR_BLKIN_PATTERN',
      'ERR_BLKIN_PATTERN',
      '',
      'disk:read disk:readahead',
      '',
    ])
  })

  test('a level covers what is at least as severe; the default level is debug_line', async () => {
    const text = `for (const level of ['emerg', 'err', 'warning', 'info', 'debug_function', 'debug_line', 'debug', undefined]) {
      const rule = enable('*:*', { level }); say(); rule.disable() }`
    expect(await said(text)).toEqual([
      '',
      'disk:write',
      'disk:write net.tcp:send',
      'disk:read disk:write net.tcp:send',
      'disk:read disk:write net.tcp:send',
      'disk:read disk:write net.tcp:read net.tcp:send',
      all,
      all,
    ])
  })

  test('exclusions, one or several', async () => {
    const text = `for (const exclude of ['*:read', ['disk:*'], ['*:read*', 'net.tcp:send']]) {
      const rule = enable('*:*', { exclude }); say(); rule.disable() }`
    expect(await said(text)).toEqual([
      'disk:write disk:readahead net.tcp:send',
      'net.tcp:read net.tcp:send',
      'disk:write',
    ])
  })

  test('the last rule that covers a tracepoint decides, and ending it brings back the one before', async () => {
    const text = `
      const whole = enable('*:*'); disable('disk:*'); say()
      const one = enable('disk:write'); say()
      whole.disable(); say()
      one.disable(); say()
      enable('disk:*'); enable('*:*'); disable('*:*'); say()
      log.push(status().rules.map(({ pattern, on }) => pattern + ' ' + on).join(', '))`
    expect(await said(text)).toEqual([
      'net.tcp:read net.tcp:send',
      'disk:write net.tcp:read net.tcp:send',
      'disk:write',
      '',
      '',
      'disk:* true, *:* false',
    ])
  })

  test('later declarations are covered, unless a rule left them out', async () => {
    const text = `
      enable('later:*', { exclude: '*:not*', level: 'info' })
      const later = provider('later', { yes: { level: 'info' }, not: { level: 'info' }, low: {} })
      log.push(Object.values(later).map((one) => one.on[0] === 1))`
    expect(await said(text)).toEqual([[true, false, false]])
  })

  test('bad options are refused in words, and change nothing', async () => {
    const text = `
      const bad = [[5], [''], ['a b:*'], ['*'], ['*:*', { level: 'loud' }], ['*:*', { exclude: 'x' }], ['*:*', { exclude: ['a:b', 3] }]]
      for (const given of bad) try { enable(...given) } catch (error) { log.push(error.code + ' ' + error.message) }
      try { disable('*') } catch (error) { log.push(error.code) }
      say()`
    const pattern = (given: string) =>
      `ERR_BLKIN_PATTERN pattern ${given}: expected provider:event, such as "blockstore:*"`
    expect(await said(text)).toEqual([
      ...['5', '""', '"a b:*"', '"*"'].map(pattern),
      expect.stringMatching(/^ERR_BLKIN_LEVEL level "loud": expected one of emerg, alert, .*, debug$/),
      ...['"x"', '3'].map(pattern),
      'ERR_BLKIN_PATTERN',
      '',
    ])
  })

  test('1024 rules stand; one more, on or off, is refused, and a place that became free is used', async () => {
    const text = `
      const rules = Array.from({ length: 1024 }, () => enable('disk:*'))
      for (const act of [() => enable('disk:*'), () => disable('disk:read')]) try { act() } catch (error) { log.push(error.code) }
      say(); rules[0].disable(); disable('disk:read'); say(); disable('disk:*'); say()`
    expect(await said(text)).toEqual([
      'ERR_BLKIN_LIMIT',
      'ERR_BLKIN_LIMIT',
      'disk:read disk:write disk:readahead',
      'disk:write disk:readahead',
      '',
    ])
  })
})

describe('rules and threads', () => {
  const worker = (code: string) => `
    const { Worker } = await import('node:worker_threads')
    const inWorker = (code) => new Promise((resolve, reject) => {
      const text = "import('blkin').then(async ({ enable, disable, flush, provider, t }) => { const { parentPort } = await import('node:worker_threads');" + code + "})"
      new Worker(text, { eval: true }).on('error', reject).on('message', (m) => { answer = m }).on('exit', () => resolve(answer))
      let answer
    })
    ${code}`

  test('a rule of the main thread covers what a Worker declares, and the other way round', async () => {
    const text = worker(`
      const rule = enable('w:*')
      log.push(await inWorker("parentPort.postMessage(provider('w', { a: {}, b: {} }).a.on[0] === 1)"))
      rule.disable()
      log.push(await inWorker("enable('disk:read'); parentPort.postMessage(provider('w', { a: {}, b: {} }).a.on[0] === 1)"))
      say()`)
    expect(await said(text)).toEqual([true, false, 'disk:read'])
  })

  test('a Worker switches on a tracepoint inside the blocked main loop, and its events arrive while it is blocked', async () => {
    const to = await relay()
    const text = `
      import { Worker } from 'node:worker_threads'
      import { provider, t } from 'blkin'
      const { e } = provider('loop', { e: { fields: { n: t.u32 } } })
      const ready = new Int32Array(new SharedArrayBuffer(4))
      new Worker("import('blkin').then(async ({ enable }) => { const { workerData } = await import('node:worker_threads'); Atomics.store(workerData, 0, 1); Atomics.notify(workerData, 0); enable('loop:*') })",
        { eval: true, workerData: ready }).unref()
      Atomics.wait(ready, 0, 0) // the Worker needs nothing of this thread from here on
      let n = 0
      for (;;) { if (e.on[0]) { e({ n: n++ }); const until = performance.now() + 1; while (performance.now() < until); } }`
    const blocked = start(text, { env: { BLKIN_RELAY: to.address } })
    await until(async () => (await recorded(to.output)).events.length > 20 || blocked.child.exitCode !== null)
    expect(blocked.child.exitCode, blocked.output().stderr).toBe(null)
    blocked.child.kill('SIGKILL')
  })

  test('a program that emits and then blocks for ever: its events reach the relay', async () => {
    const to = await relay()
    const text = `
      import { enable, provider, t } from 'blkin'
      const { e } = provider('loop', { e: { fields: { n: t.u32 } } })
      enable('loop:e')
      for (let n = 0; n < 500; n++) e({ n })
      while (true);`
    const blocked = start(text, { env: { BLKIN_RELAY: to.address } })
    await until(async () => (await recorded(to.output)).events.length === 500)
    expect(blocked.child.exitCode).toBe(null)
    blocked.child.kill('SIGKILL')
  })

  test('BLKIN_ENABLE works where only Workers use the package, and stands once', async () => {
    const text = `
      const { Worker } = await import('node:worker_threads')
      const code = "import('blkin').then(async ({ provider, status }) => { const p = provider('w', { e: {} }); (await import('node:worker_threads')).parentPort.postMessage([p.e.on[0] === 1, status().rules.length]) })"
      const one = () => new Promise((resolve, reject) => new Worker(code, { eval: true }).on('message', resolve).on('error', reject))
      console.log(JSON.stringify([await one(), await one()]))`
    const ended = await run(text, {
      env: { BLKIN_RELAY: '127.0.0.1:1', BLKIN_ENABLE: 'w:*', BLKIN_LEVEL: 'lowd' },
    })
    expect(lastJson(ended)).toEqual([
      [true, 1],
      [true, 1],
    ])
    expect(ended.stderr.match(/BLKIN_LEVEL/g), ended.stderr).toHaveLength(1)
  })
})

describe('the environment', () => {
  test('BLKIN_ENABLE, BLKIN_EXCLUDE and BLKIN_LEVEL are the twins of enable(pattern, { exclude, level })', async () => {
    const env = (enable: string, exclude = '', level = '') => ({
      BLKIN_ENABLE: enable,
      BLKIN_EXCLUDE: exclude,
      BLKIN_LEVEL: level,
    })
    expect(await said('say()', env('disk:*'))).toEqual(['disk:read disk:write disk:readahead'])
    expect(await said('say()', env(' disk:read , net.tcp:* ,,'))).toEqual([
      'disk:read net.tcp:read net.tcp:send',
    ])
    expect(await said('say()', env('*:*', 'disk:*,*:send'))).toEqual(['net.tcp:read'])
    expect(await said('say()', env('*:*', '', 'warning'))).toEqual(['disk:write net.tcp:send'])
    expect(await said('say()', env('*:*', 'disk:*', 'warning'))).toEqual(['net.tcp:send'])
  })

  test('a bad value is told on stderr, once, and left out; the others stand', async () => {
    const bad = {
      BLKIN_RELAY: 'nowhere',
      BLKIN_ENABLE: 'disk:read,nonsense,disk:write',
      BLKIN_EXCLUDE: 'x,disk:write',
      BLKIN_LEVEL: 'loud',
      BLKIN_BUFFER: '3x1M',
      BLKIN_ACK: 'maybe',
      BLKIN_RING: 'cup',
      BLKIN_CLOCK: 'sundial',
    }
    const ended = await run(
      `${declared} say(); enable('*:send'); provider('again', {}); status(); console.log(JSON.stringify(log))`,
      { env: bad },
    )
    expect(lastJson(ended)).toEqual(['disk:read'])
    const lines = ended.stderr.split('\n').filter((line) => line.endsWith('; left out'))
    expect(lines.sort()).toEqual([
      'blkin: BLKIN_ACK: "maybe": expected written or synced; left out',
      'blkin: BLKIN_BUFFER: "3x1M": expected COUNTxSIZE such as 4x1M, powers of two, 1 to 64 of 8K to 1G; left out',
      'blkin: BLKIN_CLOCK: "sundial": expected tsc or monotonic; left out',
      'blkin: BLKIN_ENABLE: pattern "nonsense": expected provider:event, such as "blockstore:*"; left out',
      'blkin: BLKIN_EXCLUDE: pattern "x": expected provider:event, such as "blockstore:*"; left out',
      expect.stringMatching(/^blkin: BLKIN_LEVEL: level "loud": expected one of emerg, .*; left out$/),
      'blkin: BLKIN_RELAY: "nowhere": expected HOST:PORT, such as 127.0.0.1:4650 or [::1]:4650, or unix:PATH; left out',
      'blkin: BLKIN_RING: "cup": expected cpu or thread; left out',
    ])
  })

  test('good values are in force', async () => {
    const env = {
      BLKIN_RELAY: await freeAddress(),
      BLKIN_RING: 'thread',
      BLKIN_CLOCK: 'monotonic',
      BLKIN_ENABLE: 'disk:*',
    }
    const { buffers, relay } = await result<{ buffers: object; relay: object }>(
      `${declared} console.log(JSON.stringify(status()))`,
      { env },
    )
    expect({ ...buffers, ...relay }).toMatchObject({
      kind: 'thread',
      clock: 'monotonic',
      address: env.BLKIN_RELAY,
    })
  })
})

test('10,000 flips of a rule while emitting: the memory does not grow', async () => {
  const to = await relay()
  const text = `
    import { enable, disable, flush, provider, status, t } from 'blkin'
    const { e } = provider('soak', { e: { fields: { n: t.u32, s: t.string } } })
    let emitted = 0
    const rss = []
    for (let half = 0; half < 4; half++) {
      for (let i = 0; i < 2500; i++) {
        const rule = enable('soak:*')
        for (let k = 0; k < 4; k++) { e({ n: emitted, s: 'soak' }); emitted++ }
        if (i % 2 === 0) rule.disable(); else disable('soak:*')
        e({ n: 0, s: 'off' })
        if (i % 100 === 0) await flush()
      }
      gc()
      rss.push(process.memoryUsage.rss())
    }
    console.log(JSON.stringify({ emitted, rss, lost: status().lost, rules: status().rules.length }))`
  const answer = await result<{ emitted: number; rss: number[]; rules: number }>(text, {
    env: { BLKIN_RELAY: to.address },
    flags: ['--expose-gc'],
  })
  const { events, lost } = await recorded(to.output)
  expect(lost + events.length).toBe(answer.emitted)
  expect(events.every(({ fields }) => fields.s === 'soak')).toBe(true)
  expect(answer.rules).toBe(0)
  const [, second = 0, , last = 0] = answer.rss
  expect(last - second, `RSS after each quarter: ${answer.rss}`).toBeLessThan(12 * 2 ** 20)
})
