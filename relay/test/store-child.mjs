// relay/test/store-child.mjs FOLDER FIRST: a span store in a process of its own, for a test that kills it while it writes.
// Adds traces of five spans, numbered from FIRST on, and prints the first number that is not known to be written.

import { Rejections } from '../dist/common/rejections.js'
import { SpanStore } from '../dist/pipeline/store/store.js'

const options = {
  autocompleteKeys: [],
  retention: { age: 9e15, bytes: 1e12 },
  rejections: new Rejections(console.error),
}
const store = await SpanStore.open(process.argv[2], options)
for (let next = Number(process.argv[3]); ; ) {
  const until = next + 100 + (next % 1000)
  for (; next < until; next++) {
    const traceId = next.toString(16).padStart(16, '0')
    const spans = Array.from({ length: 5 }, (_, i) => ({
      ...{ traceId, id: `${i + 1}`.padStart(16, '0'), timestamp: 1e15 + next, duration: 1, name: 'n' },
      ...{ localEndpoint: { serviceName: 's' }, tags: { number: `${next}` } },
    }))
    store.add(spans)
  }
  await store.writer.flush()
  process.stdout.write(`${next}\n`)
}
