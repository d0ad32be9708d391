// bench/js/paced.mjs: emits a rate: PER_MS events at the start of every millisecond for MS milliseconds, spinning in
// between, as a service that is busy with other work. "go PER_MS MS" in; out, when done, what came of it as JSON; then
// it waits for its stdin to end. A tick that begins late is made up for: the rate is kept, or the lag is told.
import { readSync, writeSync } from 'node:fs'
import { enable, flush, provider, status, t } from '../../dist/index.js'

const { ints } = provider('bench', { ints: { fields: { a: t.u32, b: t.u32, c: t.u32 } } })
enable('bench:*')

function emit(from, count) {
  for (let i = from; i < from + count; i++) ints({ a: i >>> 0, b: count, c: 4096 })
}

const command = Buffer.alloc(256)
for (;;) {
  const got = readSync(0, command)
  if (got === 0) break
  const [, perMs, forMs] = command.toString('latin1', 0, got).trim().split(' ').map(Number)
  emit(0, 20_000) // code warm, rings made, the relay greeted
  await flush(10_000)
  const before = status()
  const start = performance.now()
  let busy = 0
  let worstLag = 0
  for (let tick = 0; tick < forMs; tick++) {
    while (performance.now() < start + tick) {}
    const began = performance.now()
    worstLag = Math.max(worstLag, began - start - tick)
    emit(tick * perMs, perMs)
    busy += performance.now() - began
  }
  const took = performance.now() - start
  const asked = performance.now()
  const delivered = await flush(60_000)
  const drained = performance.now() - asked
  const after = status()
  const lost = after.lost.noRoom - before.lost.noRoom
  const result = {
    emitted: perMs * forMs, ever: 20_000 + perMs * forMs, lost, lostEver: after.lost.noRoom, took, busy, worstLag,
    drained, delivered, acknowledged: after.relay.acknowledged, bytes: after.relay.bytesSent,
  } // biome-ignore format: a record
  writeSync(1, `${JSON.stringify(result)}\n`)
}
