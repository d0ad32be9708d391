// bench/js/assemble.mjs [SPANS [EVENTS]]: how many spans a second of processor time the relay takes, by how far they go: from
// packets to events, to spans, and into the store; all of them, and with one in a hundred stored.
// Time is that of the processor, so that other work on the machine matters little: of all threads (DuckDB has its own), and
// of the thread that everything else of the relay runs on, which is what a relay is short of.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Rejections } from '../../relay/dist/common/rejections.js'
import { PutDecoder } from '../../relay/dist/ctf/put-decoder.js'
import { Latencies } from '../../relay/dist/pipeline/latencies.js'
import { Sampler } from '../../relay/dist/pipeline/sample/sampler.js'
import { SpanStore } from '../../relay/dist/pipeline/store/store.js'
import { Assembler } from '../../relay/dist/spans/assembly/assembler.js'
import { spanDecoders } from '../../relay/dist/spans/assembly/records.js'
import { spanPuts, spanTraceInfo } from '../lib/span-packets.mjs'

const count = Number(process.argv[2] ?? 400_000)
/** Of a span: 5, or 2 where its begin holds its tags. */
const eventsPerSpan = Number(process.argv[3] ?? 5)
const rounds = 3
/** What the relay's clock would say: so many spans come a second. */
const perSecond = 100_000

async function run(puts, { assemble, count: isCounted, sample, store }) {
  const info = spanTraceInfo()
  const epoch = { number: 0, offset: info.offset }
  const decoder = new PutDecoder(spanDecoders(info))
  const assembler = new Assembler()
  const source = assembler.open('bench', 'default', 'bench', '0badcafe')
  const sampler = sample && new Sampler({ share: 0.01 })
  const folder = mkdtempSync(join(tmpdir(), 'blkin-bench-'))
  const retention = { age: 9e9, bytes: 1e12 }
  const spans =
    store &&
    (await SpanStore.open(folder, {
      autocompleteKeys: [],
      retention,
      rejections: new Rejections(console.error),
    }))
  let mark = { epoch, sequence: 0, packets: 0, lost: 0n, lastTime: 0n }
  let now = 0
  let handedOn = 0
  const latencies = isCounted && new Latencies()
  const hand = (made) => {
    latencies?.add(made, !sample)
    sampler?.add(made, now)
    const kept = sampler ? sampler.due(now) : made
    handedOn += kept.length
    spans?.add(kept)
  }
  const start = times()
  for (const put of puts) {
    let events = 0
    decoder.each(0, mark, epoch, put, (item) => {
      events++
      if (assemble) assembler.take(source, item, now)
    })
    mark = { ...mark, sequence: mark.sequence + 1 }
    now += (events / eventsPerSpan / perSecond) * 1000
    if (!assemble) continue
    hand(assembler.due(now))
    if (spans?.writer.isFull) await spans.writer.flush()
    else await new Promise(setImmediate)
  }
  hand(assembler.finish())
  if (sampler) {
    const kept = sampler.finish(now)
    handedOn += kept.length
    spans?.add(kept)
  }
  await spans?.writer.flush()
  const end = times()
  const expected = assemble ? count : 0
  if (handedOn + (sampler?.sampledOut ?? 0) !== expected)
    throw new Error(`${handedOn} of ${expected} spans came out`)
  if (spans && spans.writer.written !== handedOn) throw new Error(`${spans.writer.written} were stored`)
  await spans?.close()
  rmSync(folder, { recursive: true })
  return { all: end.all - start.all, thread: end.thread - start.thread }
}

/** Microseconds. */
function times() {
  const { user, system } = process.cpuUsage()
  const [ns] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')
  return { all: user + system, thread: Number(ns) / 1000 }
}

const rows = [
  { says: 'packets to events' },
  { says: '... to spans', assemble: true },
  { says: '... counted by how long they took', assemble: true, count: true },
  { says: '... and one in a hundred into the store', assemble: true, count: true, sample: true, store: true },
  { says: '... and all into the store', assemble: true, count: true, store: true },
]
const puts = [...spanPuts(count, eventsPerSpan)]
console.log(
  `${count} spans of ${eventsPerSpan} events, the best of ${rounds}: spans a second of processor time`,
)
console.log('all threads  one thread')
for (const row of rows) {
  const took = []
  for (let i = 0; i < rounds; i++) took.push(await run(puts, row))
  const rate = (of) => Math.round(count / (Math.min(...took.map(of)) / 1e6)).toLocaleString('en')
  console.log(
    `${rate(({ all }) => all).padStart(11)} ${rate(({ thread }) => thread).padStart(11)}  ${row.says}`,
  )
}
