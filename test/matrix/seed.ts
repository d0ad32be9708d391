// test/matrix/seed.ts: random moments of the crash matrix. A cell's come from the run's seed and its own name, so that one cell alone has them again.
import { createHash } from 'node:crypto'

export const seed = process.env.MATRIX_SEED ?? String(Date.now() % 1_000_000)

/** From 0 to 1. */
export function draw(what: string): number {
  return createHash('sha256').update(`${seed} ${what}`).digest().readUInt32LE(0) / 2 ** 32
}
