// test/install-readme.test.ts: the first screen of README.md, as a reader pastes it: its packages installed, its program compiled and run,
// its commands one after the other.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { missingPackages } from '../scripts/lib/debian.mjs'
import { bin } from '../scripts/lib/run.mjs'
import { whyNoTestPackages } from '../scripts/lib/test-packages.mjs'
import { type Published, publish } from './support/published.js'
import { root } from './support/run.js'

const [install = '', program = '', commands = ''] = [
  ...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^```\w+\n(.*?)^```$/gms),
].map(([, text]) => text!)

let published: Published
const missing = await whyNoTestPackages()
beforeAll(async () => {
  if (missing !== undefined) return
  published = await publish(/node-bindings-|otlp-transformer/)
}, 300_000)
afterAll(() => published?.close())

test("README's first screen installs, compiles and runs as it stands", {
  timeout: 180_000,
  skip: missing !== undefined,
}, async () => {
  const app = published.app()
  const sh = (line: string) => published.mustRun(app, ['sh', '-c', line])
  await sh(install)

  const name = /^\/\/ (\S+\.mjs), or \S+\.ts$/m.exec(program)?.[1]
  expect(name, 'the program says what it is called').toBe('server.mjs')
  writeFileSync(join(app, 'server.mjs'), program)
  writeFileSync(join(app, 'server.mts'), program)
  const strict = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2022']
  await sh(`${bin('tsc')} ${strict.join(' ')} server.mts`)

  const socket = `unix:${join(app, 'relay')}`
  const [record = '', babeltrace = '', view = '', relay = '', traced = '', ...more] = commands
    .trim()
    .replaceAll('unix:', socket)
    .split('\n')
  expect(more).toEqual([])
  expect(await sh(record)).toMatch(/recorded 512 events from 1 process to trace .*, 0 lost/)
  if (missingPackages(['babeltrace2']).length === 0)
    expect(
      (await sh(babeltrace)).match(/blockstore:mapped: .* object = "disk0\.15", offset = 61440/),
    ).not.toBeNull()
  const requests = (await sh(view)).trim().split('\n')
  expect(requests).toHaveLength(256)
  expect(JSON.parse(requests[1]!)).toMatchObject({ event: 'request', fields: { op: 'write', offset: 4096 } })

  const running = spawn('sh', ['-c', relay], {
    ...{ cwd: app, env: published.environment, detached: true },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  onTestFinished(() => {
    if (running.exitCode === null) process.kill(-running.pid!, 'SIGKILL')
  })
  let said = ''
  running.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  while (!said.includes('listening on')) await once(running.stderr, 'data')
  await sh(traced)
  process.kill(-running.pid!, 'SIGTERM') // all that npx has started
  await once(running, 'close')
  expect(said).toContain('recorded 512 events from 1 process to traces')
})
