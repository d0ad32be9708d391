// lib/index.ts: what programs import: the public API (api.ts) of this thread's tracer.
import { tracer } from './tracer.js'

export type * from './api.js'

export const {
  context,
  currentSpan,
  disable,
  enable,
  flush,
  isNative,
  loadError,
  openSession,
  provider,
  spans,
  status,
  t,
  trace,
} = tracer.api
