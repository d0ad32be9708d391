// test/support/static.ts: what the run of vitest.static.config.ts does otherwise: programs that tests start run under blkin/register, and
// how many of their calls were static is counted, as of what the tests import; a file where none is fails.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect } from 'vitest'

const root = join(import.meta.dirname, '../..')
const folder = join(root, 'build/static')
const counts = join(folder, `${process.pid}.counts`)
const texts: string[] = []

export const isStatic = process.env.TEST_STATIC === '1'

/** How node is told of a program, which is a file or a text; a text becomes a file, as module hooks see no other. */
export function staticProgram(
  what: string,
  isFile: boolean,
): { node: string[]; env: Record<string, string> } {
  mkdirSync(folder, { recursive: true })
  const file = isFile ? what : join(folder, `${process.pid}-${texts.length}.mjs`)
  if (!isFile) {
    writeFileSync(file, `process.argv.splice(1, 1); ${what}`) // where it was a text, arguments began there
    texts.push(file)
  }
  const preloaded = ['dist/register.mjs', 'test/support/static-counts.mjs']
  const imports = preloaded.flatMap((path) => ['--import', pathToFileURL(join(root, path)).href])
  return { node: [...imports, file], env: { TEST_STATIC_COUNTS: counts } }
}

function expectStaticCalls(): void {
  const lines = existsSync(counts) ? readFileSync(counts, 'utf8').split('\n') : []
  const inPrograms = lines.reduce((sum, line) => sum + Number(line), 0)
  const imported = (globalThis as { staticCalls?: number }).staticCalls ?? 0
  for (const file of [counts, ...texts]) rmSync(file, { force: true })
  console.log(`${inPrograms + imported} static calls`)
  expect(inPrograms + imported, 'static calls').toBeGreaterThan(0)
}

if (isStatic) afterAll(expectStaticCalls)
