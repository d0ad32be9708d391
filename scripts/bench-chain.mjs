#!/usr/bin/env node
// scripts/bench-chain.mjs: `npm run bench:chain`: the evaluation of the BlkKin thesis on the chain of examples/blockstore: what tracing costs
// writes of fio, in each state of bench/chain/states.mjs. Writes bench/chain-results.json, part by part, so that what is interrupted
// goes on with --part; and from it docs/chain-overhead.md, its pictures and the README's table. A quarter of an hour on an idle machine.
//   --part=WAY-NODE  measures this part alone, such as nbd-20, and keeps the others; may be given more than once
//   --rounds=N       of fio by NBD (default: 6); the other ways have half of them
//   --quick          this Node, few states and rounds; fails (exit code 3) where a ratio is beyond its bound. Prints, and writes nothing.
//                    A minute
//   --report         measures nothing: writes again what is made from bench/chain-results.json
//   --out=FOLDER     with --quick: writes the result into that folder
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { checkBounds } from '../bench/chain/bounds.mjs'
import { buildForms } from '../bench/chain/build.mjs'
import { measurePart } from '../bench/chain/measure.mjs'
import { pictures } from '../bench/chain/picture.mjs'
import { figures, missedTargets, report } from '../bench/chain/report.mjs'
import { partResults } from '../bench/chain/results.mjs'
import { states, workloads } from '../bench/chain/states.mjs'
import { ways } from '../bench/chain/ways.mjs'
import { machine, nodeVersion } from '../bench/lib/machine.mjs'
import { putInReadme } from '../bench/lib/readme.mjs'
import { nodeBinary } from './lib/nodes.mjs'
import { isMain, root } from './lib/run.mjs'
import { ensureSetup } from './setup.mjs'

const published = join(root, 'bench/chain-results.json')
const folder = join(root, 'build/chain/run')
const say = (line) => console.error(`bench: ${line}`)

/** Node 20 and 24 where fio speaks NBD itself; the other ways take longer, and Node 20 has to do. */
const parts = [
  { way: 'nbd', line: 20, part: 1 },
  { way: 'nbd', line: 24, part: 1 },
  { way: 'guest', line: 20, part: 0.5 },
  { way: 'rados', line: 20, part: 0.5 },
]
const nameOf = ({ way, line }) => `${way}-${line}`
const seconds = 1.5

async function measured({ way: id, line, part }, forms, rounds) {
  const way = ways.find((one) => one.id === id)
  const why = way.whyNot()
  if (why !== undefined) return { missing: why }
  const node = process.version.startsWith(`v${line}.`) ? process.execPath : nodeBinary(line)
  if (node === undefined) return { missing: `Node ${line} cannot be fetched` }
  const start = performance.now()
  const wanted = states.filter(({ id }) => way.states?.includes(id) ?? true)
  const settings = { rounds: Math.max(1, Math.round(rounds * part)), seconds }
  const where = { node, forms, folder, states: wanted, workloads, ...settings }
  const raw = await measurePart(way, where, (text) => say(`${id} on Node ${line}: ${text}`))
  const date = new Date().toISOString().slice(0, 10)
  const took = (performance.now() - start) / 1000
  return partResults(way, raw, { date, machine: machine(), node: nodeVersion(node), ...settings, took })
}

/** Five digits are more than can be told apart. */
const textOf = (result) =>
  `${JSON.stringify(result, (_, value) => (typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value), 1)}\n`

/** What is made from the JSON: nothing in it is typed by hand. */
function publish() {
  const result = JSON.parse(readFileSync(published, 'utf8'))
  const byNbd = Object.entries(result.parts).filter(([name]) => name.startsWith('nbd-'))
  if (byNbd.every(([, { missing }]) => missing !== undefined))
    throw new Error(
      `bench: nothing was measured by NBD: ${byNbd.map(([name, { missing }]) => `${name}: ${missing}`)}`,
    )
  writeFileSync(join(root, 'docs/chain-overhead.md'), report(result))
  for (const [name, svg] of Object.entries(pictures(result)))
    writeFileSync(join(root, 'docs/images', name), svg)
  putInReadme('chain', figures(result))
  for (const [name, { missing }] of Object.entries(result.parts))
    if (missing) say(`without ${name}: ${missing}`)
  const missed = missedTargets(result)
  say(`${missed === 0 ? 'all targets met' : `${missed} targets missed`}; see docs/chain-overhead.md`)
}

async function quick(forms, out) {
  const { part, lines } = await checkBounds({ node: process.execPath, forms, folder }, say)
  for (const { state, perSecond, ratio, micros } of part.rows)
    say(
      `${state}: ${Math.round(perSecond.median)} writes/s, ${ratio ? `${ratio.median.toFixed(2)}, ` : ''}${micros.median.toFixed(1)} us a write`,
    )
  for (const { state, unit, expected, recorded, lost } of part.accounts)
    say(`${state}: ${Math.round(expected)} ${unit} emitted, ${recorded} recorded, ${lost} events lost`)
  if (out !== undefined) {
    mkdirSync(resolve(out), { recursive: true })
    writeFileSync(join(resolve(out), 'chain-results.json'), textOf(part))
  }
  for (const line of lines) say(`BEYOND its bound: ${line}`)
  if (lines.length > 0) process.exitCode = 3
  else say('no ratio is beyond its bound')
}

async function bench({ part: asked, rounds, quick: isQuick, report: isReport, out }) {
  const unknown = (asked ?? []).filter((name) => !parts.some((part) => nameOf(part) === name))
  if (unknown.length > 0)
    throw new Error(`--part=${unknown}: expected one of ${parts.map(nameOf).join(', ')}`)
  if (!(Number.isInteger(Number(rounds)) && rounds > 0))
    throw new Error(`--rounds=${rounds}: expected a whole number from 1`)
  if (isReport) return publish()
  await ensureSetup({ debian: isQuick ? ways[0].packages : ways.flatMap(({ packages }) => packages) })
  const forms = await buildForms()
  try {
    if (isQuick) return await quick(forms, out)
    const result = existsSync(published) ? JSON.parse(readFileSync(published, 'utf8')) : { parts: {} }
    for (const part of parts.filter((one) => asked?.includes(nameOf(one)) ?? true)) {
      result.parts[nameOf(part)] = await measured(part, forms, Number(rounds))
      writeFileSync(published, textOf(result))
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  publish()
}

if (isMain(import.meta)) {
  const options = {
    ...{ part: { type: 'string', multiple: true }, rounds: { type: 'string', default: '6' } },
    ...{ quick: { type: 'boolean' }, report: { type: 'boolean' }, out: { type: 'string' } },
  }
  try {
    await bench(parseArgs({ options }).values)
  } catch (error) {
    console.error(error.stack)
    process.exitCode = 1
  }
}
