// lib/trace/free-form.ts: spans that are begun by a name and options, trace.start(). What comes often is told by a tracepoint
// of its own (frequent.ts), all else by those of records.ts.
import { counts, refused } from './counts.js'
import type { Form } from './form.js'
import { beginFrequent } from './frequent.js'
import { Recorded } from './recorded.js'
import { records } from './records.js'
import { off, unsampled } from './silent.js'
import type { SpanKind, SpanOptions } from './span.js'

const none = Object.freeze({})

export const freeForm: Form<string> = {
  make: (traits, traceHigh, traceLow, spanHigh, spanLow, parentHigh, parentLow) =>
    new Recorded(traits, traceHigh, traceLow, spanHigh, spanLow, parentHigh, parentLow),

  tell(span, flagBits, name, options: SpanOptions | undefined) {
    const kind = kindNumber(options?.kind)
    const tags = options?.tags
    if (typeof name !== 'string') counts[refused]!++
    else if (beginFrequent(span, flagBits, kind, name, tags)) return
    records().begin(span, flagBits, kind, typeof name === 'string' ? name : '')
    if (tags !== undefined) span.tags(tags)
  },

  root: (name, options: SpanOptions | undefined) => ({
    name,
    kind: options?.kind ?? 'local',
    tags: options?.tags ?? none,
  }),

  isServer: (options: SpanOptions | undefined) => options?.kind === 'server',
  off,
  unsampled,
}

/** Its place in span-fields.ts's kinds. */
function kindNumber(kind: SpanKind | undefined): number {
  switch (kind) {
    case undefined:
    case 'local':
      return 0
    case 'client':
      return 1
    case 'server':
      return 2
    case 'producer':
      return 3
    case 'consumer':
      return 4
    default:
      counts[refused]!++
      return 0
  }
}
