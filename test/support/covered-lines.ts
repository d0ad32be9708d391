// test/support/covered-lines.ts: which lines of a file nothing ran of, from what NODE_V8_COVERAGE left, with the source map that Node
// puts there, as c8 reads it.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import v8ToIstanbul from 'v8-to-istanbul'

interface Coverage {
  result: { url: string; functions: never }[]
  'source-map-cache'?: Record<string, { data: object; lineLengths: number[] }>
}

export async function uncoveredLines(folder: string, file: string): Promise<number[]> {
  const url = pathToFileURL(file).href
  const all = readdirSync(folder).map(
    (name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Coverage,
  )
  const [coverage, another] = all.filter(({ result }) => result.some((one) => one.url === url))
  if (coverage === undefined || another !== undefined) throw new Error(`one process ran ${url}`)
  const map = coverage['source-map-cache']?.[url]
  const converter = v8ToIstanbul(
    file,
    0,
    map &&
      ({
        // Only where its lines end is asked of what ran.
        source: map.lineLengths.map((length) => '.'.repeat(length)).join('\n'),
        originalSource: readFileSync(file, 'utf8'),
        sourceMap: { sourcemap: map.data },
      } as never),
  )
  await converter.load()
  converter.applyCoverage(coverage.result.find((one) => one.url === url)!.functions)
  const { s: counts, statementMap } = converter.toIstanbul()[file]!
  return Object.entries(statementMap)
    .filter(([key]) => counts[key as never] === 0)
    .map(([, { start }]) => start.line)
}
