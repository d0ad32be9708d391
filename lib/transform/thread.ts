// lib/transform/thread.ts: the hooks of Node before 22.15, which module.register() runs in a thread of its own.
import { createRequire } from 'node:module'
import { type Change, changedSource, changer, type Loaded } from './changer.js'

export interface ThreadData {
  readonly own: string
  readonly counts: Uint32Array
  readonly tells: boolean
}

let change: Change = (_file, text) => text

/** Loads the parser when the first module comes that needs it. */
export function initialize({ own, counts, tells }: ThreadData): void {
  change = changer(own, counts, tells, () => createRequire(import.meta.url)('./load.cjs'))
}

export async function load(
  url: string,
  context: object,
  next: (url: string, context: object) => Promise<Loaded>,
): Promise<Loaded> {
  const loaded = await next(url, context)
  return { ...loaded, source: changedSource(url, loaded, change) }
}
