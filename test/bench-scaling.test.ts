// test/bench-scaling.test.ts: docs/scaling.md says what bench/scaling.json has, and every table has its place there.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const page = readFileSync(join(root, 'docs/scaling.md'), 'utf8')

test('the page has the published figures, and a place for each table', async () => {
  const { withTables } = await import(join(root, 'scripts/bench-scaling.mjs'))
  const published = JSON.parse(readFileSync(join(root, 'bench/scaling.json'), 'utf8'))
  expect(withTables(page, published)).toBe(page)
  expect(() => withTables(page.replace('<!-- senders -->', ''), published)).toThrow(
    'docs/scaling.md: no place for senders; expected <!-- senders -->',
  )
})
