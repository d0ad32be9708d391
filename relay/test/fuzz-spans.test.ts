// relay/test/fuzz-spans.test.ts: bodies of spans, in each form they are posted in. Any bytes are spans or a RangeError that says
// why; what was taken is a span as the store has it: told as JSON and read again it is the same; and nobody's prototype changes.

import assert from 'node:assert/strict'
import { expect, test } from 'vitest'
import { spansFromJson } from '../src/spans/formats/from-json.js'
import { spansFromProto } from '../src/spans/formats/from-proto.js'
import { spansFromThrift, v1FromBytes } from '../src/spans/formats/from-v1.js'
import { spansFromV1Json } from '../src/spans/formats/from-v1-json.js'
import { spansFromV1 } from '../src/spans/formats/v1-to-v2.js'
import type { Span } from '../src/spans/span.js'
import { changed } from './fuzz/inputs.js'
import { fuzz, TIMEOUT_MS } from './fuzz/run.js'
import { oddPosts } from './odd-spans.js'

const bodies = (path: string, type: string): Buffer[] =>
  oddPosts.filter((post) => post.path === path && post.type === type).map(({ body }) => body)
const thrift = bodies('/api/v1/spans', 'application/x-thrift')

const words = ['__proto__', 'traceId', '"tags":{', '9223372036854775807', '1e400', '\\ud800', '::ffff:1.2.3.4', '[[[[', 'null', '\0'] // biome-ignore format: a list
const forms: [string, Buffer[], (bytes: Buffer) => Span[]][] = [
  ['json', bodies('/api/v2/spans', 'application/json'), spansFromJson],
  ['v1-json', bodies('/api/v1/spans', 'application/json'), spansFromV1Json],
  ['proto', bodies('/api/v2/spans', 'application/x-protobuf'), spansFromProto],
  ['thrift', thrift, spansFromThrift],
  ['scribe', thrift.map((body) => body.subarray(5)), (bytes) => spansFromV1(v1FromBytes(bytes))],
]

test.each(forms)('bodies in %s', { timeout: TIMEOUT_MS }, async (name, seeds, decode) => {
  let taken = 0
  await fuzz(`spans-${name}`, 1 / forms.length, changed(seeds, words), (bytes) => {
    let spans: Span[]
    try {
      spans = decode(bytes)
    } catch (error) {
      assert(error instanceof (name === 'scribe' ? Error : RangeError), String(error))
      assert.doesNotMatch(error.message ?? '', /undefined|is not a function/)
      return
    }
    taken += spans.length
    for (const { id, traceId } of spans) {
      assert.match(id, /^[0-9a-f]{16}$/)
      assert.match(traceId, /^([0-9a-f]{16}|[0-9a-f]{32})$/)
    }
    assert.deepEqual(spansFromJson(Buffer.from(JSON.stringify(spans))), spans)
    assert.deepEqual(Object.keys(Object.prototype), [])
  })
  expect(taken, 'spans that were taken').toBeGreaterThan(0)
})
