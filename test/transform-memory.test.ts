// test/transform-memory.test.ts: what `node --import blkin/register` parses is parsed in no heap of the program's, on each Node that has
// module.registerHooks(): trees make each of its collections dearer, and its young generation larger for good.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nodeBinary } from '../scripts/lib/nodes.mjs'
import { installed } from './support/installed-program.js'
import { lastJson, run } from './support/run.js'

const functions = Array.from(
  { length: 10_000 },
  (_, i) => `export function work${i}(a, b) { const sum = a + b * ${i}; return sum > 0 ? [sum, a] : { b } }`,
)
const large = `import { provider, t } from 'blkin'
const disk = provider('disk', { io: { fields: { bytes: t.u32 } } })
export const io = (bytes) => { disk.io({ bytes }) }
${functions.join('\n')}`

const main = `
import { setTimeout as sleep } from 'node:timers/promises'
import { status } from 'blkin'
import { io } from './large.mjs'
io(1)
await sleep(0) // a WeakRef holds until the turn ends
gc()
await sleep(0)
gc()
console.log(JSON.stringify({ heap: process.memoryUsage().heapUsed, calls: status().transform.calls }))`

test.each([22, 24, 26] as const)(
  'Node %i: a parsed module leaves its text and map, and no tree',
  async (major) => {
    const node = nodeBinary(major)
    if (node === undefined) throw new Error('this Node cannot be fetched')
    const program = join(installed({ 'large.mjs': large, 'main.mjs': main }), 'main.mjs')
    const flags = ['--expose-gc', '--import', 'blkin/register']
    const heapOf = async (transform: string, calls: number) => {
      const told = lastJson<{ heap: number; calls: number }>(
        await run(program, { node, flags, env: { BLKIN_TRANSFORM: transform } }),
      )
      expect(told.calls).toBe(calls)
      return told.heap
    }
    const more = (await heapOf('on', 1)) - (await heapOf('off', 0))
    // the text with its map, which takes eleven times as much as the text here; with the tree it was 120
    expect(more).toBeLessThan(20 * large.length)
  },
)
