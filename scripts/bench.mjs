#!/usr/bin/env node
// scripts/bench.mjs: `npm run bench`: measures tracepoints against their floor and their rivals, all in one run, and
// writes docs/benchmark.md. About three minutes on an idle machine.
//   --quick       few rounds and one rate, to see that everything runs; prints, and leaves docs/benchmark.md alone
//   --out=FILE    write there instead
//   --json=FILE   the medians and verdicts as JSON as well
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from '../bench/lib/build.mjs'
import { Child } from '../bench/lib/child.mjs'
import { countEvents } from '../bench/lib/count.mjs'
import { findHighest, holds, runRate } from '../bench/lib/end-to-end.mjs'
import { startLttng } from '../bench/lib/lttng.mjs'
import { machine } from '../bench/lib/machine.mjs'
import { measure } from '../bench/lib/measure.mjs'
import { figures, judge, report } from '../bench/lib/report.mjs'
import { contextBytes, recordedEvents, rows, sample, work } from '../bench/lib/rows.mjs'
import { spread } from '../bench/lib/stats.mjs'
import { isMain, root } from './lib/run.mjs'
import { ensureSetup } from './setup.mjs'

const packages = ['cmake', 'lttng-tools', 'liblttng-ust-dev']

async function bench({ quick, out, json }) {
  const { missing } = await ensureSetup({ debian: packages })
  if (missing.includes('cmake')) throw new Error('bench: cmake is missing; the peers cannot be built')
  const built = await build()
  const here = machine()
  const start = performance.now()
  const slices = await measureSlices(built, missing, quick)
  const rateSeconds = quick ? 1 : 5
  const endToEnd = await measureRates(quick, rateSeconds)
  const result = {
    ...slices,
    endToEnd,
    machine: here,
    missing,
    date: new Date().toISOString().slice(0, 10),
    method: { ...built, rounds: slices.rounds, rateSeconds, seconds: (performance.now() - start) / 1000 },
  }
  const text = report(result)
  const file = out ?? (quick ? undefined : join(root, 'docs/benchmark.md'))
  if (file === undefined) console.log(text)
  else writeFileSync(resolve(file), text)
  if (file !== undefined && out === undefined) putInReadme(figures(result))
  if (json !== undefined) writeFileSync(resolve(json), JSON.stringify(forPrograms(result), null, 2))
  const { judged, pack, endToEnd: rate } = judge(result)
  const missed = [...judged, pack, rate].filter(({ met }) => met === false).length
  console.error(
    `bench: ${missed === 0 ? 'all targets met' : `${missed} targets missed`}${file ? `; see ${file}` : ''}`,
  )
}

/** Between the two marks; the rest of the page is people's. */
function putInReadme(text) {
  const path = join(root, 'README.md')
  const page = readFileSync(path, 'utf8')
  const marked = /(<!-- figures: [^>]*-->\n)[\s\S]*(<!-- \/figures -->)/
  if (!marked.test(page)) throw new Error(`${path}: the marks of the figures are gone`)
  writeFileSync(
    path,
    page.replace(marked, (_, open, close) => `${open}${text}\n${close}`),
  )
}

