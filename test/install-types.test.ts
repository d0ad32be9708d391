// test/install-types.test.ts: programs in TypeScript see all that both packages export with no other package's types but Node's, however
// old their compiler and their way of finding modules are, and with libraries checked too.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compilers } from '../scripts/lib/compilers.mjs'
import { npmPackage } from '../scripts/lib/npm-packages.mjs'
import { packAll } from '../scripts/lib/pack.mjs'
import { mustRun, run } from '../scripts/lib/run.mjs'
import { whyNoTestPackages } from '../scripts/lib/test-packages.mjs'

const home = mkdtempSync(join(tmpdir(), 'blkin-types-'))
let packages: Awaited<ReturnType<typeof packAll>>
const missing = await whyNoTestPackages()
beforeAll(async () => {
  if (missing !== undefined) return
  packages = await packAll(home, () => {})
}, 300_000)
afterAll(() => rmSync(home, { recursive: true, force: true }))

const program = `
  import * as blkin from 'blkin'
  import 'blkin/register'
  import * as relay from '@blkin/relay'
  const p = blkin.provider('types', { hit: { fields: { op: blkin.t.enum(['read', 'write']), n: blkin.t.u32 } }, plain: {} })
  p.hit({ op: 'read', n: 1 })
  p.plain()
  // @ts-expect-error
  p.hit({ op: 'erase', n: 1 })
  const span: blkin.Span = blkin.trace.start('x')
  span.end()
  const running: Promise<relay.Relay> = relay.startRelay({ listen: '127.0.0.1:0', output: 't', tracing: {} })
  export const address: Promise<string> = running.then((each) => each.address)
  export async function count(): Promise<number> {
    let events = 0
    for await (const item of relay.readTrace('t')) if (item instanceof relay.TraceEvent) events++
    return events
  }
  export const all = { ...blkin, ...relay }
`
for (const { typescript, types, resolutions } of compilers)
  for (const resolution of resolutions)
    test(`${typescript}, ${types[0]}, ${resolution.moduleResolution}`, {
      timeout: 120_000,
      skip: missing !== undefined,
    }, async () => {
      const app = join(home, `${typescript}-${resolution.moduleResolution}`)
      for (const { name, file } of packages) {
        const folder = join(app, 'node_modules', name)
        mkdirSync(folder, { recursive: true })
        await mustRun('tar', ['-xzf', file, '--strip-components=1', '-C', folder])
      }
      mkdirSync(join(app, 'node_modules/@types'))
      for (const [i, name] of ['@types/node', 'undici-types'].entries())
        symlinkSync(await npmPackage(types[i]!), join(app, 'node_modules', name))
      const options = { strict: true, skipLibCheck: false, noEmit: true, target: 'es2022', types: ['node'] }
      const config = {
        compilerOptions: { ...options, preserveSymlinks: true, ...resolution },
        files: ['program.ts'],
      }
      writeFileSync(join(app, 'package.json'), '{ "type": "module" }')
      writeFileSync(join(app, 'program.ts'), program)
      writeFileSync(join(app, 'tsconfig.json'), JSON.stringify(config))
      const tsc = join(await npmPackage(typescript), 'bin/tsc')
      expect(await run(process.execPath, [tsc, '-p', '.'], { cwd: app })).toMatchObject({
        code: 0,
        output: '',
      })
    })
