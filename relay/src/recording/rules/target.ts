// relay/src/recording/rules/target.ts: which programs a rule is for: a name, `*` for any run of characters; and whether two rules
// may meet at one tracepoint. Pure.
// The relay's rules and its followers use it. The time it takes is bounded by the product of the two lengths.

import { globCovers } from '../../common/glob.js'

/** A colon is a character like any other here. */
export function targetCovers(target: string, program: string): boolean {
  return globCovers(target.replaceAll(':', '\0'), program.replaceAll(':', '\0'))
}

/** Whether there is a name that both cover. */
export function targetsOverlap(one: string, two: string): boolean {
  // meet[j]: what is left of `one` from i and of `two` from j cover a name in common.
  let meet = Array.from({ length: two.length + 1 }, (_, j) => /^\**$/.test(two.slice(j)))
  for (let i = one.length - 1; i >= 0; i--) {
    const next = new Array<boolean>(two.length + 1)
    next[two.length] = one[i] === '*' && meet[two.length]!
    for (let j = two.length - 1; j >= 0; j--) {
      const star = one[i] === '*' || two[j] === '*' // for nothing, or for the other's next character
      next[j] = star ? meet[j]! || next[j + 1]! : one[i] === two[j] && meet[j + 1]!
    }
    meet = next
  }
  return meet[0]!
}

/** Whether there is a tracepoint that both patterns cover: each side of the colon for itself. */
export function patternsOverlap(one: string, two: string): boolean {
  const others = two.split(':')
  return one.split(':').every((side, i) => targetsOverlap(side, others[i]!))
}
