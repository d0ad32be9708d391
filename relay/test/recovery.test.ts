// relay/test/recovery.test.ts: what a disk lost of a stream: where the file is cut, what is told of the rest, and that it can be read.
// The damage is made by hand here; power-cut.test.ts has it from a disk that loses what was not synced.

import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { i64, types } from '../src/protocol/wire.js'
import { repairTraces } from '../src/recording/files/repair-traces.js'
import { decodeMarks, encodeMark, MARKS_FILE_BYTES, slotOf } from '../src/recording/mark.js'
import { connect, makeHello, makePut, tracepoint } from './client.js'
import { encode, StreamWriter } from './ctf-writer.js'
import { babeltrace, folder, hasBabeltrace, relayIn, until } from './helpers.js'

const EVENTS = 1500
const PAGE = 4096

/** Six puts of three pages or so, stored; and where each ends. */
async function stored() {
  const output = folder()
  const hello = makeHello()
  const writer = new StreamWriter(hello.uuid, 0)
  writer.start(1000n)
  const puts = Array.from({ length: 6 }, (_, put) => {
    for (let i = 0; i < EVENTS; i++) writer.event(0, BigInt(2000 + put * EVENTS + i), encode('u32', put))
    return writer.take()
  })
  const relay = await relayIn(output)
  const client = await connect(relay.address)
  await client.hello(hello)
  await client.declare([tracepoint(0, 'p:e')])
  for (const [i, packets] of puts.entries()) await client.put(makePut(0, i + 1, packets, { events: EVENTS }))
  client.end()
  await until(() => relay.stats().connections.open === 0)
  await relay.close()
  const trace = join(output, readdirSync(output)[0]!)
  const ends = puts.map((_, i) => Buffer.concat(puts.slice(0, i + 1)).length)
  return { output, hello, ends, puts, file: join(trace, 'events_0'), marks: join(trace, '.events_0') }
}

type Stored = Awaited<ReturnType<typeof stored>>

/** The machine that wrote the marks is another boot's now. */
function reboot({ marks }: Pick<Stored, 'marks'>, boot = 1n): void {
  const slots = Buffer.alloc(MARKS_FILE_BYTES)
  for (const mark of decodeMarks(readFileSync(marks))) encodeMark({ ...mark, boot }).copy(slots, slotOf(mark))
  writeFileSync(marks, slots)
}

function zero(path: string, from: number, to: number): void {
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(to - from), 0, to - from, from)
  closeSync(file)
}

const pageOf = (at: number): number => at - (at % PAGE)

/** What a new relay says to the process that comes again, and its files then. */
async function comeAgain({ output, hello, file }: Stored) {
  const relay = await relayIn(output)
  const client = await connect(relay.address)
  const { held, tracepoints } = await client.hello(hello)
  const [one] = held
  const told = one && {
    sequence: one.sequence.toNumber(),
    bytes: one.bytes.toNumber(),
    events: one.events!.toNumber(),
  }
  expect(tracepoints).toBe(1)
  if (told) expect(statSync(file).size).toBe(told.bytes)
  return {
    relay,
    client,
    held: told,
    packets: one?.packets.toNumber() ?? 0,
    lastTime: BigInt(one?.lastTime.toNumber() ?? 0),
  }
}

/** Events that are there, and that babeltrace2 says are lost. */
function read(output: string): { events: number; lost: number } {
  const { text, warnings } = babeltrace(output)
  const lost = [...warnings.matchAll(/discarded (\d+) events?/g)].reduce((sum, [, n]) => sum + Number(n), 0)
  return { events: text.split('\n').filter(Boolean).length, lost }
}

test('a cut within the last put is cut back to the put before it, and the process is told what is there', async () => {
  const made = await stored()
  truncateSync(made.file, made.ends[5]! - 100)
  const { held, client } = await comeAgain(made)
  expect(held).toEqual({ sequence: 5, bytes: made.ends[4], events: 5 * EVENTS })
  client.end()
})

test.each([
  [
    'zeros in place of its end',
    (made: Stored) => zero(made.file, pageOf(made.ends[4]!) + PAGE, made.ends[5]!),
  ],
  [
    'zeros from the middle of its last put',
    (made: Stored) => zero(made.file, pageOf(made.ends[5]!), made.ends[5]!),
  ],
])('a file of the same size with %s is not appended to', async (_, damage) => {
  const made = await stored()
  damage(made)
  const { held, client } = await comeAgain(made)
  expect(held).toEqual({ sequence: 5, bytes: made.ends[4], events: 5 * EVENTS })
  await client.put(makePut(0, 6, made.puts[5]!, { events: EVENTS }))
  client.end()
  if (hasBabeltrace) expect(read(made.output)).toEqual({ events: 6 * EVENTS, lost: 0 })
})

