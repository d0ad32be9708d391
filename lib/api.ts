// lib/api.ts: the public API, as this copy of the package has it; index.ts hands out that of the copy which does the work.
export { context, currentSpan, type SpanContext } from './context.js'
export type { Level } from './levels.js'
export { isNative, loadError } from './native.js'
export { type Provider, provider, type Tracepoint } from './provider.js'
export type { Rule, RuleOptions } from './rule.js'
export { disable, enable } from './rules.js'
export type { EventDeclaration } from './schema.js'
export { openSession, type Session } from './session.js'
export type { SessionOptions } from './session-spec.js'
export {
  flush,
  type Lost,
  type Origin,
  type RuleStatus,
  type SessionStatus,
  type Status,
  status,
} from './status.js'
export type { ContentSampling, Root } from './trace/content.js'
export {
  type DeclaredSpan,
  type DeclaredSpanOptions,
  type SpanDeclaration,
  type Spans,
  spans,
} from './trace/declared.js'
export { trace } from './trace/index.js'
export type { Remote } from './trace/remote.js'
export type { Carrier, Endpoint, Format, Span, SpanKind, SpanOptions, TagValue } from './trace/span.js'
export { type FieldType, t } from './types.js'
