// bench/lib/report.mjs: turns what was measured into docs/benchmark.md. Every number in it comes from `result`.

import { compare, sliceNs } from './measure.mjs'
import { endToEndTarget, packTarget, rows, targets, work } from './rows.mjs'
import { spread } from './stats.mjs'

const ns = (value) => (Math.abs(value) < 100 ? value.toFixed(1) : value.toFixed(0))
const ratio = (value) => value.toFixed(value < 0.1 ? 3 : 2)
const millions = (perSecond) => (perSecond / 1e6).toFixed(1)
const whole = (value) => Math.round(value).toLocaleString('en-US')
const range = ({ p25, p75 }, form) => `${form(p25)} - ${form(p75)}`
const verdict = (met) => (met === undefined ? '' : met ? 'met' : '**missed**')

function table(head, body) {
  const align = head.map((_, i) => (i === 0 ? '---' : '---:'))
  return [head, align, ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** The targets with what came of them. `measured` is undefined where a peer is not there. */
export function judge({ results, endToEnd }) {
  const judged = targets.map((target) => {
    const list = compare(results, target)
    const measured = list && spread(list)
    const met = target.most === undefined || !measured ? undefined : measured.median <= target.most
    return { ...target, measured, met }
  })
  const packNs = spread(results.get('pack.pack').ns)
  const pack = { perSecond: 1e9 / packNs.median, met: 1e9 / packNs.median >= packTarget }
  const best = endToEnd.filter(({ held }) => held).sort((a, b) => b.perSecond - a.perSecond)[0]
  const searched = endToEnd.some(({ held }) => !held) // up to a rate that does not hold; --quick tries but one
  const met = searched ? (best?.perSecond ?? 0) >= endToEndTarget : undefined
  return { judged, pack, endToEnd: { best, met } }
}

function costs({ results }) {
  const body = rows
    .filter(({ id }) => results.has(id))
    .map(({ id, says, over }) => {
      const { ns: list, count } = results.get(id)
      const all = spread(list)
      const alone = over === undefined ? '' : ns(spread(compare(results, { of: id, less: over })).median)
      const floor = spread(compare(results, { of: id, to: 'js.floor' })).median
      return [says, ns(all.median), range(all, ns), alone, ratio(floor), whole(count)]
    })
  return table(
    ['one turn of the loop', 'ns', 'p25 - p75', 'over its loop', 'to the floor', 'turns a slice'],
    body,
  )
}

function ratios({ judged }) {
  return table(
    ['measured', 'value', 'p25 - p75', 'target', ''],
    judged
      .filter(({ measured }) => measured)
      .map(({ says, less, most, measured, met }) => {
        const form = less === undefined ? ratio : (value) => `${value.toFixed(2)} ns`
        return [
          says,
          form(measured.median),
          range(measured, form),
          most === undefined ? '' : `at most ${form(most)}`,
          verdict(met),
        ]
      }),
  )
}

function recorded({ results, account, lttng }) {
  const body = ['none', 'ints', 'request', 'text'].map((event) => {
    const { median } = spread(results.get(`js.${event}`).ns)
    const [ring, ctf] = [account.bytes[event], account.ctfBytes[event]]
    return [event, millions(1e9 / median), whole(account.emitted[event]), whole(ring), ctf.toFixed(1)]
  })
  const head = ['event', 'million/s while emitting', 'emitted in all', 'bytes in the ring', 'bytes in CTF']
  return `${table(head, body)}

${table(
  ['session', 'emitted', 'lost', 'overwritten', 'acknowledged by the relay', 'counted in the files'],
  account.sessions.map(({ name, emitted: all, lost, overwritten, acknowledged, counted }) => [
    name,
    ...[all, lost, overwritten, acknowledged, counted].map(whole),
  ]),
)}

Refused: ${whole(account.refused.filtered)} and ${whole(account.refused.named)} events by filters that were to keep none, and kept none; ${whole(account.refused.sampled)} by a sample of
1/1000000, and ${whole(account.sampledKept)} kept.${
    lttng
      ? ` 
LTTng discarded ${whole(lttng.discarded)} of its ${whole(lttng.emitted)}; what is discarded costs less, so its times are at least these.`
      : ''
  }`
}

function rates(endToEnd) {
  const percent = (value) => `${value.toFixed(0)} %`
  const body = endToEnd.map((run) => [
    millions(run.perSecond),
    run.held ? 'yes' : 'no',
    whole(run.emitted),
    whole(run.lost),
    percent(run.cpu.emitting),
    percent(run.cpu.consumer),
    percent(run.cpu.relayMain),
    percent(run.cpu.relayOthers),
    `${run.worstLag.toFixed(0)} ms`,
  ])
  return table(
    [
      'million events/s',
      'held',
      'emitted',
      'lost',
      'emitting',
      'consumer',
      'relay, JS',
      'relay, I/O',
      'worst stall',
    ],
    body,
  )
}

/** What the README says of it: the targets, and where and when they were measured. */
export function figures(result) {
  const { machine: m, date } = result
  const verdicts = judge(result)
  return `${ratios(verdicts)}

${throughput(verdicts)}

Measured on ${date}, ${m.cpu}, ${m.node}; ratios within one interleaved run, medians. The floor is a Node-API call that
does nothing but read the clock. All rows: [docs/benchmark.md](docs/benchmark.md).`
}

function throughput({ pack, endToEnd }) {
  const rate = endToEnd.best ? millions(endToEnd.best.perSecond) : 'no rate held; 0'
  return `- Out of the ring into CTF packets, C++, one core: ${millions(pack.perSecond)} million events a second;
  target ${millions(packTarget)}: ${verdict(pack.met)}.
- End to end with nothing lost: ${rate} million events a second; target ${millions(endToEndTarget)}: ${verdict(endToEnd.met) || 'not looked for'}.`
}

export function report(result) {
  const { machine: m, method, endToEnd, lttng, missing, date } = result
  const verdicts = judge(result)
  const workMedian = spread(result.results.get(work[0].id).ns).median
  return `# Benchmark

Made by \`npm run bench\` on ${date}; no number here is typed by hand.

| | |
| --- | --- |
| processor | ${m.cpu}, clocksource ${m.clocksource} |
| system | ${m.system}, ${m.kernel}, ${m.libc} |
| runtime | ${m.node} |
| compiler | ${method.compiler}, ${method.flags} |
| LTTng | ${lttng ? `lttng-tools ${lttng.version}, default channel` : 'not here'} |
| load before | ${m.load} (one minute) |

All rows in one run of ${whole(method.seconds)} s: each in turn for a slice of about ${sliceNs / 1e6} ms, ${whole(method.rounds)} rounds, each in
an order of its own. Every time is the median over the rounds, with the quartiles beside it; every ratio is taken within each
round and then the median, since the machine's speed drifts by more than what is compared. JavaScript runs in one warm
process, C and C++ in processes that stand beside it and take their turns. Where something is recorded the consumer
and the relay work meanwhile on the other processor, and the slice ends before the ring is full.
${missing.length > 0 ? `\nWithout ${missing.join(', ')}: rows that need it are left out.\n` : ''}
## Targets

${ratios(verdicts)}

${throughput(verdicts)}

## What an event costs

${costs(result)}

The values differ on every turn, and the loop stores one that depends on the last, so no turn can be dropped. The loop
of the row "off" is the real one: switched on at the end of the run, it recorded each of its turns.

## What was recorded

${recorded(result)}

## End to end: a program, its consumer, a relay, files

The 3-integer event in a burst at each millisecond, for ${method.rateSeconds} s a rate, with BLKIN_BUFFER=8x4M. A rate holds when nothing
was lost, the program kept its pace, and the rest was stored within half a second. What the program emitted, less what
it counted as lost, was in each run what the relay had stored and what the files hold. Columns in percent of one
processor: emitting, the consumer's thread, the relay's JavaScript, its other threads (file writes).

${rates(endToEnd)}

## A program that is not traced

A job of ${(workMedian / 1000).toFixed(1)} us (parse JSON, hash, stringify) with 50 tracepoints that are off: see the last ratio above.
`
}
