#!/usr/bin/env node
// scripts/setup.mjs: brings a checkout to where it can run: npm packages, Debian packages, the native addon,
// the compiled TypeScript. Run by hand or through ensureSetup(); a second run finds all in place and returns
// at once. Needs Node and nothing else. Says what it does on stderr, so that a caller's stdout stays its own.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { allPackages, buildTools, install, installCommand, missingPackages, whyNoApt } from './lib/debian.mjs'
import { withLock } from './lib/lock.mjs'
import { hasCollector, whyNoCollector } from './lib/otelcol.mjs'
import { isMain, mustRun, root, seconds } from './lib/run.mjs'
import { addonHash, hashOf, isFresh, writeStamp } from './lib/stamp.mjs'
import { hasTestPackages, whyNoTestPackages } from './lib/test-packages.mjs'
import { hasZig, whyNoZig } from './lib/zig.mjs'
import { hasZipkin, whyNoZipkin } from './lib/zipkin.mjs'

const bundling = ['scripts/lib/bundle.mjs', 'scripts/lib/entries.mjs']

// What each step is made from, what it leaves, and how it is done.
const steps = [
  {
    name: 'npm packages (npm ci)',
    stamp: 'node_modules/.blkin-setup',
    hash: () => hashOf(['package-lock.json']),
    products: ['node_modules'],
    work: () => mustRun('npm', ['ci', '--no-audit', '--no-fund']),
  },
  {
    name: 'native addon',
    stamp: 'build/.blkin-setup',
    hash: addonHash,
    products: ['build/Release/blkin.node'],
    work: () => mustRun(process.execPath, ['scripts/build-native.mjs']),
    needs: buildTools,
  },
  {
    name: 'TypeScript',
    stamp: 'build/.blkin-setup-ts',
    hash: () =>
      hashOf(
        ['lib', 'relay', 'examples', 'tsconfig.json', 'tsconfig.base.json', 'package-lock.json', ...bundling],
        (file) => !/\/(test|types)\/|\/runtime\./.test(file),
      ),
    products: [
      ...['dist/index.js', 'dist/tracer.mjs', 'dist/tracer.cjs'],
      ...['relay/dist/index.js', 'relay/types/index.d.ts', 'relay/gen/runtime.js'],
    ],
    work: () => mustRun('npm', ['run', '--silent', 'build:ts']),
  },
]

// What other projects made, for whoever wants the Debian package that is there for nothing else, or all.
const others = [
  { name: 'Zig', wantedWith: 'python3-pip', isThere: hasZig, whyNot: whyNoZig },
  { name: 'Zipkin server', wantedWith: 'maven', isThere: hasZipkin, whyNot: whyNoZipkin },
  {
    name: 'OpenTelemetry Collector',
    wantedWith: 'python3-pip',
    isThere: hasCollector,
    whyNot: whyNoCollector,
  },
  {
    name: 'package managers and compilers to install with',
    isThere: hasTestPackages,
    whyNot: whyNoTestPackages,
  },
]

/**
 * Makes sure of everything. `debian`: true for all packages that tests and benchmarks can use, a list for
 * some, false for none; what a build needs is always asked for when there is something to build.
 * Resolves to the Debian packages that are still missing: whoever needs one skips, and says so.
 */
export async function ensureSetup({ debian = false } = {}) {
  const wanted = debian === true ? allPackages : debian === false ? [] : debian
  const inPlace = () =>
    steps.every(isDone) && missingPackages(wanted).length === 0 && missingOthers(wanted).length === 0
  if (inPlace()) return { missing: [] }

  const waiting = (pid) => say(`waiting for process ${pid}, which is setting up this checkout`)
  return withLock(join(root, '.cache/setup.lock'), () => setUp(wanted), waiting)
}

async function setUp(wanted) {
  const toBuild = steps.filter((step) => !isDone(step)).flatMap((step) => step.needs ?? [])
  const missing = await ensureDebian([...new Set([...toBuild, ...wanted])])
  for (const step of steps) {
    if (isDone(step)) continue
    const hash = step.hash() // before the work: a file saved meanwhile is built next time
    rmSync(join(root, step.stamp), { force: true })
    await timed(step.name, step.work)
    writeStamp(step.stamp, hash)
  }
  for (const { name, whyNot } of missingOthers(wanted))
    await timed(name, async () => {
      const why = await whyNot()
      if (why !== undefined) say(why)
    })
  return { missing }
}

const missingOthers = (wanted) =>
  others.filter(
    ({ wantedWith, isThere }) =>
      (wantedWith === undefined ? wanted === allPackages : wanted.includes(wantedWith)) && !isThere(),
  )

async function ensureDebian(names) {
  const missing = missingPackages(names)
  if (missing.length === 0) return []
  const reason = whyNoApt()
  if (reason === undefined) {
    await timed(`Debian packages: ${missing.join(' ')}`, () => install(missing)).catch((error) =>
      say(error.message),
    )
  } else {
    say(
      `missing: ${missing.join(' ')}; not installed, since ${reason}. The command:\n  ${installCommand(missing)}`,
    )
  }
  return missingPackages(names)
}

function isDone({ stamp, hash, products }) {
  return isFresh(stamp, hash(), products)
}

async function timed(name, work) {
  const start = performance.now()
  process.stderr.write(`setup: ${name} ... `)
  try {
    await work()
    process.stderr.write(`${seconds(performance.now() - start)}\n`)
  } catch (error) {
    process.stderr.write(`failed after ${seconds(performance.now() - start)}\n`)
    throw error
  }
}

function say(text) {
  process.stderr.write(`setup: ${text}\n`)
}

if (isMain(import.meta)) {
  try {
    const { missing } = await ensureSetup({ debian: true })
    say(missing.length === 0 ? 'all in place' : `in place, but without ${missing.join(' ')}`)
  } catch (error) {
    say(error.message)
    process.exitCode = 1
  }
}
