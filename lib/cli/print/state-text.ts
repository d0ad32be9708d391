// lib/cli/print/state-text.ts: how a session stands to its relay, in words. Pure.
import type { SessionState } from '@blkin/relay'

/** "connected", "connecting to 127.0.0.1:4650: refused", "in memory" */
export function stateText({ relayState, relayError, spec }: SessionState): string {
  if (relayState === 'none' || spec.relay === undefined) return 'in memory'
  const error = relayError === '' ? '' : `: ${relayError}`
  return relayState === 'connected' || relayState === 'idle'
    ? relayState
    : `${relayState} ${spec.relay}${error}`
}
