// test/models.test.ts: native/model/*.pml, checked by spin in every order of steps: the protocols hold, and the check would have found each of
// the faults that a model can be given.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { missingPackages } from '../scripts/lib/debian.mjs'
import { mustRun, root } from '../scripts/lib/run.mjs'

const absent = missingPackages(['spin', 'g++'])
const minutes = 60_000

/** What spin says of a model with these definitions: how many assertions failed, and which was the first. */
async function check(model: string, definitions: string[]): Promise<{ errors: number; violated: string }> {
  const cwd = mkdtempSync(join(tmpdir(), 'blkin-model-'))
  try {
    const flags = definitions.map((one) => `-D${one}`)
    await mustRun('spin', ['-a', ...flags, join(root, 'native/model', `${model}.pml`)], { cwd })
    await mustRun('cc', ['-O2', '-w', '-DSAFETY', '-DCOLLAPSE', '-DMEMLIM=2000', '-o', 'pan', 'pan.c'], {
      cwd,
    })
    // -E: a thread that was killed stands where it stood, which is no deadlock
    const said = await mustRun('./pan', ['-m50000', '-E'], { cwd })
    expect(said, 'the search was whole').not.toMatch(/max search depth too small|out of memory|pan: reached/)
    return {
      errors: Number(/errors: (\d+)/.exec(said)?.[1]),
      violated: /assertion violated (.*) \(at depth/.exec(said)?.[1] ?? '',
    }
  } finally {
    rmSync(cwd, { recursive: true })
  }
}

interface Checked {
  model: string
  of: string
  definitions: string[]
  faults: string[]
}

const everyRing = ['EARLY_HEAD', 'END']
const discarding = ['EARLY_RELEASE', 'LIMIT', 'SILENT']
const overwriting = ['NO_CHECK', 'LATE_COUNT']
const models: Checked[] = [
  {
    model: 'ring',
    of: 'a leased ring that discards',
    definitions: ['LEASED', 'EACH=6'],
    faults: [...everyRing, ...discarding],
  },
  {
    model: 'ring',
    of: 'a leased ring that overwrites',
    definitions: ['LEASED', 'OVERWRITE', 'EACH=6'],
    faults: [...everyRing, ...overwriting],
  },
  { model: 'ring', of: 'a ring of a CPU that discards', definitions: [], faults: ['NO_RESTART', 'END'] },
  {
    model: 'ring',
    of: 'a ring of a CPU that overwrites',
    definitions: ['OVERWRITE'],
    faults: ['NO_RESTART', 'LATE_COUNT', 'END'],
  },
  {
    model: 'put',
    of: 'puts, and a session that changes',
    definitions: [],
    faults: ['EARLY_RELEASE', 'NO_HELD', 'EARLY_ACK', 'ONE_MARK', 'NO_CUT', 'CHANGE', 'END'],
  },
]

describe.skipIf(absent.length > 0)('models', () => {
  test.each(models)(
    '$of: nothing is lost, doubled or torn, whatever breaks',
    async (one) => {
      expect(await check(one.model, one.definitions)).toEqual({ errors: 0, violated: '' })
    },
    10 * minutes,
  )

  const broken = models.flatMap((one) => one.faults.map((fault) => ({ ...one, fault })))
  test.each(broken)(
    '$of: the check finds $fault',
    async ({ model, definitions, fault }) => {
      const { errors, violated } = await check(model, [...definitions, `FAULT_${fault}`])
      expect(errors).toBe(1)
      expect(violated).toMatch(fault === 'END' ? /^0$/ : /./)
    },
    10 * minutes,
  )
})
