// lib/cli/tokens.ts: what a person who asks a relay shows to it. Traced programs have BLKIN_TOKEN, which may bring events
// and no more where the relay has a token for readers and controllers: relay/src/check/rights.ts.

/** The one with the most rights of those that are set; empty where none is. */
export function readerToken(): string {
  const { BLKIN_CONTROL_TOKEN, BLKIN_READ_TOKEN, BLKIN_TOKEN } = process.env
  return BLKIN_CONTROL_TOKEN || BLKIN_READ_TOKEN || BLKIN_TOKEN || ''
}
