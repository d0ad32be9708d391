// relay/test/view.test.ts: what can be asked of a trace, what is told of a bad one, and where losses show.

import { cpSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { eventBlock, preamble } from '../src/ctf/metadata.js'
import { formatJson, formatText, readTrace, view } from '../src/index.js'
import { i64, types } from '../src/protocol/wire.js'
import { field, tracepoint } from './client.js'
import { encode, StreamWriter } from './ctf-writer.js'
import { collect, folder } from './helpers.js'

const uuid = Buffer.alloc(16, 1)
const start = 1_700_000_000_000_000_000n

/** Two events a second apart on p:a and q:b, with three lost between them. */
function makeTrace(): string {
  const path = join(folder(), 'trace')
  mkdirSync(path)
  const who = { uuid, hostname: 'h', program: 'node', pid: 7, bootId: Buffer.alloc(16, 7), synced: false }
  const process = { ...who, startedAt: 1n, session: 'default', contexts: [] }
  const declared = [tracepoint(0, 'p:a', [field('n', types.Type.U64)]), tracepoint(1, 'q:b', [], 14)]
  writeFileSync(
    join(path, 'metadata'),
    preamble({ ...process, clockOffset: start }) + declared.map(eventBlock).join(''),
  )
  const writer = new StreamWriter(uuid, 0)
  writer.start(0n)
  writer.event(0, 5n, encode('u64', 2n ** 64n - 1n))
  writer.take()
  writer.event(1, 1_000_000_005n, Buffer.alloc(0))
  writer.take(3n)
  writeFileSync(join(path, 'events_0'), writer.all())
  return path
}

test('a loss has its line where it happened, and JSON rounds no number', async () => {
  const output = collect()
  expect(await view({ path: makeTrace(), json: true, output })).toEqual({ events: 2, lost: 3n })
  const lines = output.text().trim().split('\n')
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { time: '2023-11-14T22:13:20.000000005Z', event: 'a', fields: { n: '18446744073709551615' } },
    { lost: 3, stream: 0, until: '2023-11-14T22:13:21.000000005Z' },
    { time: '2023-11-14T22:13:21.000000005Z', event: 'b', level: 'debug', fields: {} },
  ])
  const text: string[] = []
  for await (const item of readTrace(makeTrace())) text.push(formatText(item))
  expect(text[1]).toMatch(/^\[.*\] \*\*\* 3 events lost in h:node:\(7\) events_0 between .* and .* \*\*\*$/)
})

/** Strings and labels, in a program, with marks that a terminal obeys and JSON leaves as they are. */
function makeEvilTrace(): { path: string; evil: string } {
  const evil = 'a\x7f\u0080\u009b2J\u061c\u200f\u2028\u202egnp\u2066é日'
  const path = join(folder(), 'trace')
  mkdirSync(path)
  const who = {
    uuid,
    hostname: 'h',
    program: `node${evil}`,
    pid: 7,
    bootId: Buffer.alloc(16, 7),
    synced: false,
  }
  const process = { ...who, startedAt: 1n, session: 'default', contexts: [] }
  const labels = [{ name: evil, value: i64(1) }]
  const { STRING, ENUM, U8 } = types.Type
  const fields = [field('text', STRING), field('label', ENUM, { container: U8, labels })]
  writeFileSync(
    join(path, 'metadata'),
    preamble({ ...process, clockOffset: start }) + eventBlock(tracepoint(0, 'p:a', fields)),
  )
  const writer = new StreamWriter(uuid, 0)
  writer.start(0n)
  writer.event(0, 5n, Buffer.concat([encode('string', evil), encode('u8', 1)]))
  writer.take()
  writeFileSync(join(path, 'events_0'), writer.all())
  return { path, evil }
}

test('what a terminal obeys is an escape in JSON, and in text for a terminal; for a program text is as babeltrace2 has it', async () => {
  const { path, evil } = makeEvilTrace()
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there
  const marks = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/
  const printed = async (options: object) => {
    const output = collect()
    await view({ path, output, ...options })
    return output.text().trimEnd()
  }
  const json = await printed({ json: true })
  expect(json).not.toMatch(marks)
  expect(JSON.parse(json)).toMatchObject({ program: `node${evil}`, fields: { text: evil, label: evil } })
  for await (const item of readTrace(path)) expect(formatJson(item)).toBe(json)
  const shown = await printed({ isTerminal: true })
  expect(shown).not.toMatch(marks)
  expect(shown.match(/a\\x7f\\x80\\x9b2J\\u061c\\u200f\\u2028\\u202egnp\\u2066é日/g)).toHaveLength(3)
  const text = await printed({})
  for await (const item of readTrace(path)) if (item.kind === 'event') expect(formatText(item)).toBe(text)
  expect(text).toContain(evil.slice(2))
})

const names = async (options: { patterns?: string[]; since?: string; until?: string }) => {
  const found: string[] = []
  for await (const item of readTrace(makeTrace(), options))
    if (item.kind === 'event') found.push(item.tracepoint.event)
  return found.join()
}

test('in a folder, what is not ours or is broken is told and passed over', async () => {
  const path = folder()
  const add = (name: string) => join(path, name)
  cpSync(makeTrace(), add('ours'), { recursive: true })
  cpSync(makeTrace(), add('short'), { recursive: true })
  const events = join(add('short'), 'events_0')
  truncateSync(events, statSync(events).size - 10)
  for (const name of ['empty', 'lttng', 'odd']) mkdirSync(add(name))
  writeFileSync(join(add('lttng'), 'metadata'), '\x57\x1d\xd1\x75... tracer_name = "lttng-ust";', 'latin1')
  mkdirSync(join(add('odd'), 'metadata'))
  const faults: [string, boolean][] = []
  const output = collect()
  const onFault = ({ message, isForeign }: { message: string; isForeign: boolean }) =>
    faults.push([message.replaceAll(path, ''), isForeign])
  expect(await view({ path, output, onFault }), 'and what came before the break').toEqual({
    events: 3,
    lost: 3n,
  })
  expect(faults).toEqual([
    ['/lttng: not a blkin trace (tracer_name is "lttng-ust"); read it with babeltrace2', true],
    ['/odd/metadata: cannot be read (EISDIR)', false],
    [expect.stringMatching(/^\/short\/events_0: the file ends after \d+ bytes in the packet at byte/), false],
  ])
  await expect(view({ path, output }), 'a program that does not ask').rejects.toThrow('/lttng: not a blkin')
})

