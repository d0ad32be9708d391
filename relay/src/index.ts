// relay/src/index.ts: what @blkin/relay offers: a relay to start, traces to read, processes and relays to control.
// The CLI and embedders import from here only.

export { parseAlerts } from './alerts/parse.js'
export type { AlertRule } from './alerts/rule.js'
export { connectControl, connectFleet } from './control/connect.js'
export { type ConnectionCode, ConnectionError, Refusal, type RefusalReason } from './control/errors.js'
export { FolderError, inMadeFolder, inOwnFolder } from './control/own-folder.js'
export { readStanding, writeStanding } from './control/standing.js'
export type {
  Ack,
  Changed,
  Channel,
  Closed,
  Control,
  Enabled,
  Fleet,
  FleetProcess,
  FleetSession,
  Followed,
  Lost,
  Misfit,
  Mode,
  Origin,
  ProcessState,
  Rule,
  RuleRequest,
  Sample,
  SessionSpec,
  SessionState,
  TracepointState,
} from './control/types.js'
export { isBool } from './read/decode.js'
export { formatJson } from './read/json.js'
export type { ReadOptions, TraceItem } from './read/merge.js'
export {
  TraceError,
  TraceEvent,
  type TraceField,
  type TraceInfo,
  TraceLoss,
  type TraceTracepoint,
  type TraceValue,
} from './read/model.js'
export { readTrace } from './read/read-trace.js'
export { formatText } from './read/text.js'
export { type ViewOptions, view } from './read/view.js'
export type { Rejection } from './rejections.js'
export { type Relay, type RelayOptions, type RelayStats, startRelay } from './relay.js'
export type { Categories } from './scribe/categories.js'
export type { ScribeOptions, ScribeStats } from './scribe/server.js'
export type { OutboxStats } from './sinks/outbox.js'
export { type SinkOptions, Sinks } from './sinks/sinks.js'
export { spansFrom } from './spans/from-json.js'
export type { TraceSample } from './spans/sample/chance.js'
export { correctedTree } from './spans/skew.js'
export type { Annotation, Endpoint, Kind, Span } from './spans/span.js'
export type { TracingOptions, TracingStats } from './spans/tracing.js'
export type { Behind } from './spans/tracing-thread.js'
export { breadthFirst, type Node as SpanNode, treeOf } from './spans/tree.js'
export { QueryError } from './sql/error.js'
export { sqlName } from './sql/names.js'
export { openTables, type QueryRows, type SqlOptions, type SqlValue, type TraceTables } from './sql/open.js'
export type { Table, TableColumn } from './sql/tables.js'
export type { RelayStatus } from './status.js'
export type { LostCounts, ProcessStats } from './store/processes.js'
export {
  checkAtRest,
  type RepairedFile,
  type RepairOptions,
  type RepairReport,
  repairTraces,
} from './store/repair-traces.js'
export type { TraceRetention } from './store/trace-retention.js'
export type { TraceCounts } from './store/trace-store.js'
