// bench/lib/readme.mjs: puts what a benchmark says between its two marks in README.md; the rest of the page is people's.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../scripts/lib/run.mjs'

/** @param {string} mark as in `<!-- figures: ... -->` and `<!-- /figures -->` */
export function putInReadme(mark, text) {
  const path = join(root, 'README.md')
  const page = readFileSync(path, 'utf8')
  const marked = new RegExp(`(<!-- ${mark}: [^>]*-->\\n)[\\s\\S]*(<!-- /${mark} -->)`)
  if (!marked.test(page)) throw new Error(`${path}: the marks of "${mark}" are gone`)
  writeFileSync(
    path,
    page.replace(marked, (_, open, close) => `${open}${text}\n${close}`),
  )
}
