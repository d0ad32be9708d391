#!/usr/bin/env node
// scripts/bench-scaling.mjs: `npm run bench:scaling`: what grows with processors, threads, tracepoints, rules and senders, and by how much for each.
// Writes bench/scaling.json, and from it the tables of docs/scaling.md. Five minutes.
//   --report  measures nothing: writes the tables again from bench/scaling.json
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { machine } from '../bench/lib/machine.mjs'
import { measureCrowds, measureMany, measureSenders } from '../bench/lib/measure-scaling.mjs'
import { scalingTables } from '../bench/lib/scaling-tables.mjs'
import { withMarked } from './lib/marked.mjs'
import { isMain, root } from './lib/run.mjs'

const published = join(root, 'bench/scaling.json')
const page = join(root, 'docs/scaling.md')
const say = (line) => console.error(`scaling: ${line}`)

/** docs/scaling.md with what stands between its marks made anew. */
export const withTables = (text, result) => withMarked('docs/scaling.md', text, scalingTables(result))

async function measure() {
  const here = { date: new Date().toISOString().slice(0, 10), node: process.version, machine: machine() }
  const crowds = await measureCrowds(say)
  const many = await measureMany(say)
  const senders = await measureSenders(say)
  return { ...here, crowds, many, senders }
}

if (isMain(import.meta)) {
  const isReport = process.argv.includes('--report')
  if (!isReport) writeFileSync(published, `${JSON.stringify(await measure(), null, 1)}\n`)
  const result = JSON.parse(readFileSync(published, 'utf8'))
  writeFileSync(page, withTables(readFileSync(page, 'utf8'), result))
}
