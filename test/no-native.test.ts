// test/no-native.test.ts: without the addon a program runs as if it had no tracepoints, can ask why, and stdout is its own.
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { installIn } from './support/installed.js'
import { folder, lastJson, root, run } from './support/run.js'

/** The package as it would be where there is no addon. */
const bare = () => installIn(folder(), [])

const text = (at: string) => `
  import { disable, enable, flush, isNative, loadError, provider, status, t, trace } from ${JSON.stringify(join(at, 'dist/index.js'))}
  const p = provider('none', { e: { fields: { a: t.u8, s: t.string } }, plain: {} })
  const rule = enable('*:*')
  p.e({ a: 1, s: 'x' }); p.e(); p.e({ get a() { throw new Error('never read') } }); p.plain()
  rule.disable(); disable('*:*')
  const span = trace.start('x', { debug: true })
  const spans = [span.enabled, span.inject({}, 'b3'), trace.run(span, () => trace.current().traceId)]
  span.annotate('x'); span.tag('x', 1); span.pack(new Uint8Array(24)); span.end()
  let refused
  try { provider('none', { 'a b': {} }) } catch (error) { refused = error.code }
  const { native, loadError: why, lost, tracepoints } = status()
  console.log(JSON.stringify({ isNative, error: loadError.message, on: p.e.on[0], name: p.e.tracepoint, flushed: await flush(), refused, native, why, lost, tracepoints, spans }))`

test('provider() gives tracepoints that do nothing, and the package says why', async () => {
  const ended = await run(text(bare()), {
    env: { BLKIN_REQUIRE_NATIVE: '', BLKIN_LEVEL: 'wrong' },
  })
  expect(ended).toMatchObject({ code: 0, stderr: expect.stringMatching(/^blkin: not traced: .*\n$/) })
  expect(ended.stdout.split('\n'), 'stdout is the program’s alone').toHaveLength(2)
  const answer = lastJson<Record<string, unknown>>(ended)
  expect(answer).toMatchObject({
    isNative: false,
    error: expect.stringContaining('there is no addon at'),
    on: 0,
    name: 'none:e',
    flushed: true,
    refused: 'ERR_BLKIN_DECLARATION',
    native: false,
    lost: { noRoom: 0, tooBig: 0, badValue: 0, noRing: 0, overwritten: 0, unstored: 0 },
    tracepoints: { declared: 0, enabled: 0 },
    spans: [false, {}, ''],
  })
  expect(answer.why).toBe(answer.error)
})

test('BLKIN_REQUIRE_NATIVE=1 makes that an error, with the cause', async () => {
  const ended = await run(text(bare()))
  expect(ended.code).toBe(1)
  expect(ended.stdout).toBe('')
  expect(ended.stderr).toMatch(
    /BLKIN_REQUIRE_NATIVE is 1 and the addon could not be loaded: there is no addon at .*docs\/bundling\.md/,
  )
})

test('an addon that cannot be loaded is told like one that is not there', async () => {
  const at = bare()
  cpSync(join(root, 'package.json'), join(at, 'build/Release/blkin.node'), { recursive: true })
  writeFileSync(join(at, 'build/Release/blkin.node'), 'no object file')
  const ended = await run(text(at), { env: { BLKIN_REQUIRE_NATIVE: '' } })
  expect(lastJson(ended)).toMatchObject({ isNative: false, error: expect.stringMatching(/blkin\.node/) })
})

test('with the addon, nothing is ever said on stdout', async () => {
  const quiet = `
    import { enable, flush, provider, t } from 'blkin'
    const p = provider('quiet', { e: { fields: { a: t.u8 } } })
    enable('*:*'); for (let a = 0; a < 1000; a++) p.e({ a }); p.e(); await flush(100)`
  const ended = await run(quiet, { env: { BLKIN_RELAY: '127.0.0.1:1', BLKIN_LEVEL: 'wrong' } })
  expect(ended).toMatchObject({ code: 0, stdout: '' })
})
