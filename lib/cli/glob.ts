// lib/cli/glob.ts: names that a pattern covers: programs by name, tracepoints as provider:event. Pure. The traced
// process decides by native/control/glob.hpp; this one only picks what is shown. The time it takes is bounded by the
// product of the two lengths, whatever the pattern.
import { matches } from '../filter/check.js'

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
