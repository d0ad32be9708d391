// lib/cli/relay/tokens.ts: the tokens of people: what one who asks a relay shows, and what a relay takes. Traced programs have BLKIN_TOKEN,
// which may bring events and no more where the relay has a token for readers and controllers: relay/src/protocol/check/rights.ts.

/** The one with the most rights of those that are set; empty where none is. */
export function readerToken(): string {
  const { BLKIN_CONTROL_TOKEN, BLKIN_READ_TOKEN, BLKIN_TOKEN } = process.env
  return BLKIN_CONTROL_TOKEN || BLKIN_READ_TOKEN || BLKIN_TOKEN || ''
}

/** Those that `blkin relay` takes beside --token. Not flags: every user of the machine sees the arguments of a command. */
export function furtherTokens(): { readToken?: string; controlToken?: string } {
  const { BLKIN_READ_TOKEN, BLKIN_CONTROL_TOKEN } = process.env
  return {
    ...(BLKIN_READ_TOKEN ? { readToken: BLKIN_READ_TOKEN } : {}),
    ...(BLKIN_CONTROL_TOKEN ? { controlToken: BLKIN_CONTROL_TOKEN } : {}),
  }
}
