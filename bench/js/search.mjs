// bench/js/search.mjs [SPANS] [FOLDER]: how long the relay's store takes to answer each kind of search, and to be filled.
// Spans are made by bench/lib/span-crowd.mjs, their times spread over the week that the store keeps. Each kind is asked 20
// times, for another value and by another end each time; the first answer, which reads the file, does not count.
// A store that was filled before in FOLDER is asked again as it is; without FOLDER it is made and removed.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Rejections } from '../../relay/dist/common/rejections.js'
import { SpanStore } from '../../relay/dist/pipeline/store/store.js'
import { makeQuery } from '../../relay/dist/spans/query.js'
import {
  mostSpans,
  nameOf,
  pathOf,
  paths,
  randomFrom,
  serviceOf,
  spanCrowd,
  userOf,
} from '../lib/span-crowd.mjs'

const count = Number(process.argv[2] ?? 10_000_000)
const folder = process.argv[3] ?? mkdtempSync(join(tmpdir(), 'blkin-bench-'))
const asked = 20
const dayMs = 86_400_000
const start = Date.UTC(2026, 0, 1)
const end = start + 7 * dayMs
const traces = Math.floor(count / ((1 + mostSpans) / 2))

const isFilled = readdirSync(folder).includes('spans.duckdb')
const store = await SpanStore.open(folder, {
  autocompleteKeys: [],
  retention: { age: 9e15, bytes: 1e12 },
  rejections: new Rejections(console.error),
})
if (!isFilled) await fill()
const megabytes = statSync(join(folder, 'spans.duckdb')).size / 1e6
console.log(`${count.toLocaleString('en')} spans, a file of ${megabytes.toFixed(0)} MB`)
console.log('median ms  p95 ms  traces  search')
const random = randomFrom(5)
const pick = (below) => Math.floor(random() * below)
const search = (given) => store.search(makeQuery({ endTs: end, lookback: 8 * dayMs, limit: 10, ...given }))
const service = () => ({ serviceName: serviceOf(pick(30)) })
const userId = () => ({ annotationQuery: `user.id=${userOf(pick(traces * 0.98))}` })
const path = () => ({ annotationQuery: `http.path=${pathOf(pick(paths))}` })
const named = () => {
  const i = pick(30)
  return { serviceName: serviceOf(i), spanName: nameOf(i, pick(10)) }
}

for (const limit of [10, 100]) {
  await time(`the newest, limit ${limit}`, () => search({ limit }))
  await time(`a service, limit ${limit}`, () => search({ ...service(), limit }))
  await time(`a service and a span name, limit ${limit}`, () => search({ ...named(), limit }))
  await time(`a service and whom it calls, limit ${limit}`, () =>
    search({ ...service(), remoteServiceName: serviceOf(pick(30)), limit }),
  )
  await time(`20 ms or more, limit ${limit}`, () => search({ minDuration: 20_000, limit }))
  await time(`3 s or more (1 in 100,000), limit ${limit}`, () => search({ minDuration: 3_000_000, limit }))
  await time(`from 10 to 11 ms, limit ${limit}`, () =>
    search({ minDuration: 10_000, maxDuration: 11_000, limit }),
  )
  await time(`failed, limit ${limit}`, () => search({ annotationQuery: 'error', limit }))
  await time(`an http.path of ${paths}, limit ${limit}`, () => search({ ...path(), limit }))
  await time(`a service, failed, 20 ms or more, limit ${limit}`, () =>
    search({ ...service(), annotationQuery: 'error', minDuration: 20_000, limit }),
  )
  await time(`a service and an http.path, limit ${limit}`, () => search({ ...service(), ...path(), limit }))
  await time(`failed, an http.path, limit ${limit}`, () =>
    search({ annotationQuery: `error and ${path().annotationQuery}`, limit }),
  )
}
await time('a user of one trace', () => search(userId()))
await time('a user of one trace, the service it is not of', () =>
  search({ ...userId(), serviceName: serviceOf(29) }),
)
await time('a user that is not there', () => search({ annotationQuery: `user.id=nobody-${pick(1e6)}` }))
await time('a key that is not there', () => search({ annotationQuery: `nothing-${pick(1e6)}` }))
await time('a service that is not there', () => search({ serviceName: `nobody-${pick(1e6)}` }))
await time('10 s, days ago', () => search({ endTs: start + pick(5 * dayMs), lookback: 10_000 }))
await time('10 minutes, days ago, failed', () =>
  search({ endTs: start + pick(5 * dayMs), lookback: 600_000, annotationQuery: 'error' }),
)
await time('an hour, days ago, a service and a span name', () =>
  search({ ...named(), endTs: start + pick(5 * dayMs), lookback: 3_600_000 }),
)
const known = (await search({ endTs: start + 3 * dayMs, limit: 1000 })).map(([span]) => span.traceId)
await time('a trace by its id', () => store.traces([known[pick(known.length)]]))
await time('100 traces by their ids', () => store.traces(known.slice(pick(900)).slice(0, 100)))
await time('a trace that is not there', () => store.traces([`${pick(2 ** 31)}`.padStart(32, '1')]))
await time('services', async () => store.services())
await time('span names of a service', async () => store.spanNames(serviceOf(pick(30))))
const { rss } = process.memoryUsage()
console.log(`the process has ${(rss / 1e6).toFixed(0)} MB of memory`)
await store.close()
if (process.argv[3] === undefined) rmSync(folder, { recursive: true })

async function fill() {
  const before = performance.now()
  const { user, system } = process.cpuUsage()
  let part = []
  for (const span of spanCrowd(count, start * 1000, (end - start) * 1000)) {
    part.push(span)
    if (part.length < 1000) continue
    store.add(part)
    part = []
    if (store.writer.isFull) await store.writer.flush()
    else await new Promise(setImmediate)
  }
  store.add(part)
  await store.writer.flush()
  const took = (performance.now() - before) / 1000
  const used = process.cpuUsage({ user, system })
  const seconds = ((used.user + used.system) / 1e6).toFixed(0)
  console.log(`filled in ${took.toFixed(0)} s, ${seconds} s of processor time, the making of spans included`)
}

async function time(says, ask) {
  const took = []
  let found = 0
  for (let i = 0; i <= asked; i++) {
    const before = performance.now()
    const answer = await ask()
    if (i > 0) took.push(performance.now() - before)
    found += answer.length
  }
  took.sort((a, b) => a - b)
  const at = (share) => took[Math.ceil(share * asked) - 1].toFixed(1)
  const each = (found / (asked + 1)).toFixed(1)
  console.log(`${at(0.5).padStart(9)} ${at(0.95).padStart(7)} ${each.padStart(7)}  ${says}`)
}
