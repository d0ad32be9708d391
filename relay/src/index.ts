// relay/src/index.ts: what @blkin/relay offers: a relay to start, and traces to read. The CLI and embedders
// import from here only.

export { formatJson } from './read/json.js'
export { type ReadOptions, readTrace, type TraceItem } from './read/merge.js'
export {
  TraceError,
  TraceEvent,
  type TraceField,
  type TraceInfo,
  TraceLoss,
  type TraceTracepoint,
  type TraceValue,
} from './read/model.js'
export { formatText } from './read/text.js'
export { type ViewOptions, view } from './read/view.js'
export { type Relay, type RelayOptions, type RelayStats, startRelay } from './relay.js'
export type { LostCounts, ProcessStats } from './store/processes.js'
