// test/install-contents.test.ts: what is in the tarballs, and what is not; and that nothing which they bring along builds anything, or
// needs a newer Node.js than they say.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nodeBinary } from '../scripts/lib/nodes.mjs'
import { packAll } from '../scripts/lib/pack.mjs'
import { mustRun } from '../scripts/lib/run.mjs'
import { prebuildOf, targets } from '../scripts/lib/targets.mjs'
import { root } from './support/run.js'

const prebuilds = targets.map(prebuildOf)
const home = mkdtempSync(join(tmpdir(), 'blkin-contents-'))
let packages: Awaited<ReturnType<typeof packAll>>
beforeAll(async () => {
  packages = await packAll(home, () => {})
  for (const { file } of packages) await mustRun('tar', ['-xzf', file, '-C', home, '--one-top-level'])
}, 300_000)
afterAll(() => rmSync(home, { recursive: true, force: true }))

/** Where a package was unpacked. */
const unpacked = ({ file }: { file: string }) => join(home, basename(file, '.tgz'), 'package')

test('each has what it runs, its types, its licence and a page for readers, and nothing else', () => {
  const [blkin, relay] = packages.map(({ paths }) => paths)
  const compiled = /^dist\/.*\.([cm]?js|js\.map|d\.c?ts)$/
  const bundled = /^(types\/index\.d\.ts|gen\/(\w+\.js|package\.json|runtime\.LICENSE))$/
  const rest = (paths: string[], ...those: RegExp[]) =>
    paths.filter((path) => !those.some((each) => each.test(path))).sort()
  expect(rest(blkin!, compiled)).toEqual(
    ['CHANGELOG.md', 'LICENSE', 'README.md', 'dist/transform/LICENSE', 'package.json', ...prebuilds].sort(),
  )
  expect(rest(relay!, compiled, bundled)).toEqual(['LICENSE', 'README.md', 'package.json'])
  expect([...blkin!, ...relay!].filter((path) => /test|tsbuildinfo/.test(path))).toEqual([])
  expect(relay!.filter((path) => path.endsWith('.d.ts'))).toEqual(['types/index.d.ts'])
  const licences = packages.map((each) => readFileSync(join(unpacked(each), 'LICENSE'), 'utf8'))
  expect(new Set(licences).size, 'one licence').toBe(1)
})

test('neither is large', () => {
  const [blkin, relay] = packages
  expect(blkin!.size).toBeLessThan(1_000_000 * (1 + prebuilds.length))
  expect(relay!.size).toBeLessThan(1_000_000)
})

test('a source map holds the sources that it speaks of, and no file names a folder of this machine', () => {
  for (const each of packages)
    for (const path of each.paths) {
      const bytes = readFileSync(join(unpacked(each), path))
      expect(bytes.includes(root), path).toBe(false)
      if (!path.endsWith('.map')) continue
      const { sources, sourcesContent = [] } = JSON.parse(bytes.toString())
      expect(sourcesContent.filter(Boolean), path).toHaveLength(sources.length)
    }
})

test('nothing that an install brings has a script of its own to run', () => {
  const { packages: locked } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const scripted = Object.entries<{ dev?: boolean; hasInstallScript?: boolean }>(locked)
    .filter(([, { dev, hasInstallScript }]) => hasInstallScript && !dev)
    .map(([path]) => path)
  expect(scripted).toEqual([])
  for (const each of packages) {
    expect(readdirSync(unpacked(each))).not.toContain('binding.gyp')
    const { scripts, os } = JSON.parse(readFileSync(join(unpacked(each), 'package.json'), 'utf8'))
    expect(Object.keys(scripts).filter((name) => /install/.test(name))).toEqual([])
    expect(os, 'installs everywhere').toBeUndefined()
  }
})

test('the oldest Node.js that they name loads both', async (t) => {
  const node = nodeBinary('oldest')
  if (node === undefined) return t.skip('that Node.js cannot be had')
  const version = (await mustRun(node, ['--version'])).trim().slice(1)
  for (const folder of ['.', 'relay']) {
    const { engines } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    expect(`${engines.node}.0`).toBe(`>=${version}`)
  }
  const load = `
    const relay = await import('@blkin/relay'), { isNative } = await import('blkin')
    const running = await relay.startRelay({ listen: '127.0.0.1:0', output: ${JSON.stringify(join(home, 't'))}, tracing: {} })
    await running.close()
    console.log(isNative)`
  expect(await mustRun(node, ['--input-type=module', '--eval', load])).toBe('true\n')
})
