// bench/js/alerts.mjs [SPANS]: what alerts cost the relay: spans a second of its own thread, from packets to spans, without
// rules, and with ten of each sort. The sorts take turns in each round, so that other work on the machine meets them all;
// what is told is the median of the rounds, as time for a span beside the same without rules.
import { readFileSync } from 'node:fs'
import { PutDecoder } from '../../relay/dist/ctf/put-decoder.js'
import { Alerts } from '../../relay/dist/pipeline/alerts/alerts.js'
import { parseAlerts } from '../../relay/dist/pipeline/alerts/parse.js'
import { Assembler } from '../../relay/dist/spans/assembly/assembler.js'
import { spanDecoders } from '../../relay/dist/spans/assembly/records.js'
import { eventsPerSpan, spanPuts, spanTraceInfo } from '../lib/span-packets.mjs'

const count = Number(process.argv[2] ?? 200_000)
const rounds = 9
/** What the relay's clock would say: so many spans come a second. */
const perSecond = 50_000

const ten = (of) => Array.from({ length: 10 }, (_, i) => `a${i}: ${of(i)}`).join('\n')
const names = ['write', 'lookup', 'put', 'flush']
const sorts = {
  'no rules': '',
  'ten for other services': ten((i) => `p99(service=other${i}) > 20ms over 30s`),
  'ten percentiles': ten((i) => `p99(service=bench span=${names[i % 4]}) > 20ms over 30s`),
  'ten, by a tag of 1024 values': ten(
    (i) => `p99(service=bench span=${names[i % 4]}) > 20ms over 30s by tag.object`,
  ),
  'ten error rates': ten((i) => `errors(span=${names[i % 4]} tag.op=write) > 1% over 60s`),
  'one of missing spans': 'a: missing(span=write kind=server -> span=flush) > 0 over 30s',
  'ten of missing spans': ten((i) => `missing(span=write -> span=${names[i % 4]}) > 0 over 30s`),
  'ten, as a user has them': `${ten((i) =>
    i < 5
      ? `p99(service=bench span=${names[i % 4]}) > 20ms over 30s`
      : `errors(service=bench span=${names[i % 4]}) > 1% over 60s`,
  ).replace(/^a[49].*$/gm, '')}
m0: missing(span=write -> span=flush) > 0 over 30s
m1: missing(span=write -> span=lookup) > 0 over 30s`,
}

/** Microseconds of this thread for a span. */
function run(puts, rules) {
  const info = spanTraceInfo()
  const epoch = { number: 0, offset: info.offset }
  const decoder = new PutDecoder(spanDecoders(info))
  const assembler = new Assembler()
  const source = assembler.open('bench', 'default', 'bench', '0badcafe')
  const context = { log: () => {}, isThere: () => true, wall: Date.now }
  const alerts = rules === '' ? undefined : new Alerts({ rules: parseAlerts(rules) }, context, 0)
  let mark = { epoch, sequence: 0, packets: 0, lost: 0n, lastTime: 0n }
  let [now, came] = [0, 0]
  const hand = (spans) => {
    came += spans.length
    alerts?.add(spans, now)
    alerts?.due(now)
  }
  const start = threadTime()
  for (const put of puts) {
    let events = 0
    decoder.each(0, mark, epoch, put, (item) => {
      events++
      assembler.take(source, item, now)
    })
    mark = { ...mark, sequence: mark.sequence + 1 }
    // in ticks of 50 ms, as the relay looks
    for (let left = (events / eventsPerSpan / perSecond) * 1000; left > 0; left -= 50) {
      now += Math.min(left, 50)
      hand(assembler.due(now))
    }
  }
  hand(assembler.finish())
  const took = threadTime() - start
  if (came !== count) throw new Error(`${came} of ${count} spans came out`)
  return took / count
}

function threadTime() {
  const [ns] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')
  return Number(ns) / 1000
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
const puts = [...spanPuts(count)]
const took = Object.fromEntries(Object.keys(sorts).map((sort) => [sort, []]))
for (const rules of Object.values(sorts)) run(puts, rules) // warm
for (let round = 0; round < rounds; round++) {
  for (const [sort, rules] of Object.entries(sorts)) took[sort].push(run(puts, rules))
}
console.log(`${count} spans, medians of ${rounds} rounds in turns, one thread`)
console.log('us a span  more   ratio')
const base = took['no rules']
for (const [sort, times] of Object.entries(took)) {
  const ratio = median(times.map((time, i) => time / base[i]))
  const more = median(times.map((time, i) => time - base[i]))
  console.log(
    `${median(times).toFixed(2).padStart(9)} ${more.toFixed(2).padStart(5)} ${ratio.toFixed(2).padStart(7)}  ${sort}`,
  )
}
