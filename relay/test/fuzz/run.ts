// relay/test/fuzz/run.ts: runs a fuzzer for its time: a few seconds in `npm test`, and as long as one wants by `npm run fuzz`
// (scripts/lib/fuzz.mjs). A fault is told by fast-check, with the input as short as it was found to be; relay/test/fuzz/corpus
// keeps those of faults that were cured, and they come first.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { expect } from 'vitest'
import { Bytes } from './inputs.js'

/** In all, of one file of fuzzers. */
const seconds = Number(process.env.BLKIN_FUZZ_SECONDS ?? 10)
/** The same in each run of the tests, so that what fails there came with a change; `npm run fuzz` takes a new one each time. */
const seed = Number(process.env.BLKIN_FUZZ_SEED ?? 1)

/** For a test's own limit, which is only for what hangs. */
export const TIMEOUT_MS = (seconds + 300) * 1000

/** `share`: its part of the file's time. */
export async function fuzz(
  name: string,
  share: number,
  inputs: fc.Arbitrary<Bytes>,
  check: (bytes: Buffer) => Promise<void> | void,
): Promise<void> {
  const kept = keptOf(name)
  let runs = 0
  let last = Promise.resolve()
  const one = ({ bytes }: Bytes) => {
    runs++
    last = (async () => check(bytes))()
    return last
  }
  await fc.assert(fc.asyncProperty(inputs, one), {
    ...{ seed, numRuns: 2 ** 31 - 1, interruptAfterTimeLimit: seconds * share * 1000 },
    examples: kept.map((bytes): [Bytes] => [new Bytes(bytes)]),
  })
  await last // the one that was under way when the time was over
  console.log(`fuzzer ${name}: seed ${seed}, ${runs} runs`)
  expect(runs, 'more than what is kept').toBeGreaterThan(kept.length)
}

function keptOf(name: string): Buffer[] {
  const folder = fileURLToPath(new URL(`corpus/${name}/`, import.meta.url))
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .sort()
    .map((file) => readFileSync(folder + file))
}
