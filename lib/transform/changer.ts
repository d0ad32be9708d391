// lib/transform/changer.ts: which modules are changed as they are loaded: in this thread by static-calls.ts, before Node 22.15 also in
// a thread of its own, by thread.ts.
import { fileURLToPath } from 'node:url'
import { Finder } from './finder.js'
import type { transformed } from './load.js'
import { stripTypes } from './types.js'

export interface Loaded {
  format?: string | null
  source?: string | ArrayBufferView | ArrayBuffer | null | undefined
}

/** Takes a file's text, and gives what is loaded in its place. Never throws. */
export type Change = (file: string, text: string) => string

/**
 * @param own the folder that blkin's own modules are in
 * @param parts gives load.ts, when the first module comes that it has to look at; while that loads, others pass as they are
 */
export function changer(
  own: string,
  counts: Uint32Array,
  tells: boolean,
  parts: () => { transformed: typeof transformed },
): Change {
  const changing = { finder: new Finder(own), counts, tells }
  let work: typeof transformed | undefined
  let isLoading = false
  return (file, text) => {
    if (isLoading) return text
    try {
      const code = stripTypes(file, text)
      if (code === undefined || !changing.finder.concerns({ file, code })) return text
      isLoading = work === undefined
      work ??= parts().transformed
      isLoading = false
      return work({ file, code }, text, changing)
    } catch {
      return text // and where the parts cannot be loaded, so is whatever comes later
    }
  }
}

const formats = /^(module|commonjs)(-typescript)?$/

/** What a load hook answers with: changed, where it is a file's source. */
export function changedSource(url: string, { format, source }: Loaded, change: Change): Loaded['source'] {
  if (!formats.test(format ?? '') || source === null || source === undefined || !url.startsWith('file:'))
    return source
  const text = typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString('utf8')
  const file = pathOf(url)
  const changed = file === undefined ? text : change(file, text)
  return changed === text ? source : changed
}

function pathOf(url: string): string | undefined {
  try {
    return fileURLToPath(url)
  } catch {
    return undefined // what only another loader understands
  }
}