test.each([
  ['shorter than both marks say', (made: Stored) => truncateSync(made.file, made.ends[1]! + 5000)],
  [
    'without a page in its middle',
    (made: Stored) => zero(made.file, pageOf(made.ends[2]!), pageOf(made.ends[2]!) + PAGE),
  ],
  [
    'of which half a page was written',
    (made: Stored) => zero(made.file, pageOf(made.ends[2]!) + 512, pageOf(made.ends[2]!) + PAGE),
  ],
  ['without its first page', (made: Stored) => zero(made.file, 0, PAGE)],
  ['without marks', (made: Stored) => writeFileSync(made.marks, Buffer.alloc(MARKS_FILE_BYTES))],
  ['that is empty', (made: Stored) => truncateSync(made.file, 0)],
])(
  'a file %s is cut to its whole packets, and goes on behind a gap that is counted',
  async (name, damage) => {
    const made = await stored()
    reboot(made)
    damage(made)
    const { relay, client, held, packets, lastTime } = await comeAgain(made)
    if (name === 'without marks') expect(held!.events).toBe(6 * EVENTS)
    else expect(held!.events).toBeLessThan(6 * EVENTS)
    expect(relay.lines.join('\n')).toMatch(/node-4711-\w+\/events_0: the disk lost/)
    const missing = 6 * EVENTS - held!.events
    const writer = new StreamWriter(made.hello.uuid, 0)
    Object.assign(writer, { position: held!.bytes, packets, lastTime })
    if (packets === 0) writer.start(900_000n)
    writer.event(0, 1_000_000n, encode('u32', 6))
    const lost = new types.Lost({
      noRoom: i64(0),
      tooBig: i64(0),
      badValue: i64(0),
      noRing: i64(0),
      unstored: i64(missing),
    })
    const behind = { events: 1, lost, position: i64(1e9) }
    await client.put(makePut(0, held!.sequence + 1, writer.take(BigInt(missing)), behind))
    client.end()
    expect(relay.stats().processes[0]!.lost.unstored).toBe(missing)
    if (hasBabeltrace) expect(read(made.output)).toEqual({ events: held!.events + 1, lost: missing })
  },
)

test('marks of a relay of before are read, and what they do not say is none', async () => {
  const made = await stored()
  const before = Buffer.alloc(512 + 120)
  for (const mark of decodeMarks(readFileSync(made.marks))) {
    const slot = encodeMark(mark).subarray(0, 120)
    slot.writeUInt32LE(0x4b52414e, 0)
    slot.writeUInt32LE(crc32(slot.subarray(0, 112)), 112)
    slot.copy(before, slotOf(mark))
  }
  writeFileSync(made.marks, before)
  const { held, client } = await comeAgain(made)
  expect(held).toEqual({ sequence: 6, bytes: made.ends[5], events: 6 * EVENTS })
  client.end()
})

const cuts: [string, (made: Stored) => void][] = [
  ['within the last put', (made) => truncateSync(made.file, made.ends[5]! - 5000)],
  ['before both marks', (made) => truncateSync(made.file, made.ends[1]! + 5000)],
  ['to nothing', (made) => truncateSync(made.file, 0)],
  ['by a page of zeros', (made) => zero(made.file, pageOf(made.ends[2]!), pageOf(made.ends[2]!) + PAGE)],
]

test.each(cuts)(
  'repair tells in a file that was cut %s what is missing, once, and who comes again goes on behind it',
  async (_, damage) => {
    const made = await stored()
    damage(made)
    const before = readFileSync(made.file)
    const would = await repairTraces(made.output, { isDryRun: true })
    expect(readFileSync(made.file).equals(before), 'a dry run changes nothing').toBe(true)
    const done = await repairTraces(made.output)
    expect(done).toEqual(would)
    expect(done.repaired.map(({ path }) => path)).toEqual([made.file])
    const missing = done.repaired[0]!.missingEvents
    expect(missing).toBeGreaterThan(0)
    if (hasBabeltrace) expect(read(made.output)).toEqual({ events: 6 * EVENTS - missing, lost: missing })
    expect((await repairTraces(made.output)).repaired).toEqual([])
    const relay = await relayIn(made.output)
    const client = await connect(relay.address)
    const [held] = (await client.hello(made.hello)).held
    expect(held!.events!.toNumber() + held!.unstored!.toNumber()).toBe(6 * EVENTS)
    expect(held!.lost.toNumber()).toBe(missing)
    client.end()
  },
)

test('a relay that starts after a power cut tells in the traces of its own machine what is missing', async () => {
  const made = await stored()
  truncateSync(made.file, made.ends[3]! + 5000)
  reboot(made, 0x0707070707070707n) // in which the process ran
  const relay = await relayIn(made.output)
  const { repaired } = relay.stats().traces!
  expect(repaired).toMatchObject({ streams: 1 })
  expect(repaired.events).toBeGreaterThan(0)
  if (hasBabeltrace)
    expect(read(made.output)).toEqual({ events: 6 * EVENTS - repaired.events, lost: repaired.events })
})

test('a relay that was killed leaves nothing to repair at the start of the next', async () => {
  const made = await stored()
  truncateSync(made.file, made.ends[5]! - 5000)
  const relay = await relayIn(made.output)
  expect(relay.stats().traces!.repaired.streams).toBe(0)
  expect(statSync(made.file).size, 'its process may come again').toBe(made.ends[5]! - 5000)
})

test('a trace whose metadata did not reach the disk is set aside, and the others can be read', async () => {
  const made = await stored()
  const [trace] = readdirSync(made.output)
  writeFileSync(join(made.output, trace!, 'metadata'), '')
  const { setAside, traces } = await repairTraces(made.output)
  expect({ setAside, traces }).toEqual({ setAside: [join(made.output, trace!)], traces: 1 })
  expect(readdirSync(made.output)).toEqual([`.${trace}.unreadable`])
  const relay = await relayIn(made.output)
  const client = await connect(relay.address)
  expect((await client.hello(made.hello)).tracepoints, 'its process begins anew').toBe(0)
  client.end()
})
