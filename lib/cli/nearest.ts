// lib/cli/nearest.ts: the names that a person may have meant by a pattern that covers none. Pure.
import { distance } from '../nearest.js'

const shown = 3

/** The nearest of the names, best first; none where all are too far to be meant. Stars in `text` cost nothing. */
export function nearest(text: string, names: Iterable<string>): string[] {
  const plain = text.replaceAll('*', '')
  return [...new Set(names)]
    .map((name) => ({ name, far: apart(plain, name, text.includes('*')) }))
    .filter(({ far }) => far <= Math.max(2, plain.length / 3))
    .sort((a, b) => a.far - b.far || (a.name < b.name ? -1 : 1))
    .slice(0, shown)
    .map(({ name }) => name)
}

/** A star stands for any letters, so only the best place for what is beside it counts. */
function apart(plain: string, name: string, star: boolean): number {
  if (!star || name.length <= plain.length) return distance(plain, name)
  const places = name.length - plain.length + 1
  return Math.min(
    ...Array.from({ length: places }, (_, at) => distance(plain, name.slice(at, at + plain.length))),
  )
}
