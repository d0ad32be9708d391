// lib/transform/maps.ts: source maps: ours, composed with the one that a file names.
import { readFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import remapping from '@jridgewell/remapping'

/** As JSON has it. */
export interface SourceMap {
  readonly sourceRoot?: string | undefined
  readonly sources: (string | null)[]
}

/** Maps to what the file was made of; to the file itself where the map that it names cannot be read. */
export function composed(map: SourceMap, file: string, url: string): SourceMap {
  try {
    const at = new URL(url, pathToFileURL(file))
    const isInline = at.protocol === 'data:'
    const earlier = JSON.parse(isInline ? inlineText(url) : readFileSync(fileURLToPath(at), 'utf8'))
    return remapping(
      [map as never, absolute(earlier, isInline ? pathToFileURL(file) : at)],
      () => null,
    ) as SourceMap
  } catch {
    return map
  }
}

function inlineText(url: string): string {
  const [, encoding, text] = /^data:[^,]*?(;base64)?,(.*)$/.exec(url) as unknown as [string, string, string]
  return encoding === undefined ? decodeURIComponent(text) : Buffer.from(text, 'base64').toString()
}

/** The same map wherever it stands: its sources are named relative to the file that it came from. */
function absolute({ sourceRoot, ...map }: SourceMap, from: URL): never {
  const root = sourceRoot ? sourceRoot.replace(/\/*$/, '/') : ''
  const sources = map.sources.map((source) => (source === null ? null : new URL(root + source, from).href))
  return { ...map, sources } as never
}
