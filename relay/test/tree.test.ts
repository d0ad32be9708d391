// relay/test/tree.test.ts: the spans of one trace joined and hung into a tree, and calls counted, where a trace is not as
// anybody would make it. What services do make is compared with a Zipkin server's answers in zipkin.test.ts.

import { expect, test } from 'vitest'
import { Links } from '../src/spans/links.js'
import { mergeTrace } from '../src/spans/merge.js'
import type { Span } from '../src/spans/span.js'

const hex = (n: number) => n.toString(16).padStart(16, '0')
const traceId = hex(7)

// Joined one by one, this would take longer than any test may.
test('a span in 50,000 pieces is joined at once', () => {
  const pieces = Array.from({ length: 50_000 }, (_, i): Span => {
    const annotations = [{ timestamp: 1 + i, value: `at ${i}` }]
    return { traceId, id: hex(1), timestamp: 5 + i, duration: 1 + i, annotations, tags: { [`key ${i}`]: '' } }
  })
  const [span, ...others] = mergeTrace(pieces)
  expect(others).toEqual([])
  expect(span).toMatchObject({ id: hex(1), timestamp: 5, duration: 50_000 })
  expect([span!.annotations!.length, Object.keys(span!.tags!).length]).toEqual([50_000, 50_000])
})

test('of pieces the first says what only one can, tags the last, and endpoints complete each other', () => {
  const one = { traceId, id: hex(1) }
  const spans = mergeTrace([
    { ...one, name: 'unknown', localEndpoint: { serviceName: 'a' }, tags: { k: '1', first: 'yes' } },
    {
      ...one,
      name: 'put',
      parentId: hex(2),
      localEndpoint: { serviceName: 'a', port: 80 },
      tags: { k: '2' },
    },
    { ...one, name: 'get', localEndpoint: { serviceName: 'a', port: 81 } },
  ])
  expect(spans).toEqual([
    {
      ...{ ...one, name: 'put', parentId: hex(2), tags: { k: '2', first: 'yes' } },
      localEndpoint: { serviceName: 'a', port: 80 },
    },
    { ...one, name: 'get', localEndpoint: { serviceName: 'a', port: 81 } },
  ])
})

// So would looking for the caller of each from below.
test('50,000 servers below 50,000 local spans have one caller', () => {
  const from = { serviceName: 'front' }
  const client: Span = { traceId, id: hex(1), kind: 'CLIENT', localEndpoint: from }
  const deep = Array.from({ length: 50_000 }, (_, i): Span => {
    return { traceId, id: hex(i + 2), parentId: hex(i + 1), localEndpoint: from }
  })
  const servers = Array.from({ length: 50_000 }, (_, i): Span => {
    const localEndpoint = { serviceName: 'store' }
    return { traceId, id: hex(100_000 + i), parentId: deep.at(-1)!.id, kind: 'SERVER', localEndpoint }
  })
  const links = new Links()
  links.add([client, ...deep, ...servers])
  expect(links.all()).toEqual([{ parent: 'front', child: 'store', callCount: 50_000 }])
})