test('a folder of none of ours says so', async () => {
  const path = folder()
  for (const name of ['a', 'b']) {
    mkdirSync(join(path, name))
    writeFileSync(join(path, name, 'metadata'), 'nothing')
  }
  const onFault = () => {}
  await expect(view({ path, output: collect(), onFault })).rejects.toMatchObject({
    message: expect.stringMatching(/no trace here of ours, and 2 others; expected a folder with/),
    isForeign: true,
  })
  await expect(view({ path: join(path, 'a'), output: collect(), onFault })).rejects.toThrow(
    /a: not a blkin trace \(metadata names no tracer\); read it with babeltrace2/,
  )
})

test('patterns and moments choose events', async () => {
  expect(await names({ patterns: ['p:*'] })).toBe('a')
  expect(await names({ patterns: ['*:b', 'p:a'] })).toBe('a,b')
  expect(await names({ since: '+0.5s' })).toBe('b')
  expect(await names({ until: '+5ns' })).toBe('a')
  expect(await names({ since: '2023-11-14T22:13:21Z' })).toBe('b')
  expect(await names({ until: String(start + 6n) })).toBe('a')
  const local = new Date(1_700_000_001_000).toTimeString().slice(0, 8)
  expect(await names({ since: local })).toBe('b')
})

test('events of a packet that begins before since are left out of what is printed too', async () => {
  const path = makeTrace()
  const writer = new StreamWriter(uuid, 0)
  writer.start(0n)
  for (const time of [5n, 6n, 7n]) writer.event(0, time, encode('u64', time))
  writer.take()
  writeFileSync(join(path, 'events_0'), writer.all())
  const output = collect()
  await view({ path, json: true, output, since: '+6ns', until: '+6ns' })
  expect(output.text()).toMatch(/^.*"fields":\{"n":6\}\}\n$/)
})

test.each([
  ...['2026-02-30T00:00:00Z', '2026-02-29T12:00:00', '2100-02-29T12:00:00Z', '2026-04-31T00:00:00+01:00'],
  ...['2026-13-01T00:00:00Z', '2026-00-10T00:00:00Z', '2026-11-25T24:00:00Z', '2026-11-25T25:00:00'],
  ...['2026-11-25T23:60:00Z', '2026-11-25T23:59:60Z', '2026-11-25T00:00:00+99:99', '2026-11-25', '24:00:00'],
])('%s is no moment', async (text) => {
  await expect(names({ since: text })).rejects.toThrow(
    `since is "${text}"; expected a day and time that there is`,
  )
})

test('29 February of a leap year is one', async () => {
  for (const text of ['2024-02-29T23:59:59Z', '2000-02-29T00:00:00-12:00'])
    expect(await names({ until: text, since: '+0s' })).toBe(text.startsWith('2024') ? 'a,b' : '')
})

test('a pattern or moment that is none is refused, with the form to use', async () => {
  await expect(names({ patterns: ['disk'] })).rejects.toThrow(/pattern is "disk"; expected provider:event/)
  await expect(names({ since: 'noon' })).rejects.toThrow(/since is "noon"; expected a day/)
  await expect(names({ until: '25:00:00' })).rejects.toThrow(/until is "25:00:00"; expected/)
})

const bad: [string, (path: string) => void, RegExp][] = [
  [
    'a trace of LTTng',
    (path) => writeFileSync(join(path, 'metadata'), 'env { tracer_name = "lttng-ust"; };'),
    /trace: not a blkin trace \(tracer_name is "lttng-ust"\); read it with babeltrace2$/,
  ],
  [
    'a truncated stream',
    (path) => truncateSync(join(path, 'events_0'), 200),
    /events_0: the file ends after \d+ .*at byte/,
  ],
  [
    'a bad magic',
    (path) => writeFileSync(join(path, 'events_0'), Buffer.alloc(4096)),
    /events_0: magic is 0x0, not 0xc1fc1fc1, in the packet at byte 0$/,
  ],
  [
    'metadata cut short',
    (path) =>
      writeFileSync(join(path, 'metadata'), readFileSync(join(path, 'metadata'), 'utf8').slice(0, -9)),
    /trace: metadata ends too early$/,
  ],
]

for (const [name, damage, message] of bad) {
  test(`${name} is told in one line`, async () => {
    const path = join(folder(), 'trace')
    cpSync(makeTrace(), path, { recursive: true })
    damage(path)
    await expect(view({ path, output: collect() })).rejects.toThrow(message)
  })
}

test('a folder without traces, and no folder, are told apart', async () => {
  const empty = folder()
  await expect(view({ path: empty, output: collect() })).rejects.toThrow(
    /no trace here; expected a folder with/,
  )
  await expect(view({ path: join(empty, 'x'), output: collect() })).rejects.toThrow(/x: no such folder$/)
})

test('a reader that goes away ends the printing without complaint', async () => {
  const output = collect()
  output._write = (_chunk, _encoding, done) => done(Object.assign(new Error('gone'), { code: 'EPIPE' }))
  await view({ path: makeTrace(), output })
})
