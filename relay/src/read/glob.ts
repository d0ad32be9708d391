// relay/src/read/glob.ts: which events a reader asked for, by name. Pure: no I/O, no clock, no state.

/** True for a name that one of the patterns covers; without patterns, for all. */
export function compilePatterns(patterns: string[]): (name: string) => boolean {
  const compiled = patterns.map(compile)
  return (name) => compiled.length === 0 || compiled.some((pattern) => pattern.test(name))
}

function compile(pattern: string): RegExp {
  if (!/^[^:]+:[^:]+$/.test(pattern)) {
    throw new TypeError(`pattern is "${pattern}"; expected provider:event, such as "blockstore:*"`)
  }
  const literal = (part: string) => part.replace(/[\\^$.+?()[\]{}|/]/g, '\\$&')
  return new RegExp(`^${pattern.split('*').map(literal).join('[^:]*')}$`, 'u')
}
