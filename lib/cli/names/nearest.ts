// lib/cli/names/nearest.ts: the names that a person may have meant by a pattern that covers none. Pure.
import { distance } from '../../nearest.js'

const shown = 3

/** The nearest of the names, best first; none where all are too far to be meant. Stars in `text` cost nothing. */
export function nearest(text: string, names: Iterable<string>): string[] {
  const plain = text.replaceAll('*', '')
  const star = plain !== text
  // What stars leave is short, and two letters off would be any name.
  const most = Math.max(star ? 1 : 2, plain.length / 3)
  return [...new Set(names)]
    .map((name) => ({ name, far: star ? apart(text, name) : distance(text, name) }))
    .filter(({ far }) => far <= most && far < plain.length)
    .sort((a, b) => a.far - b.far || (a.name < b.name ? -1 : 1))
    .slice(0, shown)
    .map(({ name }) => name)
}

/** Letters to change, add or leave out so that the pattern covers the name. */
function apart(pattern: string, name: string): number {
  let row = Array.from({ length: name.length + 1 }, (_, j) => j)
  for (const one of pattern) {
    const last = row
    row = [one === '*' ? last[0]! : last[0]! + 1]
    for (let j = 1; j <= name.length; j++) {
      const same = one === name[j - 1] ? 0 : 1
      row.push(
        one === '*'
          ? Math.min(last[j]!, row[j - 1]!)
          : Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same),
      )
    }
  }
  return row[name.length]!
}
