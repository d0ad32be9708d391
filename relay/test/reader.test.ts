// relay/test/reader.test.ts: what the reader prints is what babeltrace2 prints, for any trace we can write, and what it
// hands to programs prints the same.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatJson, formatText, readTrace, type TraceEvent, view } from '../src/index.js'
import { babeltrace, collect, hasBabeltrace } from './helpers.js'
import { processes, writeTraces } from './random-trace.js'

async function itemLines(path: string): Promise<{ text: string[]; json: string[] }> {
  const lines = { text: [] as string[], json: [] as string[] }
  let before: TraceEvent | undefined
  for await (const item of readTrace(path)) {
    lines.text.push(formatText(item, before))
    lines.json.push(formatJson(item))
    if (item.kind === 'event') before = item
  }
  return lines
}

test('what is printed is what babeltrace2 prints, byte for byte', async (t) => {
  if (!hasBabeltrace) t.skip('babeltrace2 is not installed')
  await fc.assert(
    fc.asyncProperty(processes, fc.gen(), async (made, gen) => {
      const root = writeTraces(made, gen)
      const output = collect()
      const sum = await view({ path: root, output })
      const ours = output.text().split('\n')
      const events = ours.filter((line) => !line.includes(' *** '))
      const theirs = babeltrace(root).text.split('\n')
      const first = events.findIndex((line, i) => line !== theirs[i])
      expect(events[first], `line ${first}`).toBe(theirs[first])
      expect(events.length).toBe(theirs.length)
      expect(sum.events).toBe(events.length - 1)
      const items = await itemLines(root)
      expect(ours, 'as the items print').toEqual([...items.text, ''])
      const json = collect()
      await view({ path: root, json: true, output: json })
      expect(json.text().split('\n'), 'as the items print').toEqual([...items.json, ''])
    }),
    { numRuns: 60, endOnFailure: true, interruptAfterTimeLimit: 40_000 },
  )
})
