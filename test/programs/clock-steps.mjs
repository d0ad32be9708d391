// test/programs/clock-steps.mjs: emits, sets its own clock (clock-shift.c) and emits again, in steps of so many seconds (arguments);
// each event says when it was, by the clock as it is set then. A span is open over each step. DELIVERS: `no` where there is no relay;
// `late` where a flight recorder gets one at the end.
import { openSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { flush, openSession, provider, t, trace } from 'blkin'

const { turn } = provider('steps', { turn: { fields: { n: t.u32, ms: t.u64 } } })
const clock = openSync(process.env.CLOCK_SHIFT, 'r+')
let [n, shift] = [0, 0]
// Date.now() may or may not be what was preloaded; this is not
const now = () => Math.round(performance.timeOrigin + performance.now() + shift * 1000)
const how = process.env.DELIVERS ?? 'at once'
const delivers = how === 'at once'
const emit = () => {
  for (let i = 0; i < 10; i++) turn({ n: n++, ms: now() })
}

const recorder = how === 'late' ? openSession('recorder', { relay: null, mode: 'overwrite' }) : undefined
recorder?.enable('steps:*')
const spans = []
if (how !== 'no') emit()
if (recorder) await sleep(3000) // it looks at the clock once a second
for (const seconds of process.argv.slice(2).map(Number)) {
  const span = trace.start(`over ${seconds}`)
  spans.push({ name: `over ${seconds}`, ms: now() })
  if (delivers) await flush() // what was emitted a moment before may be taken to be from after
  const bytes = Buffer.alloc(8)
  shift = seconds
  bytes.writeBigInt64LE(BigInt(seconds) * 1_000_000_000n)
  writeSync(clock, bytes, 0, 8, 0)
  emit()
  span.annotate('stepped')
  span.end()
  await sleep(1100) // an epoch lasts a second at least
  if (delivers) emit()
}
process.stdout.write(`${JSON.stringify({ n, spans })}\n`)
recorder?.change({ relay: process.env.LATE_RELAY })
if (how !== 'no') await (recorder ?? { flush }).flush()
else setInterval(() => {}, 1000)
