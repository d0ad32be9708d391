// lib/cli/names/glob.ts: names that a pattern covers: programs by name, tracepoints as provider:event. Pure. The traced
// process decides by native/rules/glob.hpp; this one picks what is shown, and which standing rules a command is about.
// The time it takes is bounded by the product of the two lengths, whatever the pattern.
import { matches } from '../../glob.js'

/** `*` stands for any run of characters, in a tracepoint's pattern on its side of the colon. */
export function compileGlob(pattern: string): (name: string) => boolean {
  if (!pattern.includes(':')) {
    const parts = pattern.split('*')
    return (name) => matches(parts, name)
  }
  const sides = pattern.split(':').map((side) => side.split('*'))
  return (name) => {
    const names = name.split(':')
    return names.length === sides.length && sides.every((parts, i) => matches(parts, names[i] as string))
  }
}

/** Whether there is a name that both cover; of tracepoints, each side of the colon for itself. */
export function globsMeet(one: string, two: string): boolean {
  const others = two.split(':')
  return one.split(':').every((side, i) => sidesMeet(side, others[i] ?? ''))
}

function sidesMeet(one: string, two: string): boolean {
  // Pairs of places, `i` in one and `j` in two, up to which both may stand for the same text.
  const reached = new Set<number>()
  const width = two.length + 1
  const visit = (i: number, j: number): boolean => {
    if (i > one.length || j > two.length || reached.has(i * width + j)) return false
    reached.add(i * width + j)
    if (i === one.length && j === two.length) return true
    if (one[i] === '*' || two[j] === '*') return visit(i + 1, j) || visit(i, j + 1)
    return one[i] === two[j] && visit(i + 1, j + 1)
  }
  return visit(0, 0)
}
