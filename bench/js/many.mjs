// bench/js/many.mjs TRACEPOINTS RULES: what it takes to declare so many tracepoints, and to switch one on under so many rules. Says milliseconds
// and bytes as JSON.
import { writeSync } from 'node:fs'
import { enable, provider, t } from '../../dist/index.js'

const [tracepoints, rules] = process.argv.slice(2).map(Number)
const { rss } = process.memoryUsage
const resident = () => {
  globalThis.gc()
  return rss()
}
provider('warm', { up: { fields: { n: t.u32 } } })
const before = resident()
const began = performance.now()
const made = {}
for (let from = 0; from < tracepoints; from += 100) {
  const events = {}
  for (let i = from; i < Math.min(from + 100, tracepoints); i++)
    events[`event_${i}`] = { fields: { offset: t.u64, length: t.u32, name: t.string } }
  Object.assign(made, provider(`many_${from}`, events))
}
const declared = performance.now()
const bytes = resident() - before
for (let i = 0; i < rules; i++) enable(`many_${i}_*:event_*`)
const changes = []
for (let i = 0; i < 20; i++) {
  const start = performance.now()
  enable('many_0:event_0').disable()
  changes.push((performance.now() - start) / 2)
}
changes.sort((a, b) => a - b)
writeSync(1, `${JSON.stringify({ declareMs: declared - began, bytes, changeMs: changes[10] })}\n`)
process.exit()
