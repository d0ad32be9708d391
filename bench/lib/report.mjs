// bench/lib/report.mjs: turns bench/results.json into docs/benchmark.md and the README's figures. Every number comes from `result`.
import { whole } from './markdown.mjs'
import { sliceNs } from './measure.mjs'
import {
  costsTable,
  garbageTable,
  gateTable,
  latencyTable,
  programsTable,
  ratesTable,
  recorded,
  targetsTable,
  threadsTable,
  throughput,
} from './tables.mjs'

const versions = ({ nodes }) => nodes.map(({ version, v8 }) => `${version} (V8 ${v8})`).join(', ')

/** What the README says of it: what it costs, and where and when that was measured. */
export function figures(result) {
  const { machine: m, date, nodes } = result
  return `A job of two microseconds with tracepoints that are off, to the job without, never on / on before:

${programsTable(result, ({ shape, count }) => shape === 'one' && count >= 50)}

And what is on, or refused:

${targetsTable(result)}

${throughput(result)}

What is bold misses its target. Measured on ${date}, ${m.cpu}, Node.js ${nodes.map(({ version }) => version).join(', ')}; ratios within one interleaved
run, medians. The floor is a Node-API call that does nothing but read the clock. All rows, intervals and pictures: [docs/benchmark.md](docs/benchmark.md).`
}

export function report(result) {
  const { machine: m, method, missing, date, nodes } = result
  const { events, programs, rateSeconds } = method.settings
  const [first] = nodes
  return `# Benchmark

Made by \`npm run bench\` on ${date} from [bench/results.json](../bench/results.json), which has the intervals too; no number here is typed by hand.

| | |
| --- | --- |
| processor | ${m.cpu}, clocksource ${m.clocksource} |
| system | ${m.system}, ${m.kernel}, ${m.libc} |
| Node.js | ${versions(result)} |
| compiler | ${method.compiler}, ${method.flags} |
| LTTng | ${first.lttng ? `lttng-tools ${first.lttng.version}, default channel` : 'not here'} |
| load before | ${m.load} (one minute) |

All in one run of ${whole(method.seconds)} s, Node after Node. Each row in turn for a slice of about ${sliceNs / 1e6} ms, ${whole(events.rounds)} rounds, each in an order of its
own. Every time is the median over the rounds, with the quartiles beside it; every ratio is taken within each round and then
the median, since the machine's speed drifts by more than what is compared. JavaScript runs in warm processes, C and C++ in others that
stand beside and take their turns. Where something is recorded the consumer and the relay work meanwhile on the other
processor, and the slice ends before the ring is full. A value in bold misses its target.
${missing.length > 0 ? `\nWithout ${missing.join(', ')}: rows that need it are left out.\n` : ''}
## What tracepoints that are off add to a program

![The job's time by the number of tracepoints in it, on each Node](images/benchmark-programs.svg)

A job of ${(first.programs[0].ns / 1000).toFixed(1)} us (parse JSON, ten steps, hash, stringify) in modules of its own, whose tracepoints come from another module: its time to
that of the job without, never on / on before, ${whole(programs.rounds)} rounds of pairs. [Transformed, guarded by hand or plain](static.md); in one
function, or spread over ten small ones that V8 inlines where nothing is in them, so that what tracepoints take of its budget for
inlining is there too.

${programsTable(result, () => true)}

## What an event costs

![Time of one event, and of what services write in its place](images/benchmark-events.svg)

${targetsTable(result)}

${throughput(result)}

${costsTable(result)}

The values differ on every turn, and the loop stores one that depends on the last, so no turn can be dropped. The loop
of the row "off" is the real one: switched on at the end of the run, it recorded each of its turns. Loops are functions of 500 turns that are called
often: in code that V8 puts in place of a loop that runs already, the object of a call that is off is made, 8 ns.

## The slow ones

${latencyTable(result)}

Each turn timed alone, with the reading of the clock, as the first row shows; the longest of all, medians of the rest.

## What is left to the collector

${garbageTable(result)}

## Threads

${threadsTable(result)}

${m.cpu.split(' x ')[0]} processors. The 3-integer event, into a session in memory that is overwritten.

## What was recorded

${recorded(result)}

## End to end: a program, its consumer, a relay, files

The 3-integer event in a burst at each millisecond, for ${rateSeconds} s a rate, with BLKIN_BUFFER=8x4M. A rate holds when nothing
was lost, the program kept its pace, and the rest was stored within half a second. What the program emitted, less what
it counted as lost, was in each run what the relay had stored and what the files hold. Columns in percent of one
processor: emitting, the consumer's thread, the relay's JavaScript, its other threads (file writes).

${ratesTable(result)}

## Compared in CI

\`npm run bench -- --quick\` fails where a ratio is worse than the published one by more than its spread: three times in a row all of its
interval lies above. The spread is that of the rounds of a run, from quartile to quartile, and that between some runs. \`npm test\` runs it.
${result.gate ? `\n${gateTable(result.gate)}\n` : ''}`
}
