#!/usr/bin/env node
// scripts/soak.mjs: `npm run soak`: traced programs, Workers, sessions, rules, followers and relays that come and go for 20 minutes:
// what they take must stay flat, and every account be exact (docs/reliability.md). Exit code 1, and a line for each fault, where not.
//   MINUTES       3 is the least that has everything in it; after 20 or more the page is written
//   --plant=NAME,...  with faults that it has to find: descriptor, memory, folder, event
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { machine } from '../bench/lib/machine.mjs'
import { faultsIn, report } from '../test/soak/report.mjs'
import { soak } from '../test/soak/run.mjs'
import { withMarked } from './lib/marked.mjs'
import { isMain, root } from './lib/run.mjs'

const usual = 20
const page = join(root, 'docs/reliability.md')
const say = (line) => console.error(`soak: ${line}`)

/** In a /dev/shm of its own, others' processes are neither measured nor met. Only root can have one. */
function inOwnSharedMemory() {
  const mount = 'mount -t tmpfs tmpfs /dev/shm && exec "$@"'
  const unshare = ['-m', '--propagation', 'private', 'sh', '-c']
  if (
    process.env.SOAK_OWN_SHM ||
    spawnSync('unshare', [...unshare, 'mount -t tmpfs tmpfs /dev/shm']).status !== 0
  )
    return undefined
  const again = [...unshare, mount, 'sh', process.execPath, ...process.argv.slice(1)]
  const { status } = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'unshare', ...again], {
    stdio: 'inherit',
    env: { ...process.env, SOAK_OWN_SHM: '1' },
  })
  return status ?? 1
}

async function main() {
  const { values, positionals } = parseArgs({
    options: { plant: { type: 'string' } },
    allowPositionals: true,
  })
  const minutes = Number(positionals[0] ?? usual)
  if (!(minutes > 0)) throw new Error(`${positionals[0]}: expected minutes`)
  const found = await soak({ minutes, plant: values.plant, say })
  const date = new Date().toISOString().slice(0, 10)
  const text = report({ date, node: process.version, machine: machine(), ...found })
  console.log(text)
  const faults = faultsIn(found)
  for (const fault of faults) say(`FAILED: ${fault}`)
  if (faults.length > 0) return 1
  if (minutes >= usual)
    writeFileSync(page, withMarked('docs/reliability.md', readFileSync(page, 'utf8'), { soak: text }))
  say('flat, and exact')
  return 0
}

if (isMain(import.meta)) {
  process.exitCode =
    inOwnSharedMemory() ??
    (await main().catch((error) => {
      say(`FAILED: ${error.message}`)
      return 1
    }))
}
