// lib/transform/thread.ts: the hooks of Node before 22.15, which module.register() runs in a thread of its own.
import { changedSource } from '../static-calls.js'
import type { transformed } from './load.js'

let change = (_file: string, text: string): string => text

/** What fails here would end the program: then modules are loaded as they are. */
export async function initialize(data: { counts: Uint32Array; tells: boolean }): Promise<void> {
  try {
    const load: { transformed: typeof transformed } = await import('./load.js')
    change = (file, text) => load.transformed(file, text, data.counts, data.tells)
  } catch {}
}

type Loaded = Parameters<typeof changedSource>[1]

export async function load(
  url: string,
  context: object,
  next: (url: string, context: object) => Promise<Loaded>,
): Promise<Loaded> {
  const loaded = await next(url, context)
  return { ...loaded, source: changedSource(url, loaded, change) }
}
