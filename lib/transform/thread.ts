// lib/transform/thread.ts: the hooks of Node before 22.15, which module.register() runs in a thread of its own.
import { type Change, changedSource, changer, type Loaded } from './changer.js'

export interface ThreadData {
  readonly own: string
  readonly counts: Uint32Array
  readonly tells: boolean
}

let change: Change = (_file, text) => text

/** What fails here would end the program: then modules are loaded as they are. */
export async function initialize({ own, counts, tells }: ThreadData): Promise<void> {
  try {
    const parts = await import('./load.js') // it cannot wait for them later
    change = changer(own, counts, tells, () => parts)
  } catch {}
}

export async function load(
  url: string,
  context: object,
  next: (url: string, context: object) => Promise<Loaded>,
): Promise<Loaded> {
  const loaded = await next(url, context)
  return { ...loaded, source: changedSource(url, loaded, change) }
}
