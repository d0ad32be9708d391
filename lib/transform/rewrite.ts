// lib/transform/rewrite.ts: a module's source with its tracepoint calls made static, and the map back.
import MagicString from 'magic-string'
import { type Following, Modules } from './known.js'
import { composed, type SourceMap } from './maps.js'
import { findSites } from './sites.js'
import type { Source } from './syntax.js'

export interface Rewritten {
  /** The comment that names the map of the file, if any, is empty in it. */
  readonly code: string
  /** To what the file was made of, where it names a map, else to the file. */
  readonly map: SourceMap
  readonly changed: number
  readonly left: readonly string[]
}

export class Rewriter {
  readonly #modules = new Modules()

  isScript(source: Source): boolean {
    return this.#modules.syntaxOf(source) !== undefined
  }

  /**
   * @param source types stripped
   * @param original what is to be changed, where that has types
   * @returns undefined where there is nothing to change, nor to tell
   */
  *rewrite(source: Source, original = source.code): Following<Rewritten | undefined> {
    const syntax = this.#modules.syntaxOf(source)
    if (syntax === undefined) return undefined
    const { edits, changed, left } = yield* findSites(this.#modules, syntax)
    if (changed + left.length === 0) return undefined
    const text = new MagicString(original)
    for (const { at, text: inserted } of edits) text.appendLeft(at, inserted)
    const { mapComment } = syntax
    if (mapComment !== undefined) text.update(mapComment.start, mapComment.end, '/**/')
    const own = text.generateMap({ source: source.file, includeContent: true, hires: 'boundary' })
    const map = mapComment === undefined ? own : composed(own, source.file, mapComment.url)
    return { code: text.toString(), map, changed, left }
  }
}
