// lib/cli/glob.ts: names that a pattern covers: programs by name, tracepoints as provider:event. Pure. The traced
// process decides by native/control/glob.hpp; this one only picks what is shown.

/** `*` stands for any run of characters, in a tracepoint's pattern on its side of the colon. */
export function compileGlob(pattern: string): (name: string) => boolean {
  const any = pattern.includes(':') ? '[^:]*' : '.*'
  const literal = (part: string) => part.replace(/[\\^$.+?()[\]{}|/]/g, '\\$&')
  const whole = new RegExp(`^${pattern.split('*').map(literal).join(any)}$`, 'su')
  return (name) => whole.test(name)
}
