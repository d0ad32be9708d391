// relay/test/row.test.ts: what is made by hand for speed is what the plain way makes.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BlockIndex } from '../src/pipeline/store/block-index.js'
import { bodyOf } from '../src/pipeline/store/body.js'
import { hashOf, Rows, termBits, termHash, traceKey } from '../src/pipeline/store/row.js'
import { KINDS, makeSpan, type Span, setTag } from '../src/spans/span.js'

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('\ud800', '"', '\\', '\0', '__proto__', '1'),
)
const id = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }).map((n) => n.toString(16).padStart(16, '0'))
const optional = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: undefined })
const time = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
const endpoint = fc.record({ serviceName: text, ipv4: fc.constantFrom('', '10.0.0.1'), port: fc.nat(65535) })
const span: fc.Arbitrary<Span> = fc
  .record({
    traceId: fc.tuple(fc.oneof(fc.constant(''), id), id).map((halves) => halves.join('')),
    ...{ id, parentId: optional(id), kind: optional(fc.constantFrom(...KINDS)), name: optional(text) },
    ...{ timestamp: optional(time), duration: optional(time) },
    ...{ localEndpoint: optional(endpoint), remoteEndpoint: optional(endpoint) },
    annotations: optional(fc.array(fc.record({ timestamp: time, value: text }))),
    tags: optional(
      fc.array(fc.tuple(text, text)).map((pairs) => {
        const tags = {}
        for (const [key, value] of pairs) setTag(tags, key, value)
        return tags
      }),
    ),
    ...{ debug: optional(fc.boolean()), shared: optional(fc.boolean()) },
  })
  .map(makeSpan)

test('a body is the text that JSON.stringify() makes', () => {
  fc.assert(
    fc.property(span, (one) => void expect(Buffer.from(bodyOf(one)).toString()).toBe(JSON.stringify(one))),
    { numRuns: 1000 },
  )
})

test('a body may be long', () => {
  for (const long of ['x'.repeat(100_000), 'ä"'.repeat(100_000)]) {
    const one = makeSpan({ traceId: '1'.repeat(32), id: '2'.repeat(16), name: long, tags: { [long]: long } })
    expect(Buffer.from(bodyOf(one)).toString()).toBe(JSON.stringify(one))
  }
})

test('a row has the numbers of its span, whatever stood in its place before', () => {
  const rows = new Rows(2)
  const of = ({ hashes, length }: BlockIndex['terms']) => [...hashes.subarray(0, length)]
  const at = (column: Uint32Array) => new BigUint64Array(column.buffer)[1]
  fc.assert(
    fc.property(span, (one) => {
      const index = new BlockIndex()
      rows.set(1, one, index)
      const fresh = new Rows(2)
      fresh.set(1, one, new BlockIndex())
      const { trace_high, trace_low } = traceKey(one.traceId)
      expect([at(rows.traceHigh), at(rows.traceLow)]).toEqual([trace_high, trace_low])
      expect([at(rows.ts), at(rows.duration)]).toEqual([
        BigInt(one.timestamp ?? 0),
        BigInt(one.duration ?? 0),
      ])
      const [keys, pairs] = [at(rows.keys)!, at(rows.pairs)!]
      const terms = new Set<number>()
      for (const [key, value] of Object.entries(one.tags ?? {})) {
        terms.add(termHash(key, ''))
        expect(keys & termBits(termHash(key, ''))).toBe(termBits(termHash(key, '')))
        if (value === '') continue // asked for by its key
        terms.add(termHash(key, value))
        expect(pairs & termBits(termHash(key, value))).toBe(termBits(termHash(key, value)))
      }
      for (const { value } of one.annotations ?? []) {
        terms.add(termHash(value, ''))
        expect(keys & termBits(termHash(value, ''))).toBe(termBits(termHash(value, '')))
      }
      expect([...terms].filter((term) => !of(index.terms).includes(term))).toEqual([])
      expect(of(index.traces)).toEqual([Number(trace_low & 0xffff_ffffn)])
      expect(at(rows.keys), 'and no others').toBe(at(fresh.keys))
      expect(at(rows.pairs)).toBe(at(fresh.pairs))
      const { localEndpoint, remoteEndpoint, name } = one
      const names = [localEndpoint?.serviceName, remoteEndpoint?.serviceName, name]
      expect(rows.hashes.map((column) => column[1])).toEqual(names.map((text = '') => hashOf(text)))
    }),
  )
})
