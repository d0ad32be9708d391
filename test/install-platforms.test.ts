// test/install-platforms.test.ts: where blkin does not trace it installs all the same, says so to who asks, and does nothing: macOS and
// Windows. And of what a relay needs, what is missing is named in one line.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { commandOf, packageManagers } from '../scripts/lib/package-managers.mjs'
import { whyNoTestPackages } from '../scripts/lib/test-packages.mjs'
import { type Published, publish } from './support/published.js'

let published: Published
let npm: string
const missing = await whyNoTestPackages()
beforeAll(async () => {
  if (missing !== undefined) return
  published = await publish(/otlp-transformer/)
  npm = await commandOf(packageManagers.find(({ name }) => name === 'npm 11')!)
}, 300_000)
afterAll(() => published?.close())

const app = `
  import { isNative, loadError, provider, status, t } from 'blkin'
  const p = provider('nowhere', { hit: { fields: { n: t.u32 } } })
  p.hit({ n: 1 })
  console.log(JSON.stringify({ isNative, why: loadError.message, on: p.hit.on[0], native: status().native }))`
/** Node.js as it would be there, to whoever asks. */
const pretend = (platform: string, arch: string) =>
  `data:text/javascript,for (const [name, value] of [['platform','${platform}'],['arch','${arch}']]) Object.defineProperty(process, name, { value })`

for (const [platform, arch] of [
  ['darwin', 'arm64'],
  ['win32', 'x64'],
] as const) {
  test(`on ${platform}-${arch} it installs, and is the documented no-op`, {
    timeout: 120_000,
    skip: missing !== undefined,
  }, async () => {
    const folder = published.app({ 'app.mjs': app })
    const node = [process.execPath, '--import', pretend(platform, arch)]
    await published.mustRun(folder, [...node, npm, 'install', 'blkin', '@blkin/relay'])
    expect(readdirSync(join(folder, 'node_modules/@duckdb'))).toContain(`node-bindings-${platform}-${arch}`)

    const said = await published.mustRun(folder, [...node, '--import', 'blkin/register', 'app.mjs'])
    expect(JSON.parse(said)).toEqual({
      isNative: false,
      why: expect.stringContaining(platform),
      on: 0,
      native: false,
    })
    const blkin = [...node, join(folder, 'node_modules/blkin/dist/cli/main.js')]
    const record = await published.run(folder, [...blkin, ...'record -o t -e *:* -- node app.mjs'.split(' ')])
    expect(record.code).toBe(1)
    expect(record.text).toMatch(new RegExp(`^blkin: the addon could not be loaded: .*${platform}`))
    expect(record.text, 'no stack').not.toMatch(/^ +at /m)
    expect(existsSync(join(folder, 't'))).toBe(false)
  })
}

test('a relay keeps spans where DuckDB is, and without it says so in one line and records the rest', {
  timeout: 120_000,
  skip: missing !== undefined,
}, async () => {
  const folder = published.app({
    'relay.mjs': `
    import { startRelay } from '@blkin/relay'
    const relay = await startRelay({ listen: '127.0.0.1:0', output: 't', tracing: { listen: '127.0.0.1:0' } })
    console.log((await fetch('http://' + relay.httpAddress + '/health')).status)
    await relay.close()`,
    'hits.mjs': `
    import { provider } from 'blkin'
    provider('hits', { hit: {} }).hit()`,
  })
  await published.mustRun(folder, [npm, 'install', 'blkin', '@blkin/relay'])
  expect(await published.mustRun(folder, ['node', 'relay.mjs'])).toBe('200\n')

  await published.mustRun(folder, [npm, 'ci', '--omit=optional'])
  const relay = ['npx', 'blkin', 'relay', '--listen', '127.0.0.1:0', '-o', 'traces']
  const refused = await published.run(folder, [...relay, '--http', '127.0.0.1:0'])
  expect(refused).toEqual({
    code: 1,
    text: expect.stringMatching(
      /^blkin: spans are kept in DuckDB, and DuckDB's binary for \S+ is not installed; .*--omit=optional\n$/,
    ),
  })
  const recorded = await published.mustRun(folder, [
    'npx',
    'blkin',
    'record',
    '-o',
    'r',
    '-e',
    '*:*',
    '--',
    'node',
    'hits.mjs',
  ])
  expect(recorded).toContain('recorded 1 event from 1 process')
})
