// relay/src/spans/ids.ts: trace and span ids as text: checked and written in full. Pure.
// Requests and posted spans pass through here; the words are those that Zipkin's clients know.

export function fullTraceId(given: string): string {
  const zeros = leadingZeros('traceId', given, 32)
  if (zeros === given.length) throw new RangeError('traceId is all zeros')
  if (given.length <= 16) return given.padStart(16, '0')
  return given.length - zeros <= 16 ? given.slice(-16) : given.padStart(32, '0')
}

export function fullSpanId(given: string): string {
  if (leadingZeros('id', given, 16) === given.length) throw new RangeError('id is all zeros')
  return given.padStart(16, '0')
}

/** Undefined at the root, which some write as 0. */
export function fullParentId(given: string): string | undefined {
  return leadingZeros('parentId', given, 16) === given.length ? undefined : given.padStart(16, '0')
}

function leadingZeros(what: string, given: string, most: number): number {
  if (given === '') throw new RangeError(`${what} is empty`)
  if (given.length > most) throw new RangeError(`${what}.length > ${most}`)
  const digits = /^(0*)[0-9a-f]*$/.exec(given)
  if (digits === null) throw new RangeError(`${given} should be lower-hex encoded with no prefix`)
  return digits[1]!.length
}
