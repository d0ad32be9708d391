#!/usr/bin/env node
// scripts/fuzz.mjs: `npm run fuzz [-- TARGET] [SECONDS]`: one fuzzer or all of them in turn, an hour each where no time is given.
// BLKIN_FUZZ_SEED repeats a run. Those of C++ go on from build/fuzz/TARGET; CONTRIBUTING.md says how its inputs are kept.
import {
  buildFuzzers,
  fuzzerPackages,
  fuzzNative,
  fuzzRelay,
  nativeTargets,
  relayTargets,
} from './lib/fuzz.mjs'
import { ensureSetup } from './setup.mjs'

const all = [...nativeTargets, ...relayTargets]
const args = process.argv.slice(2)
const seconds = /^\d+$/.test(args.at(-1) ?? '') ? Number(args.pop()) : 3600
const [target] = args
const seed = Number(process.env.BLKIN_FUZZ_SEED) || undefined

try {
  if (args.length > 1 || (target !== undefined && !all.includes(target)))
    throw new Error(`expected one of ${all.join(', ')}, and seconds`)
  const { missing } = await ensureSetup({ debian: fuzzerPackages })
  const targets = target === undefined ? all : [target]
  const native = targets.filter((one) => nativeTargets.includes(one))
  if (native.length > 0 && missing.length > 0)
    throw new Error(`without ${missing.join(' ')}: no fuzzers of C++`)
  if (native.length > 0) await buildFuzzers()
  for (const one of targets) {
    console.log(`== ${one}, ${seconds} s`)
    const fuzz = native.includes(one) ? fuzzNative : fuzzRelay
    console.log(await fuzz(one, seconds, { seed, keep: true }))
  }
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
