// relay/test/store-kill.test.ts: a span store killed at any moment opens again and has all that was written, with what
// finds it. The store runs in a child and dies by SIGKILL while it writes, again and again over the same file.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { Rejections } from '../src/common/rejections.js'
import { SpanStore } from '../src/pipeline/store/store.js'
import { makeQuery } from '../src/spans/query.js'
import { buildRelay, folder } from './helpers.js'

const root = join(import.meta.dirname, '..')

beforeAll(buildRelay)

/** The first number that is not known to be written. */
async function writeAndDie(output: string, first: number, ms: number): Promise<number> {
  const child = spawn(process.execPath, [join(root, 'test/store-child.mjs'), output, `${first}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let printed = ''
  child.stdout!.on('data', (part: Buffer) => {
    printed += part
  })
  await once(child.stdout!, 'data')
  await new Promise((resolve) => setTimeout(resolve, ms))
  child.kill('SIGKILL')
  await once(child, 'close')
  return Number(printed.slice(0, printed.lastIndexOf('\n')).split('\n').at(-1))
}

test('what was written before a kill is there after it, whole, and found by every index', async () => {
  const output = folder()
  const idOf = (number: number) => number.toString(16).padStart(16, '0')
  const numbers: number[] = []
  for (let [kill, first] = [0, 1]; kill < 5; kill++) {
    const end = await writeAndDie(output, first, 300 + 130 * kill)
    expect(end).toBeGreaterThan(first)
    for (let number = first; number < end; number++) {
      if (number % 97 === 0 || number > end - 200) numbers.push(number)
    }
    const options = {
      autocompleteKeys: [],
      retention: { age: 9e15, bytes: 1e12 },
      rejections: new Rejections(expect.unreachable),
    }
    const store = await SpanStore.open(output, options)
    expect(store.services()).toEqual(['s'])
    const traces = await store.traces(numbers.map(idOf))
    expect(traces.length).toBe(numbers.length)
    expect(traces.filter((spans) => spans.length !== 5)).toEqual([])
    for (const number of [1, first, end - 1]) {
      const query = { annotationQuery: `number=${number}`, endTs: 2e12, lookback: 2e12, limit: 10 }
      const found = await store.search(makeQuery(query))
      expect(found.map((spans) => spans.map(({ traceId }) => traceId))).toEqual([Array(5).fill(idOf(number))])
    }
    await store.close()
    first = end + 100_000 // beyond what was on its way
  }
}, 120_000)
