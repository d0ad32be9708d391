// relay/test/view.test.ts: what can be asked of a trace, what is told of a bad one, and where losses show.

import { cpSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { formatText, readTrace, view } from '../src/index.js'
import { eventBlock, preamble } from '../src/store/metadata.js'
import { types } from '../src/wire.js'
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

const names = async (options: { patterns?: string[]; since?: string; until?: string }) => {
  const found: string[] = []
  for await (const item of readTrace(makeTrace(), options))
    if (item.kind === 'event') found.push(item.tracepoint.event)
  return found.join()
}

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

test('a pattern or moment that is none is refused, with the form to use', async () => {
  await expect(names({ patterns: ['disk'] })).rejects.toThrow(/pattern is "disk"; expected provider:event/)
  await expect(names({ since: 'noon' })).rejects.toThrow(/since is "noon"; expected 2026-/)
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
