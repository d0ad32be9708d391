// test/emitter-size.test.ts: what V8 asks of an emitter before it costs nothing where it is off: functions of less than 27 bytes of
// bytecode, which are inlined whatever the caller's size, and properties that are no dictionary. Times would not tell on a busy machine.
import { expect, test } from 'vitest'
import { nodeBinary } from '../scripts/lib/nodes.mjs'
import { run } from './support/run.js'

const text = `
  import { openSession, provider, t } from 'blkin'
  const { io, sync } = provider('size', { io: { fields: { a: t.u32, b: t.u64, c: t.bool } }, sync: {} })
  openSession('size', { relay: null }).enable('size:*')
  io({ a: 1, b: 2, c: true })
  sync()
  console.log('fast', %HasFastProperties(io), %HaveSameMap(io, sync))`

/** V8's --max-inlined-bytecode-size-small. */
const small = 27

test.each([20, 22, 24, 26] as const)('Node %s: V8 inlines what stands before the record', async (major) => {
  const node = nodeBinary(major)
  if (node === undefined) throw new Error('this Node cannot be fetched')
  const flags = ['--allow-natives-syntax', '--print-bytecode']
  const { stdout, stderr } = await run(text, { node, flags })
  expect(stderr).toBe('')
  expect(stdout).toContain('fast true true')
  const sizes = (name: string) =>
    [...stdout.matchAll(new RegExp(`for function: ${name} .*\\nBytecode length: (\\d+)`, 'g'))].map(([, n]) =>
      Number(n),
    )
  for (const [name, count] of Object.entries({ io: 1, sync: 1, attempt: 2, read: 2 })) {
    const all = sizes(name) // Node has functions of these names as well
    expect(all.filter((bytes) => bytes < small).length, `${name}: ${all}`).toBeGreaterThanOrEqual(count)
  }
})
