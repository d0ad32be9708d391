// bench/lib/serve.mjs: the JavaScript side of the handshake of bench/slice.h: "NAME COUNT" in, nanoseconds out. Blocks while it
// waits, so that nothing of the event loop runs between slices. A slice: { run(count), before?(), after?(), ran?(count) }; `after` is
// where what was recorded is emptied, so that the next slice of whomever begins in silence.
//   garbage NAME COUNT   bytes of the heap that a turn takes, the median of some tries: a collection between makes a try useless
//   latency NAME COUNT   JSON: quantiles of the ns of single turns, the reading of the clock with them
import { readSync, writeSync } from 'node:fs'
import { memoryUsage } from 'node:process'
import { turn } from '../../dist/cli/overhead/slices.js'
import { quantile } from './stats.mjs'

/** @param others by name: what answers other lines, given the count; `out` is the descriptor for answers */
export async function serve(slices, others = {}, out = 1) {
  const chunk = Buffer.alloc(256)
  let input = ''
  for (;;) {
    const end = input.indexOf('\n')
    if (end < 0) {
      const got = readLine(chunk)
      if (got === 0) return
      input += chunk.toString('latin1', 0, got)
      continue
    }
    const words = input.slice(0, end).split(' ')
    input = input.slice(end + 1)
    writeSync(out, `${await answer(words)}\n`)
  }

  function answer([first, ...rest]) {
    const how = { garbage, latency }[first]
    if (how !== undefined) return how(slices[rest[0]], Number(rest[1]))
    const count = Number(rest[0])
    return others[first]?.(count) ?? time(slices[first], count)
  }
}

const idle = new Int32Array(new SharedArrayBuffer(4))

/** Waits also where a Worker has made stdin one that does not block, as pino's does. */
function readLine(chunk) {
  for (;;) {
    try {
      return readSync(0, chunk)
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error
      Atomics.wait(idle, 0, 0, 0.2)
    }
  }
}

/** What stands around the turns of a slice. */
async function around(slice, count, work) {
  slice.before?.()
  const result = work()
  await slice.after?.()
  slice.ran?.(count)
  return result
}

function time(slice, count) {
  return around(slice, count, () => {
    const start = performance.now() // out here: what runs once a slice never gets V8's attention in a hot loop
    turn(slice.run, count)
    return (performance.now() - start) * 1e6
  })
}

const tries = 15

async function garbage(slice, count) {
  const taken = []
  for (let i = 0; i < tries; i++) {
    const bytes = await around(slice, count, () => {
      const before = memoryUsage().heapUsed
      const own = memoryUsage().heapUsed - before // what the question itself takes
      const start = memoryUsage().heapUsed
      turn(slice.run, count)
      return memoryUsage().heapUsed - start - own
    })
    taken.push(Math.max(0, bytes) / count)
  }
  return quantile(taken, 0.5)
}

async function latency(slice, count) {
  const turns = new Float64Array(count)
  await around(slice, count, () => {
    for (let i = 0; i < count; i++) {
      const start = performance.now()
      slice.run(1)
      turns[i] = (performance.now() - start) * 1e6
    }
  })
  turns.sort()
  const at = (part) => turns[Math.min(count - 1, Math.floor(count * part))]
  return JSON.stringify({ p50: at(0.5), p99: at(0.99), p999: at(0.999), max: turns[count - 1] })
}
