// lib/cli/nearest.ts: the names that a person may have meant: by how many letters must change. Pure.

/** Insertions, deletions, replacements and swaps of neighbours that make one word the other. */
export function distance(a: string, b: string): number {
  let [older, old]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, i) => i)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let least = Math.min(old[j]! + 1, row[j - 1]! + 1, old[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, older[j - 2]! + 1)
      row.push(least)
    }
    ;[older, old] = [old, row]
  }
  return old[b.length]!
}

const shown = 3

/** The nearest of the names, best first; none where all are too far to be meant. Stars in `text` cost nothing. */
export function nearest(text: string, names: Iterable<string>): string[] {
  const plain = text.replaceAll('*', '')
  return [...new Set(names)]
    .map((name) => ({ name, far: apart(plain, name, text.includes('*')) }))
    .filter(({ far }) => far <= Math.max(2, plain.length / 2))
    .sort((a, b) => a.far - b.far || (a.name < b.name ? -1 : 1))
    .slice(0, shown)
    .map(({ name }) => name)
}

/** A star stands for any letters, so only the best place for what is beside it counts. */
function apart(plain: string, name: string, star: boolean): number {
  if (!star || name.length <= plain.length) return distance(plain, name)
  let least = distance(plain, name.slice(0, plain.length))
  for (let at = 1; at + plain.length <= name.length; at++)
    least = Math.min(least, distance(plain, name.slice(at, at + plain.length)))
  return least
}
