// lib/index.ts: the public API. Nothing else of lib/ is.
export type { Level } from './levels.js'
export { isNative, loadError } from './native.js'
export { type Provider, provider, type Tracepoint } from './provider.js'
export type { Rule, RuleOptions } from './rule.js'
export { disable, enable } from './rules.js'
export type { EventDeclaration } from './schema.js'
export { flush, type Lost, type Status, status } from './status.js'
export { type FieldType, t } from './types.js'
