// test/transform-load.test.ts: programs under `node --import blkin/register`, on each Node: off, nothing of a tracepoint's
// arguments is evaluated; on, what is recorded is what the program without the transform records; lines stay right.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nodeBinary } from '../scripts/lib/nodes.mjs'
import { installed } from './support/installed-program.js'
import { relay } from './support/relays.js'
import { lastJson, type RunOptions, run } from './support/run.js'
import { recorded } from './support/trace.js'

/** A program of these files, which finds blkin as an installed package. */
function program(files: Record<string, string>): (options: RunOptions) => ReturnType<typeof run> {
  const main = join(installed(files), 'main.mjs')
  return (options) => run(main, options)
}

const files = {
  'tracepoints.mjs': `
import { provider, t } from 'blkin'
export const disk = provider('disk', { io: { fields: { bytes: t.u32 } }, sync: { fields: { path: t.string } } })`,
  'common.cjs': `
const { provider, t } = require('blkin')
const net = provider('net', { sent: { fields: { bytes: t.u32 } } })
exports.send = (bytes) => { net.sent({ bytes: bytes() }) }`,
  'main.mjs': `
import { enable, flush, status } from 'blkin'
import { disk } from './tracepoints.mjs'
import { send } from './common.cjs'
let evaluated = 0
const bytes = () => ++evaluated
function work() {
  disk.io({ bytes: bytes() })
  disk.sync({ path: 'p' + bytes() }); const later = () => disk.io({ bytes: bytes() })
  later()
  send(bytes)
  if (disk.io.on[0]) bytes()
}
work()
const off = evaluated
enable('*:*')
for (let i = 0; i < 100; i++) work()
await flush(10_000)
let line
try { disk.io({ bytes: (() => { throw new Error('here') })() }) } catch (error) { line = error.stack.split('\\n')[1] }
console.log(JSON.stringify({ off, on: evaluated - off, line, transform: status().transform }))`,
}

interface Told {
  off: number
  on: number
  line: string
  transform: { modules: number; calls: number; left: number }
}

const nodes = (['oldest', 20, 22, 24, 26] as const).map((major) => ({ major, node: nodeBinary(major) }))

test.each(nodes)('Node $major: calls of ES modules and CommonJS are static', async ({ node }) => {
  if (node === undefined) throw new Error('this Node cannot be fetched')
  const start = program(files)
  const told: Told[] = []
  const values: unknown[] = []
  for (const flags of [['--import', 'blkin/register'], []]) {
    const { output, address } = await relay()
    const ended = await start({ node, flags, env: { BLKIN_RELAY: address } })
    expect(ended.stderr).toBe('')
    told.push(lastJson<Told>(ended))
    const { events, lost } = await recorded(output)
    expect(lost).toBe(0)
    values.push(events.map(({ tracepoint, fields }) => [tracepoint.event, fields]))
  }
  const [changed, plain] = told as [Told, Told]
  expect({ off: changed.off, on: changed.on }).toEqual({ off: 0, on: 500 })
  expect({ off: plain.off, on: plain.on }).toEqual({ off: 4, on: 500 })
  expect(changed.transform).toEqual({ modules: 2, calls: 6, left: 0 })
  expect(plain.transform).toEqual({ modules: 0, calls: 0, left: 0 })
  // The plain program had evaluated four before.
  const moved = (values[1] as [string, Record<string, number | string>][]).map(([event, fields]) => [
    event,
    event === 'sync'
      ? { path: `p${Number(String(fields.path).slice(1)) - 4}` }
      : { bytes: Number(fields.bytes) - 4 },
  ])
  expect(
    (values[0] as [string, Record<string, unknown>][]).map(([event, fields]) => [
      event,
      event === 'sync' ? fields : { bytes: Number(fields.bytes) },
    ]),
  ).toEqual(moved)
  const lineOf = ({ line }: Told) => line.replace(/:\d+$/, '')
  expect(lineOf(changed)).toBe(lineOf(plain))
})

test.each(nodes.filter(({ major }) => Number(major) > 20))(
  'Node $major: calls of TypeScript that Node strips are static, lines and columns right',
  async ({ node }) => {
    if (node === undefined) throw new Error('this Node cannot be fetched')
    const start = program({
      'tracepoints.ts': `import { provider, t } from 'blkin'
export const disk = provider('disk', { io: { fields: { bytes: t.u32 } } } as const)`,
      'work.ts': `import { disk } from './tracepoints.ts'
interface Size { bytes: number }
export function work(size: () => number): void {
  disk.io({ bytes: size() } satisfies Size); throw new Error('here' as string)
}`,
      'main.mjs': `
import { status } from 'blkin'
const { work } = await import('./work.ts')
let evaluated = 0
let line
try { work(() => ++evaluated) } catch (error) { line = error.stack.split('\\n')[1] }
console.log(JSON.stringify({ evaluated, line, calls: status().transform.calls }))`,
    })
    const flags = ['--import', 'blkin/register', '--enable-source-maps']
    const { evaluated, line, calls } = lastJson<{ evaluated: number; line: string; calls: number }>(
      await start({ node, flags, env: { NODE_NO_WARNINGS: '1' } }),
    )
    expect({ evaluated, calls }).toEqual({ evaluated: 0, calls: 1 })
    expect(line).toMatch(/work\.ts:4:52\)?$/)
  },
)

