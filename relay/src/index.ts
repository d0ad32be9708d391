// relay/src/index.ts: what @blkin/relay offers: a relay to start, traces to read, processes and relays to control.
// The CLI and embedders import from here only.

export type { Rejection } from './common/rejections.js'
export { connectControl, connectFleet } from './control/connect.js'
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
export { isBool } from './ctf/decode.js'
export {
  TraceError,
  TraceEvent,
  type TraceField,
  type TraceInfo,
  TraceLoss,
  type TraceTracepoint,
  type TraceValue,
} from './ctf/model.js'
export { formatJson } from './ctf/print/json.js'
export { formatText } from './ctf/print/text.js'
export { type ViewOptions, view } from './ctf/print/view.js'
export type { ReadOptions, TraceItem } from './ctf/read/merge.js'
export { readTrace } from './ctf/read/read-trace.js'
export { parseAlerts } from './pipeline/alerts/parse.js'
export type { AlertRule } from './pipeline/alerts/rule.js'
export type { OutboxStats } from './pipeline/delivery/outbox.js'
export type { TracingOptions } from './pipeline/options.js'
export type { Behind } from './pipeline/progress.js'
export type { TraceSample } from './pipeline/sample/chance.js'
export { type SinkOptions, Sinks } from './pipeline/sinks/sinks.js'
export type { TracingStats } from './pipeline/stats.js'
export type { Categories } from './ports/scribe/categories.js'
export type { ScribeOptions, ScribeStats } from './ports/scribe/server.js'
export { type ConnectionCode, ConnectionError, Refusal, type RefusalReason } from './protocol/errors.js'
export {
  checkAtRest,
  type RepairedFile,
  type RepairOptions,
  type RepairReport,
  repairTraces,
} from './recording/files/repair-traces.js'
export type { TraceRetention } from './recording/files/trace-retention.js'
export type { TraceCounts } from './recording/files/trace-store.js'
export type { LostCounts, ProcessStats } from './recording/processes.js'
export { type Relay, type RelayStats, startRelay } from './relay.js'
export type { RelayOptions } from './relay-options.js'
export type { RelayStatus } from './report/status.js'
export { spansFrom } from './spans/formats/from-json.js'
export { correctedTree } from './spans/skew.js'
export type { Annotation, Endpoint, Kind, Span } from './spans/span.js'
export { breadthFirst, type Node as SpanNode, treeOf } from './spans/tree.js'
export { QueryError } from './sql/error.js'
export { sqlName } from './sql/names.js'
export { openTables } from './sql/open.js'
export type { Table, TableColumn } from './sql/tables.js'
export type { QueryRows, SqlOptions, SqlValue, TraceTables } from './sql/trace-tables.js'
