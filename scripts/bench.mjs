#!/usr/bin/env node
// scripts/bench.mjs: `npm run bench`: measures tracepoints against their floor and their rivals, on each Node that we promise, and writes
// bench/results.json, and from it docs/benchmark.md, its picture and the README's figures. Five minutes on an idle machine.
//   --quick       this Node, few rounds and one rate, to see that everything runs; then fails (exit code 3) where a ratio is worse than
//                 the published one by more than its spread. Prints, and writes nothing. Less than a minute
//   --report      measures nothing: writes again what is made from bench/results.json
//   --out=FOLDER  writes into that folder instead, and leaves the README alone
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from '../bench/lib/build.mjs'
import { chart } from '../bench/lib/chart.mjs'
import { findHighest, holds, runRate } from '../bench/lib/end-to-end.mjs'
import { measureEvents } from '../bench/lib/events.mjs'
import { checkGate, publishGate } from '../bench/lib/gate.mjs'
import { machine, nodeVersion } from '../bench/lib/machine.mjs'
import { measurePrograms } from '../bench/lib/measure-programs.mjs'
import { measureThreads } from '../bench/lib/measure-threads.mjs'
import { putInReadme } from '../bench/lib/readme.mjs'
import { figures, report } from '../bench/lib/report.mjs'
import { endToEndResults, missedTargets, nodeResults } from '../bench/lib/results.mjs'
import { lines, nodeBinary } from './lib/nodes.mjs'
import { isMain, root } from './lib/run.mjs'
import { ensureSetup } from './setup.mjs'

const packages = ['cmake', 'lttng-tools', 'liblttng-ust-dev']
const published = join(root, 'bench/results.json')

const full = {
  events: { rounds: 80, warmSlices: 60, latencyTurns: 50_000 },
  programs: { rounds: 80, warm: 60 },
  threads: { rounds: 9, events: 1_000_000 },
  rateSeconds: 5,
  gateRuns: 4,
}
const quick = {
  events: { rounds: 16, warmSlices: 20, latencyTurns: 5000 },
  programs: { rounds: 10, warm: 5 },
  threads: { rounds: 1, events: 200_000 },
  rateSeconds: 1,
}

const say = (line) => console.error(`bench: ${line}`)
const lineOf = (version) => Number(/^v?(\d+)/.exec(version)[1])

/** This Node first: the rows that are told once are its. */
function nodesHere() {
  const own = lineOf(process.version)
  const others = lines.filter((line) => line !== own)
  const all = [
    { line: own, node: process.execPath },
    ...others.map((line) => ({ line, node: nodeBinary(line) })),
  ]
  for (const { line, node } of all) if (node === undefined) say(`without Node ${line}: it cannot be fetched`)
  return all.filter(({ node }) => node !== undefined)
}

async function measureAll(nodes, shared, settings) {
  const here = machine()
  const start = performance.now()
  const measured = []
  for (const { line, node } of nodes) {
    say(`Node ${line}: events`)
    const events = await measureEvents({ ...shared, node }, settings.events)
    say(`Node ${line}: programs`)
    const jobs = await measurePrograms(node, settings.programs)
    measured.push(nodeResults({ line, ...nodeVersion(node), ...events, jobs }))
  }
  say('threads')
  const threads = await measureThreads(nodes[0].node, settings.threads)
  const endToEnd = endToEndResults(await measureRates(settings))
  const { compiler, flags } = shared.built
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: here,
    missing: shared.missing,
    method: { compiler, flags, settings, seconds: (performance.now() - start) / 1000 },
    ...{ nodes: measured, threads, endToEnd },
  }
}

async function measureRates({ rateSeconds, gateRuns }) {
  const progress = ({ perSecond, held, lost }) =>
    say(`${(perSecond / 1e6).toFixed(1)} million events/s ${held ? 'held' : `did not hold: ${lost} lost`}`)
  if (gateRuns !== undefined) return findHighest(rateSeconds, progress)
  const run = await runRate(1e6, rateSeconds)
  return [{ ...run, held: holds(run, rateSeconds) }]
}

/** What is made from the JSON: nothing in it is typed by hand. */
function write(result, folder) {
  mkdirSync(join(folder, 'images'), { recursive: true })
  writeFileSync(join(folder, 'benchmark.md'), report(result))
  for (const [name, svg] of Object.entries(chart(result))) writeFileSync(join(folder, 'images', name), svg)
}

function publish(result, out) {
  const folder = out === undefined ? join(root, 'docs') : resolve(out)
  mkdirSync(folder, { recursive: true })
  write(result, folder)
  if (out === undefined) putInReadme('figures', figures(result))
  const missed = missedTargets(result)
  say(`${missed === 0 ? 'all targets met' : `${missed} targets missed`}; see ${join(folder, 'benchmark.md')}`)
}

async function bench({ quick: isQuick, report: isReport, out }) {
  if (isReport) return publish(JSON.parse(readFileSync(published, 'utf8')), out)
  const { missing } = await ensureSetup({ debian: packages })
  if (missing.includes('cmake')) throw new Error('bench: cmake is missing; the peers cannot be built')
  const shared = { built: await build(), missing }
  if (isQuick) return runQuick(shared, out)
  const nodes = nodesHere()
  const result = await measureAll(nodes, shared, full)
  say('the ratios that --quick compares with')
  result.gate = await publishGate({ ...shared, ...nodes[0] }, full.gateRuns)
  const file = out === undefined ? published : join(resolve(out), 'results.json')
  writeFileSync(file, `${JSON.stringify(result, null, 1)}\n`)
  publish(result, out)
}

async function runQuick(shared, out) {
  const own = { line: lineOf(process.version), node: process.execPath }
  const result = await measureAll([own], shared, quick)
  if (out === undefined) console.log(report(result))
  else {
    publish(result, out)
    writeFileSync(join(resolve(out), 'results.json'), JSON.stringify(result))
  }
  const { gate } = JSON.parse(readFileSync(published, 'utf8'))
  if (gate.line !== own.line) return say(`the published ratios are of Node ${gate.line}: not compared`)
  const worse = await checkGate({ ...shared, ...own }, gate, say)
  for (const line of worse) say(`WORSE than published: ${line}`)
  if (worse.length > 0) process.exitCode = 3
  else say('no ratio is worse than the published one by more than its spread')
}

if (isMain(import.meta)) {
  const options = { quick: { type: 'boolean' }, report: { type: 'boolean' }, out: { type: 'string' } }
  try {
    await bench(parseArgs({ options }).values)
  } catch (error) {
    console.error(error.stack)
    process.exitCode = 1
  }
}
