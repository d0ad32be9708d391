// test/wrong-values.test.ts: what is not of its field's type is a counted loss: it never throws, and never touches
// its neighbours.
import { describe, expect, test } from 'vitest'
import { relay } from './support/relays.js'
import { program, result } from './support/run.js'
import { recorded } from './support/trace.js'

test('a word of a tracepoint that the program writes to ends nothing: sessions that are not there take no event', async () => {
  const scribbles = `
    import { enable, provider, status, t } from 'blkin'
    const p = provider('wild', { a: { fields: { n: t.u32 } }, s: { fields: { s: t.string } } })
    const scribble = () => {
      for (const word of [1, 2, 128, 255, 256, 257, 0x0303, 0xff00, 0xffff]) {
        p.a.on[0] = p.s.on[0] = word
        p.a({ n: 1 }); p.s({ s: 'x' }); p.a({ n: 'wrong' })
      }
    }
    scribble()
    enable('wild:*')
    scribble()
    console.log(JSON.stringify(status().tracepoints.declared))`
  for (const ring of ['cpu', 'thread'])
    expect(await result<number>(scribbles, { env: { BLKIN_RELAY: '127.0.0.1:1', BLKIN_RING: ring } })).toBe(2)
})

interface Answer {
  threw: string[]
  emitted: number
  accepted: number
  lost: Record<string, number>
}

describe.each([
  { how: 'generated emitters', flags: [] },
  { how: 'no code generation', flags: ['--disallow-code-generation-from-strings'] },
])('wrong values, $how', ({ flags }) => {
  test('nothing throws, every loss has its reason, and the neighbours are whole', async () => {
    const to = await relay()
    const answer = await result<Answer>(program('wrong-values.mjs'), { env: to.env, flags })
    expect(answer.threw).toEqual([])
    const { events, lost } = await recorded(to.output)
    expect(lost).toBe(answer.lost.badValue! + answer.lost.tooBig!)
    expect(events.length + lost).toBe(answer.emitted)
    expect(answer.lost).toMatchObject({ noRoom: 0, noRing: 0 })
    expect(answer.lost.badValue).toBeGreaterThan(events.length)
    for (const { tracepoint, fields } of events) {
      if (tracepoint.event === 'marker') continue
      const { before, after } = fields
      expect({ event: tracepoint.event, before, after }).toEqual({
        event: tracepoint.event,
        before: 0xaaaaaaaa,
        after: 'after',
      })
    }
  })

  test('a typed array that lies about its type is never read beyond its memory', async () => {
    const to = await relay()
    const text = `
      import { flush, provider, status, t } from 'blkin'
      const types = { f64: t.sequence(t.f64), u64: t.sequence(t.u64), u16: t.sequence(t.u16), bytes: t.bytes, array: t.array(t.f64, 400) }
      const names = { f64: Float64Array, u64: BigUint64Array, u16: Uint16Array, bytes: Uint8Array, array: Float64Array }
      const p = provider('lies', Object.fromEntries(Object.entries(types).map(([name, type]) => [name, { fields: { value: type } }])))
      let emitted = 0
      for (const name of Object.keys(types)) {
        for (const Real of [Uint8Array, Int8Array, Uint8ClampedArray, Uint16Array, Float32Array]) {
          if (Real === names[name]) continue
          p[name]({ value: Object.setPrototypeOf(new Real(400), names[name].prototype) })
          emitted++
        }
      }
      await flush()
      console.log(JSON.stringify({ emitted, lost: status().lost }))`
    const { emitted, lost } = await result<Answer>(text, { env: to.env, flags })
    const { events } = await recorded(to.output)
    // Taken for what it is, a list of zeros, or refused; never what lies behind it in memory.
    for (const { fields } of events)
      expect([...(fields.value as number[])].every((one) => Number(one) === 0)).toBe(true)
    expect(lost.badValue! + events.length).toBe(emitted)
    expect(lost.tooBig).toBe(0)
  })

  test('a getter may emit the same tracepoint or another in the middle, and both are whole', async () => {
    const to = await relay()
    const text = `
      import { flush, provider, status, t } from 'blkin'
      const { outer, inner } = provider('nest', {
        outer: { fields: { a: t.u32, list: t.array(t.u16, 3), text: t.string, some: t.sequence(t.i64), z: t.u32 } },
        inner: { fields: { a: t.u64, b: t.u64 } },
      })
      const value = (depth) => ({
        a: depth,
        get list() {
          inner({ a: 2n ** 60n, b: 3n })
          return Object.defineProperty([1, 2, 3], 1, { get() { if (depth > 0) outer(value(depth - 1)); return 2 } })
        },
        get text() { inner({ a: 1, b: 2 }); return 'text' },
        some: Object.defineProperty([4n, 5n], 0, { get() { inner({ a: 7, b: 8 }); return -4n } }),
        z: depth + 100,
      })
      outer(value(3))
      await flush()
      console.log(JSON.stringify(status().lost))`
    expect(await result(text, { env: to.env, flags })).toEqual({
      noRoom: 0,
      tooBig: 0,
      badValue: 0,
      noRing: 0,
      overwritten: 0,
      unstored: 0,
    })
    const { events } = await recorded(to.output)
    const of = (event: string) =>
      events.filter(({ tracepoint }) => tracepoint.event === event).map(({ fields }) => fields)
    expect(of('outer')).toEqual(
      [0, 1, 2, 3].map((depth) => ({
        a: depth,
        list: [1, 2, 3],
        text: 'text',
        some: [-4, 5],
        z: depth + 100,
      })),
    )
    expect(of('inner')).toHaveLength(12)
    expect(
      new Set(
        of('inner').map((fields) => JSON.stringify(fields, (_, v) => (typeof v === 'bigint' ? `${v}` : v))),
      ),
    ).toEqual(new Set(['{"a":"1152921504606846976","b":3}', '{"a":1,"b":2}', '{"a":7,"b":8}']))
  })

  test('a getter that detaches or shrinks an array given beside it makes a loss, not a throw', async () => {
    const to = await relay()
    const text = `
      import { flush, provider, status, t } from 'blkin'
      const p = provider('detach', {
        big: { fields: { list: t.array(t.u64, 2), late: t.array(t.u8, 1) } },
        bytes: { fields: { bytes: t.bytes, some: t.sequence(t.u64), late: t.sequence(t.u8), n: t.u8 } },
      })
      const buffer = new ArrayBuffer(16, { maxByteLength: 16 })
      const late = (act) => Object.defineProperty([1], 0, { get() { act(); return 1 } })
      const list = new BigUint64Array(2)
      p.big({ list, late: late(() => structuredClone(list.buffer, { transfer: [list.buffer] })) })
      p.big({ list: new BigUint64Array(buffer, 0, 2), late: late(() => buffer.resize(8)) })
      const bytes = new Uint8Array(1000).fill(1)
      p.bytes({ bytes, some: new BigUint64Array(buffer), n: 9, late: late(() => { structuredClone(bytes.buffer, { transfer: [bytes.buffer] }); buffer.resize(0) }) })
      await flush()
      console.log(JSON.stringify(status().lost))`
    expect(await result(text, { env: to.env, flags })).toMatchObject({ badValue: 2, tooBig: 0 })
    const { events } = await recorded(to.output)
    expect(events.map(({ fields }) => fields)).toEqual([
      { bytes: Buffer.alloc(0), some: [], late: [1], n: 9 },
    ])
  })
})
