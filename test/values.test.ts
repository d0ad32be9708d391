// test/values.test.ts: what goes in comes out: every field type, at random, through the ring, the relay and the file,
// as babeltrace2 prints it and as readTrace() gives it.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { serialize } from 'node:v8'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PrintedValue } from './support/babeltrace.js'
import { relay } from './support/relays.js'
import { folder, program, result } from './support/run.js'
import { anyEvents, type EventSpec, expectedEvent, normal, sameFloat } from './support/schemas.js'
import { have } from './support/tools.js'
import { printed, recorded } from './support/trace.js'

const eventsARun = 40

function expectSame(expected: PrintedValue, shown: PrintedValue | undefined, where: string): void {
  // babeltrace2 2.0.4 prints the string before in place of an empty one (review.lttng.org/c/babeltrace/+/4528).
  if (expected === '' && typeof shown === 'string') return
  if (Array.isArray(expected) && Array.isArray(shown) && expected.length === shown.length) {
    expected.forEach((one, i) => {
      expectSame(one, shown[i], `${where}[${i}]`)
    })
  } else if (typeof expected !== 'number' || shown === undefined || !sameFloat(expected, Number(shown))) {
    expect(shown, where).toStrictEqual(expected)
  }
}

async function check(specs: EventSpec[], env: Record<string, string>, flags: string[]): Promise<void> {
  const to = await relay()
  const file = join(folder(), 'events')
  writeFileSync(file, serialize(specs))
  const lost = await result(program('emit-values.mjs'), { args: [file], env: { ...to.env, ...env }, flags })

  const all = specs.flatMap(({ event, fields, values }) =>
    values.map((one) => ({ name: `values:${event}`, fields, expected: expectedEvent(fields, one) })),
  )
  const kept = all.filter(({ expected }) => expected !== undefined)
  expect(lost).toEqual({
    noRoom: 0,
    tooBig: all.length - kept.length,
    badValue: 0,
    noRing: 0,
    overwritten: 0,
    unstored: 0,
  })

  const { events, lost: told } = await recorded(to.output)
  expect(told, 'the losses that the packets tell').toBe(all.length - kept.length)
  expect(events.map(({ tracepoint }) => `${tracepoint.provider}:${tracepoint.event}`)).toEqual(
    kept.map(({ name }) => name),
  )
  const shown = have('babeltrace2') ? printed(to.output) : undefined
  if (shown) expect(shown.map(({ name }) => name)).toEqual(kept.map(({ name }) => name))
  for (const [i, { name, fields, expected = {} }] of kept.entries()) {
    for (const field of fields) {
      const where = `event ${i}, ${name}, field ${JSON.stringify(field)}`
      const read = events[i]!.fields[field.name]
      expect(normal(field, read), `readTrace: ${where}`).toStrictEqual(expected[field.name])
      if (shown) expectSame(expected[field.name]!, shown[i]!.fields[field.name], `babeltrace2: ${where}`)
    }
  }
}

describe.each([
  { how: 'per-CPU rings, TSC, generated emitters', env: {}, flags: [] },
  { how: 'a ring for each thread', env: { BLKIN_RING: 'thread' }, flags: [] },
  { how: 'the monotonic clock', env: { BLKIN_CLOCK: 'monotonic' }, flags: [] },
  { how: 'no code generation', env: {}, flags: ['--disallow-code-generation-from-strings'] },
])('values come out as they went in: $how', ({ env, flags }) => {
  test('any fields, any values', async () => {
    await fc.assert(
      fc.asyncProperty(anyEvents(eventsARun), (specs) => check(specs, env, flags)),
      // No shrinking: a run is a process, and the message names the event and the field already.
      { numRuns: 4, endOnFailure: true },
    )
  }, 60_000)
})

/** Texts of which the last byte that fits falls on every byte of every kind of character, with and without NULs. */
const longTexts = ['a', 'é', '€', '😀', '\ud800', '…'].flatMap((unit) =>
  ['', '\0', '\0\0\0'].flatMap((nuls) =>
    [0, 1, 2, 3].flatMap((shift) => [
      nuls + 'x'.repeat(shift) + unit.repeat(4000),
      'x'.repeat(3976 - Buffer.byteLength(nuls + unit) * 2 + shift) + nuls + unit + nuls + unit,
    ]),
  ),
)

test('a string is cut between two characters, wherever the record ends', async () => {
  const plain = { shape: 'scalar', length: 0, labels: [] as string[] } as const
  const values = longTexts.map((text) => ({ text, after: 'z', n: 7 }))
  const fields = [
    { name: 'text', type: 'string', ...plain },
    { name: 'after', type: 'string', ...plain },
    { name: 'n', type: 'u16', ...plain },
  ] as const
  await check([{ event: 'long', fields: [...fields], values }], {}, [])
})

test('the generated emitter and the closure agree on anything, right or wrong', async () => {
  const to = await relay()
  const answer = await result<{ emitted: number; lost: Record<string, number> }>(
    program('differential.mjs'),
    {
      env: to.env,
      flags: ['--expose-gc'],
    },
  )
  const { events } = await recorded(to.output)
  const of = (provider: string) => events.filter(({ tracepoint }) => tracepoint.provider === provider)
  const plain = (list: typeof events) =>
    list.map(({ tracepoint, fields }) => ({ event: tracepoint.event, fields }))
  expect(plain(of('closure'))).toStrictEqual(plain(of('generated')))
  expect(of('generated').length, 'right values are among them').toBeGreaterThan(100)
  expect(answer.lost.badValue, 'and wrong ones').toBeGreaterThan(1000)
  expect(events.length + answer.lost.badValue! + answer.lost.tooBig!).toBe(answer.emitted)
})
