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
  begin(
    traits,
    traceHigh,
    traceLow,
    spanHigh,
    spanLow,
    parentHigh,
    parentLow,
    flagBits,
    given,
    options: SpanOptions | undefined,
  ) {
    const name = typeof given === 'string' ? given : noName()
    const span = new Recorded(traits, traceHigh, traceLow, spanHigh, spanLow, parentHigh, parentLow)
    if (options === undefined) {
      if (!beginFrequent(span, flagBits, 0, name, undefined)) tellBegin(span, flagBits, 0, name, undefined)
      return span
    }
    const { kind, tags, remote } = options
    const number = kind === undefined ? 0 : kindNumber(kind)
    if (!beginFrequent(span, flagBits, number, name, tags)) tellBegin(span, flagBits, number, name, tags)
    if (remote !== undefined) span.remote(remote)
    return span
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

function noName(): string {
  counts[refused]!++
  return ''
}

function tellBegin(
  span: Recorded,
  flagBits: number,
  kind: number,
  name: string,
  tags: SpanOptions['tags'],
): void {
  records().begin(span, flagBits, kind, name)
  if (tags !== undefined) span.tags(tags)
}

/** Its place in span-fields.ts's kinds. */
function kindNumber(kind: SpanKind): number {
  switch (kind) {
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
