// test/install-managers.test.ts: every package manager installs blkin and @blkin/relay, afresh and from its lockfile, with scripts and
// without, and what was installed traces and records. Nothing is built, and nothing asks to.
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { commandOf, packageManagers } from '../scripts/lib/package-managers.mjs'
import { whyNoTestPackages } from '../scripts/lib/test-packages.mjs'
import { type Published, publish } from './support/published.js'

let published: Published
const missing = await whyNoTestPackages()
beforeAll(async () => {
  if (missing !== undefined) return
  published = await publish(/node-bindings-|otlp-transformer/)
}, 300_000)
afterAll(() => published?.close())

const files = {
  'hits.mjs': `
    import { createRequire } from 'node:module'
    import { provider, t } from 'blkin'
    const p = provider('installed', { hit: { fields: { n: t.u32 } } })
    for (let n = 0; n < 3; n++) p.hit({ n })
    console.log(createRequire(import.meta.url)('blkin').isNative)`,
}

// All of them in CI.
for (const manager of packageManagers.filter(({ rarely }) => !rarely || process.env.CI)) {
  test(`${manager.name} installs, and what it installed records`, {
    timeout: 180_000,
    skip: missing !== undefined,
  }, async () => {
    const command = await commandOf(manager)
    const app = published.app({ ...files, ...manager.files })
    const call = (...args: string[]) =>
      published.mustRun(app, [command, ...args], { BLKIN_REQUIRE_NATIVE: '1' })

    const added = await call(...manager.add, 'blkin', '@blkin/relay')
    expect(added, 'nothing is built, nor asks to be').not.toMatch(
      /node-gyp rebuild|gyp ERR|build scripts|YN0004|YN0007/i,
    )
    for (const name of readdirSync(app).filter((name) => /lock/.test(name)))
      expect(readFileSync(join(app, name), 'utf8'), name).not.toMatch(/hasInstallScript|requiresBuild/)

    for (const flags of [manager.lean, []]) {
      rmSync(join(app, 'node_modules'), { recursive: true, force: true })
      await call(...manager.frozen, ...flags)
    }
    await call(...manager.rebuild)

    const record = 'record -o trace -e installed:* -- node hits.mjs'
    const said = await call(...manager.blkin, ...record.split(' '))
    expect(said).toMatch(/^true$/m)
    expect(said).toContain('blkin: recorded 3 events from 1 process')
    expect(await call(...manager.blkin, 'view', 'trace')).toMatch(/installed:hit: .*n = 2/)
  })
}
