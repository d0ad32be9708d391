// bench/lib/readme.mjs: puts what a benchmark says between its two marks in README.md; the rest of the page is people's.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withMarked } from '../../scripts/lib/marked.mjs'
import { root } from '../../scripts/lib/run.mjs'

/** @param {string} mark scripts/lib/marked.mjs says how it stands there */
export function putInReadme(mark, text) {
  const path = join(root, 'README.md')
  writeFileSync(path, withMarked('README.md', readFileSync(path, 'utf8'), { [mark]: text }))
}
