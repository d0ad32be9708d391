// lib/trace/index.ts: what the public API exports as `trace`.
import { instrument } from './instrument.js'
import { extract, unpack } from './remote.js'
import { current, run } from './run.js'
import type { Span, SpanOptions } from './span.js'
import { start } from './start.js'

export const trace: {
  /** Starts a span: below `options.parent` or the current span; the root of a new trace where there is neither. */
  start(name: string, options?: SpanOptions): Span
  run: typeof run
  current: typeof current
  extract: typeof extract
  unpack: typeof unpack
  instrument: typeof instrument
} = Object.freeze({ start, run, current, extract, unpack, instrument })
