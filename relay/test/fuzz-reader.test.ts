// relay/test/fuzz-reader.test.ts: trace folders whose files were damaged. What is read of one is printed the same by both readers and
// ends, or ends with a TraceError that says where; it holds no more than there are bytes for. What `blkin repair` leaves of it is read
// without a fault.

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { eventBlock, preamble } from '../src/ctf/metadata.js'
import {
  formatJson,
  formatText,
  readTrace,
  repairTraces,
  TraceError,
  type TraceEvent,
  view,
} from '../src/index.js'
import { types } from '../src/protocol/wire.js'
import { field, tracepoint } from './client.js'
import { encode, StreamWriter, type Value } from './ctf-writer.js'
import { changed } from './fuzz/inputs.js'
import { fuzz, TIMEOUT_MS } from './fuzz/run.js'
import { collect } from './helpers.js'

const { Type, Shape } = types
const uuid = Buffer.alloc(16, 5)
const common = {
  uuid,
  hostname: 'host',
  program: 'node',
  pid: 4711,
  bootId: Buffer.alloc(16, 7),
  synced: false,
}
const session = {
  startedAt: 1n,
  session: 'default',
  contexts: [field('tid', Type.I32)],
  clockOffset: 1_700_000_000n,
}
const declared = [
  tracepoint(0, 'p:number', [field('n', Type.U64), field('x', Type.F64)]),
  tracepoint(1, 'p:text', [field('s', Type.STRING), field('b', Type.BYTES)]),
  tracepoint(2, 'p:many', [field('a', Type.U16, { shape: Shape.SEQUENCE }), field('t', Type.STRING, { shape: Shape.ARRAY, length: 2 })]), // biome-ignore format: one tracepoint
]
const payloads: Buffer[] = [
  Buffer.concat([encode('i32', 1), encode('u64', 7n as Value), encode('f64', 0.5)]),
  Buffer.concat([encode('i32', 1), encode('string', 'text'), encode('bytes', Buffer.from('bytes'))]),
  Buffer.concat([encode('i32', 1), encode({ sequence: 'u16' }, [1, 2, 3]), encode('string', 'a'), encode('string', 'b')]), // biome-ignore format: one event
]

function stream(): Buffer {
  const writer = new StreamWriter(uuid, 0)
  writer.start(1n)
  let time = 1n
  for (let n = 0; n < 60; n++) {
    time += n % 20 === 19 ? 200_000_000n : 1000n // too long for a compact header, at times
    writer.event(n % 3, time, payloads[n % 3]!)
    if (n % 15 === 14) writer.take(BigInt(n))
  }
  writer.take()
  return writer.all()
}
const files = {
  metadata: Buffer.from(preamble({ ...common, ...session } as never) + declared.map(eventBlock).join('')),
  events_0: stream(),
}

/** The trace, in a folder of its own, with that file in place of its own. */
function damagedTrace(name: keyof typeof files, bytes: Buffer): string {
  const root = mkdtempSync(join(tmpdir(), 'blkin-fuzz-'))
  const trace = join(root, 'node-4711-01234567')
  mkdirSync(trace)
  for (const [file, whole] of Object.entries({ ...files, '.events_0': '', [name]: bytes }))
    writeFileSync(join(trace, file), whole)
  return root
}

/** The lines that there are before what is wrong, and that. */
async function linesOf(path: string): Promise<{ text: string[]; json: string[]; fault?: TraceError }> {
  const lines = { text: [] as string[], json: [] as string[] }
  let before: TraceEvent | undefined
  try {
    for await (const item of readTrace(path)) {
      lines.text.push(formatText(item, before))
      lines.json.push(formatJson(item))
      if (item.kind === 'event') before = item
    }
  } catch (fault) {
    assert(fault instanceof TraceError, `a TraceError: ${fault instanceof Error ? fault.stack : fault}`)
    return { ...lines, fault }
  }
  return lines
}

async function printed(path: string, json: boolean): Promise<{ lines: string[]; fault?: TraceError }> {
  const output = collect()
  const lines = () => output.text().split('\n').slice(0, -1)
  try {
    await view({ path, json, output })
  } catch (fault) {
    assert(fault instanceof TraceError, `a TraceError: ${fault instanceof Error ? fault.stack : fault}`)
    return { lines: lines(), fault }
  }
  return { lines: lines() }
}

async function check(root: string, size: number): Promise<number> {
  const items = await linesOf(root)
  assert(items.text.length <= size, 'an event takes a byte at least, and a loss its packet')
  for (const json of [false, true]) {
    const { lines, fault } = await printed(root, json)
    assert.equal(fault?.message, items.fault?.message)
    if (fault === undefined) assert.deepEqual(lines, json ? items.json : items.text)
  }
  const report = await repairTraces(root)
  assert.deepEqual(report.failed, [])
  const again = await linesOf(root)
  // what is not ours is left alone
  const isSetAside = readdirSync(root).every((name) => name.startsWith('.'))
  if (!isSetAside && !again.fault?.isForeign)
    assert.equal(again.fault?.message, undefined, 'what was repaired is read')
  return items.text.length
}

test.each(['metadata', 'events_0'] as const)('a damaged file %s', { timeout: TIMEOUT_MS }, async (name) => {
  let read = 0
  const words = name === 'metadata' ? ['event {', '};', '"', '/*', 'string', '[99999999]', 'sequence'] : []
  await fuzz(`reader-${name}`, 1 / 2, changed([files[name]], words), async (bytes) => {
    const root = damagedTrace(name, bytes)
    try {
      read += await check(root, files.metadata.length + files.events_0.length + bytes.length)
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  })
  expect(read, 'lines that were read').toBeGreaterThan(0)
})
