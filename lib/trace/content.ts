// lib/trace/content.ts: which traces are recorded by what their root is: its name, kind and the tags it begins with. Asked
// before the share of all (sampler.ts), which decides where this has no opinion.
import { counts, refused } from './counts.js'
import type { Form } from './form.js'
import type { BeginOptions, TagValue } from './span.js'

/** The root of a trace that begins here. */
export interface Root {
  readonly name: string
  /** As given; not checked yet. */
  readonly kind: string
  readonly tags: Readonly<Record<string, TagValue>>
}

/** @returns the share of such traces that is recorded, from 0 to 1; undefined: as of all others */
export type ContentSampling = (root: Root) => number | undefined

let content: ContentSampling | undefined
/** While the program's function runs: a root that it begins itself is as all others, since to ask again would not end. */
let asking = false

export function setContentSampling(wanted: ContentSampling | undefined): void {
  content = wanted
}

export const asksContent = (): boolean => content !== undefined

/** Undefined where nobody says anything of such traces. What the program's function throws is counted. */
export function contentShare<What>(
  form: Form<What>,
  what: What,
  options: BeginOptions | undefined,
): number | undefined {
  return content === undefined || asking ? undefined : ask(content, form.root(what, options))
}

function ask(said: ContentSampling, root: Root): number | undefined {
  asking = true
  try {
    const share = said(root)
    if (share === undefined || (typeof share === 'number' && share >= 0 && share <= 1)) return share
  } catch {
  } finally {
    asking = false
  }
  counts[refused]!++
  return undefined
}
