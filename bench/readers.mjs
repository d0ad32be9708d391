#!/usr/bin/env node
// bench/readers.mjs: `npm run bench:readers`: what reads a trace of ten million events: babeltrace2, `blkin view`, `blkin sql`. Time,
// CPU time and memory of each, in turns. Takes four minutes on an idle machine and writes docs/readers.md.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isMain, mustRun, root } from '../scripts/lib/run.mjs'
import { ensureSetup } from '../scripts/setup.mjs'
import { machine } from './lib/machine.mjs'
import { quantile } from './lib/stats.mjs'

const EVENTS = 10_000_000
const ROUNDS = 3
const folder = join(root, 'build/bench-readers')
const trace = join(folder, 'trace')
const cli = join(root, 'dist/cli/main.js')
const node = process.execPath
const say = (line) => process.stderr.write(`readers: ${line}\n`)

const question = 'SELECT op, count(*), avg(length) FROM blockstore.request GROUP BY op'
/** The same of babeltrace2's text. */
const awk = `awk '/:request:/ { match($0, /op = \\( "[a-z]+/); op = substr($0, RSTART + 8, RLENGTH - 8)
  match($0, /length = [0-9]+/); sum[op] += substr($0, RSTART + 9, RLENGTH - 9); n[op]++ }
  END { for (op in n) print op, n[op], sum[op] / n[op] }'`

const blkin = (...args) => [node, cli, ...args]
const readers = [
  { name: 'an empty program', command: [node, '-e', '0'] },
  { name: '`babeltrace2`, text', command: ['babeltrace2', trace] },
  { name: '`blkin view`, text', command: blkin('view', trace) },
  { name: '`blkin view --json`', command: blkin('view', '--json', trace) },
  { name: '`babeltrace2`, text, and awk', command: ['sh', '-c', `babeltrace2 "$0" | ${awk}`, trace] },
  { name: '`blkin sql`, the same question', command: blkin('sql', trace, question) },
  {
    name: '`blkin sql`, rows of all events counted',
    command: blkin('sql', trace, 'SELECT count(*) FROM events'),
  },
  {
    name: '`blkin sql --parquet`, all of it',
    command: blkin('sql', trace, '--parquet', join(folder, 'parquet')),
  },
]

/** Runs its arguments and says what they took, with what they had run; Node does not tell that of its children. */
const timed = `import resource, subprocess, sys, time
start = time.time()
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(time.time() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
sys.exit(code)`

/** Seconds, CPU seconds and MiB at most; the output is for nobody. */
function measure(command) {
  rmSync(join(folder, 'parquet'), { recursive: true, force: true })
  const { status, stdout, stderr } = spawnSync('python3', ['-c', timed, ...command], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr}`)
  const [seconds, cpu, mib] = stdout.split(' ').map(Number)
  return { seconds, cpu, mib }
}

async function record() {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const program = join(root, 'bench/js/readers.mjs')
  const how = ['-e', 'blockstore:*', '--mode', 'block:1000', '-o', trace]
  await mustRun(node, [cli, 'record', ...how, '--', node, program, String(EVENTS)])
}

function report(rows) {
  const { cpu, kernel, system } = machine()
  const [own] = readdirSync(trace)
  const files = readdirSync(join(trace, own)).map((name) => statSync(join(trace, own, name)).size)
  const mb = Math.round(files.reduce((sum, size) => sum + size, 0) / 1e6)
  const table = rows.map(
    ({ name, seconds, cpu, mib }) =>
      `| ${name} | ${seconds.toFixed(1)} | ${cpu.toFixed(1)} | ${Math.round(mib)} |`,
  )
  return `# What reads a trace

Written by \`npm run bench:readers\`: ${EVENTS.toLocaleString('en-US')} events of two tracepoints (an enum, integers, a float, a string) by
two threads, ${mb} MB of CTF. Medians of ${ROUNDS} rounds in turns; output to /dev/null. Node ${process.version}; ${cpu}, ${kernel}, ${system}.

| | seconds | CPU seconds | MiB at most |
| --- | ---: | ---: | ---: |
${table.join('\n')}

An empty program is what Node itself takes. Of a pipe to awk the CPU time is that of both, and the memory that of the larger.
babeltrace2 runs on one thread, and so does \`blkin view\`. The question is \`${question}\`, and
awk's is the same.
`
}

if (isMain(import.meta)) {
  await ensureSetup({ debian: ['babeltrace2', 'python3'] })
  say(`records ${EVENTS.toLocaleString('en-US')} events`)
  await record()
  const rounds = Array.from({ length: ROUNDS }, (_, i) => {
    say(`round ${i + 1} of ${ROUNDS}`)
    return readers.map(({ command }) => measure(command))
  })
  const rows = readers.map(({ name }, i) => {
    const median = (key) =>
      quantile(
        rounds.map((round) => round[i][key]),
        0.5,
      )
    return { name, seconds: median('seconds'), cpu: median('cpu'), mib: median('mib') }
  })
  writeFileSync(join(root, 'docs/readers.md'), report(rows))
  rmSync(folder, { recursive: true, force: true })
  say('wrote docs/readers.md')
}
