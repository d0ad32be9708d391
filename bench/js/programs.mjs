// bench/js/programs.mjs ROUNDS WARM NAME...: runs the programs of these names (bench/lib/programs.mjs) under the Node that runs this, each
// beside the job without tracepoints: in turns of a sixth of a millisecond, a few times, the best of either, so that what else the
// machine does meets both or neither. Prints as JSON the ns of a job and of the one without, a pair a round, by name.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSession } from '../../dist/index.mjs'
import { root } from '../../scripts/lib/run.mjs'
import { jobName, jobSource, tracepointsSource } from '../lib/job.mjs'
import { baseOf, programs } from '../lib/programs.mjs'
import { generator, shuffled } from '../lib/stats.mjs'

const turns = 80
const turnsBefore = 20 // not timed: they bring the code into the caches, where that of the one without is already
const times = 4
const [rounds, warm, ...names] = process.argv.slice(2)

// Inside the package, where its own name leads to it.
const folder = join(root, `build/bench/programs-${process.pid}`)
mkdirSync(folder, { recursive: true })
const rows = new Map()
try {
  for (const program of programs.filter((one) => names.includes(jobName(one)))) {
    const name = jobName(program)
    const points = `./${name}.tracepoints.mjs`
    if (program.form !== 'none') writeFileSync(join(folder, points), tracepointsSource(program))
    writeFileSync(join(folder, `${name}.mjs`), jobSource(program, points))
    const { run } = await import(join(folder, `${name}.mjs`))
    rows.set(name, { run, been: program.been, base: baseOf(program), pairs: [] })
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

const session = openSession('passing', { relay: null, mode: 'overwrite' })
session.enable('*_been:*')
for (const { run, been } of rows.values()) if (been) run(4000)
await session.close()

// In turns: a program warms up among others, as its functions do.
for (let i = 0; i < Number(warm); i++) for (const { run } of rows.values()) run(1000)

const random = generator(1)
const compared = [...rows].filter(([name, { base }]) => name !== base)
for (let round = 0; round < Number(rounds); round++)
  for (const [, { run, base, pairs }] of shuffled(compared, random)) {
    const pair = [Infinity, Infinity]
    for (let i = 0; i < times; i++)
      [run, rows.get(base).run].forEach((one, side) => {
        pair[side] = Math.min(pair[side], time(one))
      })
    pairs.push(pair)
  }
console.log(JSON.stringify(Object.fromEntries(compared.map(([name, { pairs }]) => [name, pairs]))))

function time(run) {
  run(turnsBefore)
  const start = performance.now()
  run(turns)
  return ((performance.now() - start) * 1e6) / turns
}
