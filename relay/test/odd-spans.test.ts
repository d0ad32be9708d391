// relay/test/odd-spans.test.ts: each of the posts of odd-spans.ts has the answer that a real Zipkin server gives, and is stored as
// there. Its answers are kept in odd-spans.jsonl; where there is a server they are asked for again (vitest run --update writes them).

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startZipkin, whyNoZipkin } from '../../scripts/lib/zipkin.mjs'
import { spansFromJson } from '../src/spans/formats/from-json.js'
import { spansFromProto } from '../src/spans/formats/from-proto.js'
import { spansFromThrift } from '../src/spans/formats/from-v1.js'
import { spansFromV1Json } from '../src/spans/formats/from-v1-json.js'
import type { Span } from '../src/spans/span.js'
import { folder, postText, relayIn } from './helpers.js'
import { type OddPost, oddPosts } from './odd-spans.js'
import { type V1, v1Struct } from './scribe.js'

/** What came of a post: its status, and the spans of its trace where it was taken. */
interface Result {
  name: string
  status: number
  spans?: Span[]
}

const kept = fileURLToPath(new URL('odd-spans.jsonl', import.meta.url))
const missing = whyNoZipkin()
if (missing) console.warn(`SKIPPED: the kept answers to odd posts are not asked for again: ${missing}`)

/** The largest long there is as the nearest number below; Zipkin's, read as a number, is above. */
const most = 9223372036854775000
const ipv4 = { remoteEndpoint: { ipv4: '1.2.3.4' } }
/** By post; the fields beside the ids of the one span that there is, or 400. */
const differences: Record<string, object | 400> = {
  // half of a character stays what it is, and becomes no question mark
  'other kinds of values as tags: "tags":{"\\ud800":"lone","é":"2","z":"3","😀":"4","\uffee":"5"}': {
    tags: { z: '3', é: '2', '😀': '4', '\ud800': 'lone', '\uffee': '5' },
  },
  // times above 2^53 are the nearest number
  'times: "timestamp":9223372036854775807': { timestamp: most },
  'times: "timestamp":9223372036854775808': { timestamp: most },
  'times: "timestamp":1795000000000000000,"duration":9223372036854775807': {
    timestamp: 1795000000000000000,
    duration: most,
  },
  'times: "annotations":[{"timestamp":1795000000000000123,"value":"a"},{"timestamp":1795000000000000122,"value":"b"}]':
    {
      annotations: [
        { timestamp: 1795000000000000000, value: 'a' },
        { timestamp: 1795000000000000000, value: 'b' },
      ],
    },
  'thrift: times beyond 2^53': { timestamp: 1795000000000000000, duration: most },
  'protobuf: a duration of 2^63 - 1': { duration: most },
  // an id of zeros is none, however many
  'ids: "id":"0"': 400,
  // addresses are told by what they are, and written as RFC 5952 says
  'endpoints: "remoteEndpoint":{"ipv4":"01.2.3.4"}': {},
  'endpoints: "remoteEndpoint":{"ipv6":"::1.2.3.4"}': { remoteEndpoint: { ipv6: '::102:304' } },
  'endpoints: "remoteEndpoint":{"ipv6":"0:0:0:0:0:ffff:102:304"}': ipv4,
  'endpoints: "remoteEndpoint":{"ipv6":"2001:db8:0:1:1:1:1:1"}': {
    remoteEndpoint: { ipv6: '2001:db8:0:1:1:1:1:1' },
  },
  'protobuf: an address of version 4 as version 6': ipv4,
  // JSON is what its standard says: the last of a key counts, a tab in a text is written as one
  'names and what is unknown: "kind":"CLIENT","kind":null': {},
  'names and what is unknown: "name":"tab\there"': 400,
  // numbers, yes and no are tags, as those that come by Scribe are
  'version 1: "binaryAnnotations":[{"key":"a","value":5}]': { tags: { a: '5' } },
  'version 1: "binaryAnnotations":[{"key":"a","value":true}]': { tags: { a: 'true' } },
  'version 1: "binaryAnnotations":[{"key":"a","value":true,"endpoint":{"serviceName":"x"}}]': {
    localEndpoint: { serviceName: 'x' },
    tags: { a: 'true' },
  },
  'thrift: a number as a tag': { tags: { n: '793032724167139328' } },
  // a port of -1 is none, however it is written
  'protobuf: a port of -1': { localEndpoint: { serviceName: 'a' } },
  // a text that is empty is not written in protobuf, and is one
  'protobuf: a tag without a key': { tags: { '': 'a' } },
}

test('odd posts are taken, refused and stored as by Zipkin, but for what is listed here', async () => {
  const relay = await relayIn(folder(), { tracing: { listen: '127.0.0.1:0' } })
  const expected = readFileSync(kept, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Result)
  for (const [i, { name, traceId }] of oddPosts.entries()) {
    const ours = differences[name]
    if (ours === undefined) continue
    const spans = [{ traceId, id: '0000000000000001', ...(ours as object) }]
    expected[i] = ours === 400 ? { name, status: 400 } : { name, status: 202, spans }
  }
  expect(await resultsOf(`http://${relay.httpAddress}`, oddPosts)).toEqual(expected)
})

