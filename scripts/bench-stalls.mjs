#!/usr/bin/env node
// scripts/bench-stalls.mjs: `npm run bench:stalls`: the longest of single emits under full load, beside LTTng-UST's and the bare loop's, in turns.
// Writes bench/stalls.json, and from it docs/stalls.md and its picture. Five minutes on an idle machine.
//   --report      measures nothing: writes again what is made from bench/stalls.json
//   --quick       briefly, to see that everything runs; prints, and writes nothing
//   --out=FOLDER  writes into that folder instead
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from '../bench/lib/build.mjs'
import { machine } from '../bench/lib/machine.mjs'
import { measureStalls } from '../bench/lib/measure-stalls.mjs'
import { stallsParts, stallsPicture } from '../bench/lib/stalls-page.mjs'
import { withMarked } from './lib/marked.mjs'
import { isMain, root } from './lib/run.mjs'
import { ensureSetup } from './setup.mjs'

const published = join(root, 'bench/stalls.json')
const page = join(root, 'docs/stalls.md')
const full = { rounds: 30, ms: 2000 }
const quick = { rounds: 2, ms: 200 }
const say = (line) => console.error(`stalls: ${line}`)

async function measure(settings) {
  const { missing } = await ensureSetup({ debian: ['cmake', 'lttng-tools', 'liblttng-ust-dev'] })
  if (missing.includes('cmake')) throw new Error('stalls: cmake is missing; the peers cannot be built')
  const here = { date: new Date().toISOString().slice(0, 10), node: process.version, machine: machine() }
  const measured = await measureStalls({ ...(await build()), missing }, { ...settings, say })
  return { ...here, ...settings, ...measured }
}

/** docs/stalls.md with what stands between its marks made anew. */
export const withStalls = (text, result) => withMarked('docs/stalls.md', text, stallsParts(result))

function write(result, docs) {
  mkdirSync(join(docs, 'images'), { recursive: true })
  const to = join(docs, 'stalls.md')
  if (to !== page) copyFileSync(page, to)
  writeFileSync(to, withStalls(readFileSync(to, 'utf8'), result))
  writeFileSync(join(docs, 'images/stalls.svg'), stallsPicture(result))
}

async function main({ report, quick: isQuick, out }) {
  const folder = out === undefined ? undefined : resolve(out)
  if (folder) mkdirSync(folder, { recursive: true })
  const file = folder ? join(folder, 'stalls.json') : published
  if (!report) {
    const result = await measure(isQuick ? quick : full)
    if (isQuick && !folder) return console.log(Object.values(stallsParts(result)).join('\n\n'))
    writeFileSync(file, `${JSON.stringify(result)}\n`)
  }
  write(JSON.parse(readFileSync(file, 'utf8')), folder ?? join(root, 'docs'))
}

if (isMain(import.meta)) {
  const options = { quick: { type: 'boolean' }, report: { type: 'boolean' }, out: { type: 'string' } }
  await main(parseArgs({ options }).values).catch((error) => {
    console.error(error.stack)
    process.exitCode = 1
  })
}
