// relay/src/index.ts: what @blkin/relay offers: a relay to start. The CLI and embedders import from here only.

export { type Relay, type RelayOptions, type RelayStats, startRelay } from './relay.js'
export type { LostCounts, ProcessStats } from './store/processes.js'
