// test/matrix.test.ts: emitted = recorded + counted as lost, whoever dies or stalls. Every run of the tests has a short cut of the crash matrix
// (matrix/cells.ts); scripts/matrix.mjs runs all of it, with these settings:
//   MATRIX_CELLS    cells whose name holds it, '' for all     MATRIX_LANE     I/N: each N-th of them
//   MATRIX_LONG     1: those longer than every time-out, else the others
//   MATRIX_RESULTS  a file to which each cell adds a line     MATRIX_SEED     of random moments
import { appendFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import type { Cell } from './matrix/cells.js'
import { cells, shortCut } from './matrix/cells.js'
import { seed } from './matrix/seed.js'
import { Stage } from './matrix/stage.js'
import { removeShims } from './support/shims.js'
import { have } from './support/tools.js'

const { MATRIX_CELLS, MATRIX_LANE = '0/1', MATRIX_LONG, MATRIX_RESULTS } = process.env
const [lane, lanes] = MATRIX_LANE.split('/').map(Number) as [number, number]

const wanted = (cell: Cell) => {
  if (MATRIX_CELLS === undefined) return shortCut.includes(cell.name)
  return cell.name.includes(MATRIX_CELLS) && (cell.fault.isLong ?? false) === (MATRIX_LONG === '1')
}

function whyNot({ tools = [], missing }: Cell['fault']): string | undefined {
  const absent = (['babeltrace2', ...tools] as const).filter((tool) => !have(tool))
  return absent.length > 0 ? `without ${absent.join(' and ')}` : missing?.()
}

const note = (line: object) => {
  if (MATRIX_RESULTS) appendFileSync(MATRIX_RESULTS, `${JSON.stringify(line)}\n`)
}

describe(`the crash matrix, seed ${seed}`, () => {
  afterAll(removeShims)

  for (const cell of cells.filter(wanted).filter((_, i) => i % lanes === lane)) {
    const { name, fault } = cell
    const reason = whyNot(fault)
    if (reason !== undefined) note({ name, fault: fault.name, skipped: reason })
    test.skipIf(reason !== undefined)(
      reason ? `${name} (${reason})` : name,
      { timeout: 400_000 },
      async () => {
        try {
          const verdict = await (await Stage.open(cell)).play()
          note({ name, fault: fault.name, ...verdict })
        } catch (error) {
          note({ name, fault: fault.name, failed: (error as Error).message.slice(0, 500) })
          throw error
        }
      },
    )
  }
})

test('the short cut names cells that there are, and there are at least 200', () => {
  expect(shortCut.filter((name) => !cells.some((cell) => cell.name === name))).toEqual([])
  expect(cells.length).toBeGreaterThanOrEqual(200)
  expect(new Set(cells.map(({ name }) => name)).size).toBe(cells.length)
})