async function measureSlices(built, missing, quick) {
  const rounds = quick ? 20 : 400
  const folder = mkdtempSync(join(tmpdir(), 'blkin-bench-'))
  const children = {}
  let lttng
  try {
    if (missing.length === 0) lttng = await startLttng()
    const relay = new Child(process.execPath, [join(root, 'bench/js/relay.mjs'), join(folder, 'traces')])
    children.relay = relay
    const env = { ...process.env, BLKIN_RELAY: await relay.hear(), BLKIN_ENABLE: '', BLKIN_BUFFER: '' }
    children.js = new Child(process.execPath, [join(root, 'bench/js/slices.mjs'), built.floor], {
      env,
      cwd: folder, // node:trace_events writes its file where it is
    })
    children.spans = new Child(process.execPath, [join(root, 'bench/js/spans.mjs')], { env })
    children.pack = new Child(built.pack)
    if (lttng) children.lttng = lttng.child
    const wanted = [...rows, ...work].filter((row) => row.in in children)
    const progress = (round) => {
      if (round % 50 === 0) console.error(`bench: round ${round} of ${rounds}`)
    }
    const results = await measure(wanted, children, { rounds, warmSlices: quick ? 20 : 60, progress })
    const account = JSON.parse(await children.js.ask('account 0'))
    const { processes } = JSON.parse(await relay.ask('stats'))
    for (const session of account.sessions) countSession(session, processes, account)
    checkSpans(JSON.parse(await children.spans.ask('account 0')))
    return {
      results,
      account,
      rounds,
      lttng: lttng && {
        version: lttng.version,
        emitted: wanted
          .filter((row) => row.in === 'lttng' && row.most !== undefined)
          .reduce((sum, { id }) => sum + results.get(id).turns, 0),
        discarded: await lttng.discarded(),
      },
    }
  } finally {
    await lttng?.end()
    for (const name of ['js', 'spans', 'pack', 'relay']) await children[name]?.end()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Every event emitted was recorded or counted as lost: otherwise the times are those of something else. */
function countSession(session, processes, account) {
  const { name, uuid, emitted, lost, overwritten, acknowledged } = session
  const stored = processes.find((one) => one.uuid.replaceAll('-', '') === uuid)
  const before = contextBytes[name] ?? 0
  const files = countEvents(
    stored.folder,
    Object.values(recordedEvents).map((bytes) => before + bytes),
  )
  session.counted = files.events
  const counts = { 'the consumer': acknowledged, 'the relay': stored.events, 'the files': files.events }
  const kept = name === 'refusing' ? countRefused(files.byId, account) : 0
  for (const [who, count] of Object.entries(counts)) {
    if (count !== emitted + kept - lost - overwritten)
      throw new Error(
        `bench: session ${name}: ${who}: ${count} events; expected ${emitted + kept} less ${lost} lost and ${overwritten} overwritten`,
      )
  }
  if (name !== 'default') return
  account.ctfBytes = Object.fromEntries(
    Object.keys(recordedEvents).map((event, id) => [event, files.byId[id].bytes / files.byId[id].events]),
  )
}

/** Filters were to refuse all, and a sample nearly all. Returns how many were kept. */
function countRefused(byId, account) {
  const ids = Object.keys(recordedEvents)
  const { filtered, sampled, named } = account.emitted
  const kept = byId[ids.indexOf('sampled')].events
  const others = byId.reduce((sum, { events }) => sum + events, 0) - kept
  account.refused = { filtered, named, sampled: sampled - kept }
  account.sampledKept = kept
  if (others > 0) throw new Error(`bench: filters kept ${others} events; expected none`)
  if (kept > 10 + 10 * sampled * sample)
    throw new Error(`bench: a sample of ${sample} kept ${kept} of ${sampled} events`)
  return kept
}

/** Five events a span, or a beginning that holds the tags and an end; none where it is not recorded; and the SDK's went to its exporter. */
function checkSpans({ bytes, lost, exported }) {
  const isRecorded = bytes.span >= 5 * 32 && bytes.started >= 3 * 32 && bytes.declared >= 3 * 32
  if (bytes.off !== 0 || bytes.out !== 0 || !isRecorded || lost !== 0 || exported === 0)
    throw new Error(
      `bench: spans: ${JSON.stringify({ bytes, lost, exported })}; expected all of them and no other`,
    )
}

async function measureRates(quick, seconds) {
  const progress = ({ perSecond, held, lost }) =>
    console.error(
      `bench: ${(perSecond / 1e6).toFixed(1)} million events/s ${held ? 'held' : `did not hold: ${lost} lost`}`,
    )
  if (!quick) return findHighest(seconds, progress)
  const run = await runRate(1e6, seconds)
  return [{ ...run, held: holds(run, seconds) }]
}

function forPrograms(result) {
  const medians = Object.fromEntries([...result.results].map(([id, { ns }]) => [id, spread(ns)]))
  const { judged, pack, endToEnd } = judge(result)
  return {
    machine: result.machine,
    medians,
    targets: judged,
    pack,
    endToEnd,
    account: result.account,
    lttng: result.lttng,
  }
}

if (isMain(import.meta)) {
  const { values } = parseArgs({
    options: { quick: { type: 'boolean' }, out: { type: 'string' }, json: { type: 'string' } },
  })
  try {
    await bench(values)
  } catch (error) {
    console.error(error.stack)
    process.exitCode = 1
  }
}