test('a span that is sent again with its tags in another order, or in another format, is one span', async () => {
  const relay = await relayIn(folder(), { tracing: { listen: '127.0.0.1:0' } })
  const url = `http://${relay.httpAddress}`
  const span = (tags: string) => `[{"traceId":"7a","id":"1","timestamp":17,"tags":{${tags}}}]`
  const v1 = (...tags: string[]) =>
    `[{"traceId":"7a","id":"1","timestamp":17,"binaryAnnotations":[${tags.map((key) => `{"key":"${key}","value":"1"}`)}]}]`
  const v2 = [span('"b":"1","a":"1","9":"1"'), span('"9":"1","a":"1","b":"1"'), span('"a":1,"b":"1","9":1')]
  for (const body of v2) await postTo(url, '/api/v2/spans', 'application/json', body)
  for (const body of [v1('b', '9', 'a'), v1('a', 'b', '9')])
    await postTo(url, '/api/v1/spans', 'application/json', body)
  const tags = ['9', 'b', 'a'].map((key): NonNullable<V1['tags']>[number] => [
    key,
    'STRING',
    Buffer.from('1'),
  ])
  const struct = v1Struct({ traceId: 0x7an, id: 1n, timestamp: 17, tags })
  const list = Buffer.concat([Buffer.of(12, 0, 0, 0, 1), struct])
  await postTo(url, '/api/v1/spans', 'application/x-thrift', list)
  const answer = await fetch(`${url}/api/v2/trace/7a`)
  expect(await answer.json()).toEqual([
    { traceId: '000000000000007a', id: '0000000000000001', timestamp: 17, tags: { 9: '1', a: '1', b: '1' } },
  ])
})

test('a refusal quotes the begin of what it refuses, however long that is', async () => {
  const relay = await relayIn(folder(), { tracing: { listen: '127.0.0.1:0' } })
  const kind = 'K'.repeat(2 ** 20)
  const body = `[{"traceId":"1","id":"1","kind":"${kind}"}]`
  const answer = await postText(`http://${relay.httpAddress}`, body)
  expect(answer.status).toBe(400)
  expect(await answer.text()).toMatch(/^No enum constant zipkin2\.Span\.Kind\.K{900,1000}$/)
})

test('any bytes are spans in each format, or refused in words', () => {
  const start = fc.constantFrom('', '[', '[{"traceId":"1","id":"1",', '\f\0\0\0\x01', '\n\x12\n\b')
  const bytes = fc.tuple(start, fc.uint8Array({ maxLength: 64 }))
  const decoders = [spansFromJson, spansFromProto, spansFromThrift, spansFromV1Json]
  fc.assert(
    fc.property(fc.constantFrom(...decoders), bytes, (decode, [start, rest]) => {
      try {
        for (const { id } of decode(Buffer.concat([Buffer.from(start), rest])))
          expect(id).toMatch(/^[0-9a-f]{16}$/)
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
        expect((error as Error).message).not.toMatch(/undefined|^ /)
      }
    }),
    { numRuns: 3000 },
  )
})

test('a post of thrift has the bounds of others, and so has what becomes of it', () => {
  const list = (count: number, ...structs: Buffer[]) => {
    const head = Buffer.of(12, 0, 0, 0, 0)
    head.writeInt32BE(count, 1)
    return Buffer.concat([head, ...structs])
  }
  const small = v1Struct({ traceId: 1n, id: 1n })
  const tooMany = 'the body has 25001 spans or more; expected at most 25000'
  expect(spansFromThrift(list(25_000, ...Array(25_000).fill(small)))).toHaveLength(25_000)
  expect(() => spansFromThrift(list(25_001, ...Array(25_001).fill(small)))).toThrow(tooMany)
  for (const count of [-1, 2 ** 31 - 1])
    expect(() => spansFromThrift(list(count, small))).toThrow(
      /^a container claims .* reading List<Span> from TBinary$/,
    )
  expect(() => spansFromThrift(list(2, small))).toThrow(/ reading List<Span> from TBinary$/)
  const hosts = Array.from({ length: 64 }, (_, i) => ({ serviceName: `s${i}` }))
  const crowd = v1Struct({ traceId: 1n, id: 1n, annotations: hosts.map((host) => ['a', 1, host]) })
  expect(() => spansFromThrift(list(400, ...Array(400).fill(crowd)))).toThrow(tooMany)
  const deep = Buffer.concat([...Array(70_000).fill(Buffer.of(12, 0, 99)), Buffer.of(0)])
  expect(() => spansFromThrift(list(1, deep))).toThrow(RangeError)
})

describe.skipIf(missing)('a real Zipkin server', () => {
  let zipkin: Awaited<ReturnType<typeof startZipkin>>
  beforeAll(async () => {
    zipkin = await startZipkin()
  }, 120_000)
  afterAll(() => zipkin?.stop())

  test('answers to odd posts what is kept', async () => {
    const results = await resultsOf(zipkin.url, oddPosts)
    const lines = results.map((result) => `${JSON.stringify(result)}\n`)
    await expect(lines.join('')).toMatchFileSnapshot(kept)
  })
})

async function resultsOf(url: string, posts: OddPost[]): Promise<Result[]> {
  const results: Result[] = []
  for (const { name, path, type, body } of posts)
    results.push({ name, status: await postTo(url, path, type, body) })
  const taken = posts.filter((_, i) => results[i]!.status === 202)
  for (let at = 0; at < taken.length; at += 100) {
    const ids = taken.slice(at, at + 100).map(({ traceId }) => traceId)
    const ask = async () =>
      (await fetch(`${url}/api/v2/traceMany?traceIds=${ids}`)).json() as Promise<Span[][]>
    await expect.poll(async () => (await ask()).length, { timeout: 10_000 }).toBe(ids.length)
    for (const spans of await ask())
      results[posts.findIndex(({ traceId }) => traceId === spans[0]!.traceId)]!.spans = spans
  }
  return results
}

async function postTo(url: string, path: string, type: string, body: string | Buffer): Promise<number> {
  const init = { method: 'POST', headers: { 'content-type': type }, body }
  return (await fetch(url + path, init as RequestInit)).status
}