test('a source map that a file has is composed with ours', async () => {
  const map = {
    version: 3,
    sources: ['original.js'],
    sourcesContent: [null],
    names: [],
    // Line 2 of what is compiled is line 41 of the original, column for column.
    mappings: `;${'AAwCA,IAAI'}`,
  }
  const comment = `//# sourceMappingURL=data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}`
  const start = program({
    'main.mjs': `import { provider } from 'blkin'; const disk = provider('disk', { io: {} })
disk.io(); throw new Error('here')
${comment}`,
  })
  const flags = ['--import', 'blkin/register', '--enable-source-maps']
  const { stderr } = await start({ flags })
  expect(stderr).toMatch(/original\.js:(40|41|42)/)
})

test('BLKIN_TRANSFORM=off leaves all as it is; BLKIN_DEBUG=transform says what is done', async () => {
  const start = program({
    'main.mjs': `
import { provider, t } from 'blkin'
const disk = provider('disk', { io: { fields: { n: t.u32 } } })
let n = 0
disk.io({ n: n++ })
disk.io({ n: 1 })
console.log(n)`,
  })
  const flags = ['--import', 'blkin/register']
  const env = { BLKIN_DEBUG: 'transform' }
  const { stderr, stdout } = await start({ flags, env })
  expect(stdout).toBe('1\n')
  expect(stderr).toMatch(/^blkin: transform: \S+main\.mjs: 1 static\n/)
  expect(stderr).toMatch(/main\.mjs:5 disk:io: its arguments change something; left as it is\n$/)
  expect((await start({ flags, env: { ...env, BLKIN_TRANSFORM: 'off' } })).stderr).toBe('')
  expect((await start({ flags, env: { BLKIN_TRANSFORM: 'no' } })).stderr).toMatch(
    /BLKIN_TRANSFORM: "no": expected on or off; left out/,
  )
})

test('two tracepoints of one name: each call asks its own', async () => {
  const start = program({
    'main.mjs': `
import { enable, flush, provider, t } from 'blkin'
const first = provider('disk', { io: { fields: { bytes: t.u32 } } })
const one = (bytes) => { first.io({ bytes }) }
one(0)
const second = provider('disk', { io: { fields: { path: t.string } } })
enable('disk:io', { filter: 'bytes > 4' })
one(1); one(5)
second.io({ path: 'a' })
enable('disk:io')
one(2)
second.io({ path: 'b' })
await flush(10_000)`,
  })
  const { output, address } = await relay()
  const { code } = await start({ flags: ['--import', 'blkin/register'], env: { BLKIN_RELAY: address } })
  expect(code).toBe(0)
  const { events, lost } = await recorded(output)
  expect(lost).toBe(0)
  expect(events.map(({ fields }) => fields)).toEqual([{ bytes: 5 }, { bytes: 2 }, { path: 'b' }])
})

test('a program whose modules are in a circle runs as it would have', async () => {
  const start = program({
    'tracepoints.mjs': files['tracepoints.mjs'],
    'a.mjs': `
import { disk } from './tracepoints.mjs'
import './b.mjs'
export function early() { disk.io({ bytes: 1 }); return 'called before its module ran' }`,
    'b.mjs': `
import { early } from './a.mjs'
console.log(early())`,
    'main.mjs': `import './a.mjs'`,
  })
  expect((await start({ flags: ['--import', 'blkin/register'] })).stdout).toBe(
    'called before its module ran\n',
  )
})

test('where no thread may be started, calls stay as they are', async () => {
  const start = program({
    'main.mjs': `
import { provider, status } from 'blkin'
const disk = provider('disk', { io: {} })
disk.io()
console.log(status().transform.calls)`,
  })
  const permission = ['--permission', '--allow-addons', '--allow-fs-read=*', '--allow-fs-write=*']
  const flags = [...permission, '--import', 'blkin/register']
  const node = nodeBinary(24) as string
  const env = { NODE_NO_WARNINGS: '1' }
  const ended = await start({ node, flags, env })
  expect(ended).toMatchObject({ code: 0, stdout: '0\n', stderr: '' })
  expect((await start({ node, flags: [...flags, '--allow-worker'], env })).stdout).toBe('1\n')
})
