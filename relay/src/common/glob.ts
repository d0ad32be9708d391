// relay/src/common/glob.ts: which names a pattern covers: events by provider:event, programs by a target. Pure.
// The time it takes is bounded by the product of the two lengths, whatever the pattern: some come over a wire.

/** True for a name that one of the patterns covers; without patterns, for all. */
export function compilePatterns(patterns: string[]): (name: string) => boolean {
  for (const pattern of patterns) {
    if (!/^[^:]+:[^:]+$/.test(pattern)) {
      throw new TypeError(`pattern is "${pattern}"; expected provider:event, such as "blockstore:*"`)
    }
  }
  return (name) => patterns.length === 0 || patterns.some((pattern) => globCovers(pattern, name))
}

/** `*` stands for any run of characters short of the `edge`: the colon, which names of programs mostly have none of. */
export function globCovers(pattern: string, name: string, edge = ':'): boolean {
  let p = 0
  let n = 0
  let star = -1
  let resume = 0
  while (n < name.length) {
    if (pattern[p] === '*') {
      star = p++
      resume = n
    } else if (p < pattern.length && pattern[p] === name[n]) {
      p++
      n++
    } else if (star >= 0 && name[resume] !== edge) {
      p = star + 1
      n = ++resume
    } else return false
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}
