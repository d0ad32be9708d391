#!/usr/bin/env node
// scripts/bench-chain.mjs: `npm run bench:chain`: the evaluation of the BlkKin thesis on the chain of examples/blockstore: what tracing costs
// writes of fio, in each state of bench/chain/states.mjs. Writes bench/chain-results.json, part by part, and what is made from it.
//   --part=WAY-NODE  this part alone, such as nbd-20; more than once for several
//   --rounds=N       of each part (default: 5)
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildForms } from '../bench/chain/build.mjs'
import { measurePart } from '../bench/chain/measure.mjs'
import { partResults } from '../bench/chain/results.mjs'
import { states, workloads } from '../bench/chain/states.mjs'
import { ways } from '../bench/chain/ways.mjs'
import { machine, nodeVersion } from '../bench/lib/machine.mjs'
import { nodeBinary } from './lib/nodes.mjs'
import { isMain, root } from './lib/run.mjs'
import { ensureSetup } from './setup.mjs'

const published = join(root, 'bench/chain-results.json')
const say = (line) => console.error(`bench: ${line}`)

/** Node 20 and 24 where fio speaks NBD itself; the other ways take longer, and Node 20 has to do. */
const parts = [
  { way: 'nbd', line: 20 },
  { way: 'nbd', line: 24 },
  { way: 'guest', line: 20 },
  { way: 'rados', line: 20 },
]
const nameOf = ({ way, line }) => `${way}-${line}`

async function measured({ way: id, line }, forms, { rounds, seconds }) {
  const way = ways.find((one) => one.id === id)
  const why = way.whyNot()
  if (why !== undefined) return { missing: why }
  const node = process.version.startsWith(`v${line}.`) ? process.execPath : nodeBinary(line)
  if (node === undefined) return { missing: `Node ${line} cannot be fetched` }
  const start = performance.now()
  const folder = join(root, 'build/chain/run')
  const wanted = states.filter(({ id }) => way.states?.includes(id) ?? true)
  const settings = { node, forms, folder, states: wanted, workloads, rounds, seconds }
  const raw = await measurePart(way, settings, (text) => say(`${id} on Node ${line}: ${text}`))
  rmSync(folder, { recursive: true, force: true })
  const date = new Date().toISOString().slice(0, 10)
  const took = (performance.now() - start) / 1000
  return partResults(way, raw, { date, machine: machine(), node: nodeVersion(node), rounds, seconds, took })
}

async function bench({ part: asked, rounds }) {
  const unknown = (asked ?? []).filter((name) => !parts.some((part) => nameOf(part) === name))
  if (unknown.length > 0)
    throw new Error(`--part ${unknown}: expected one of ${parts.map(nameOf).join(', ')}`)
  await ensureSetup({ debian: ways.flatMap(({ packages }) => packages) })
  const forms = await buildForms()
  const result = existsSync(published) ? JSON.parse(readFileSync(published, 'utf8')) : { parts: {} }
  for (const part of parts.filter((one) => asked?.includes(nameOf(one)) ?? true)) {
    result.parts[nameOf(part)] = await measured(part, forms, { rounds: Number(rounds), seconds: 2 })
    writeFileSync(published, `${JSON.stringify(result, null, 1)}\n`)
  }
  for (const [name, { rows = [], missing }] of Object.entries(result.parts)) {
    console.log(name, missing ?? '')
    for (const { state, workload, ratio, toNone, perSecond, micros } of rows)
      console.log(
        [
          workload,
          state,
          perSecond.median.toFixed(0),
          ratio?.median.toFixed(3),
          ratio?.interval.map((one) => one.toFixed(2)),
          toNone?.median.toFixed(3),
          micros.median.toFixed(1),
        ].join('\t'),
      )
  }
}

if (isMain(import.meta)) {
  const options = { part: { type: 'string', multiple: true }, rounds: { type: 'string', default: '5' } }
  try {
    await bench(parseArgs({ options }).values)
  } catch (error) {
    console.error(error.stack)
    process.exitCode = 1
  }
}
