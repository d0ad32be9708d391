// lib/trace/recorded.ts: the handle of a span that is recorded: its ids and whether it has ended, and nothing of what was
// said of it, which is in the ring already.
import { writeIds } from './binary.js'
import { counts, endedTwice, refused, usedAfterEnd } from './counts.js'
import type { Form } from './form.js'
import { numberFrequent, tagFrequent } from './frequent.js'
import { Handle } from './handle.js'
import { randomWord } from './ids.js'
import { records } from './records.js'
import type { BeginOptions, Endpoint, TagValue } from './span.js'
import { debugFlag } from './span-fields.js'
import { WireContext } from './wire.js'

/** What few spans have, and those of one trace in common. Ids are int32 halves, which are no objects. */
export class TraceTraits {
  constructor(
    /** The id's upper 64 bits. */
    readonly highHigh: number,
    readonly highLow: number,
    /** Of the decision to record the trace; 0: that was taken in another process. */
    readonly probability: number,
    readonly debug: boolean,
    /** W3C's tracestate. */
    readonly state: string,
  ) {}
}

export class Recorded extends Handle {
  // Assigned once each: a field that is first undefined and then a number would be slower for good.
  declare readonly traits: TraceTraits
  declare readonly traceHigh: number
  declare readonly traceLow: number
  declare readonly spanHigh: number
  declare readonly spanLow: number
  declare readonly parentHigh: number
  declare readonly parentLow: number
  declare ended: boolean
  declare failed: boolean

  constructor(
    traits: TraceTraits,
    traceHigh: number,
    traceLow: number,
    spanHigh: number,
    spanLow: number,
    parentHigh: number,
    parentLow: number,
  ) {
    super()
    this.traits = traits
    this.traceHigh = traceHigh
    this.traceLow = traceLow
    this.spanHigh = spanHigh
    this.spanLow = spanLow
    this.parentHigh = parentHigh
    this.parentLow = parentLow
    this.ended = false
    this.failed = false
  }

  get enabled(): boolean {
    return !this.ended
  }

  rename(name: string): void {
    if (this.ended) counts[usedAfterEnd]!++
    else if (typeof name === 'string') records().name(this, name)
    else counts[refused]!++
  }

  annotate(value: string): void {
    if (this.ended) counts[usedAfterEnd]!++
    else if (typeof value === 'string') records().annotation(this, value)
    else counts[refused]!++
  }

  tag(key: string, value: TagValue): void {
    if (key === 'error') this.failed = true
    if (this.ended) counts[usedAfterEnd]!++
    else if (typeof key !== 'string') counts[refused]!++
    else tellTag(this, key, value)
  }

  /** Known at the beginning: those that come often stand in its record, so that these need no tracepoints of their own. */
  private firstTag(key: string, value: TagValue): void {
    if (key === 'error') this.failed = true
    tellGeneral(this, key, value)
  }

  tags(tags: Readonly<Record<string, TagValue>>): void {
    try {
      if (typeof tags !== 'object') counts[refused]!++
      else for (const [key, value] of Object.entries(tags)) this.firstTag(key, value)
    } catch {
      counts[refused]!++ // null, or a getter that throws
    }
  }

  remote(endpoint: Endpoint): void {
    if (this.ended) {
      counts[usedAfterEnd]!++
      return
    }
    try {
      const { service = '', address = '', port = 0 } = endpoint
      const texts = typeof service === 'string' && typeof address === 'string'
      if (texts && typeof port === 'number' && port >= 0 && port < 65536)
        records().remote(this, service, address, port)
      else counts[refused]!++
    } catch {
      counts[refused]!++ // null, or a getter that throws
    }
  }

  end(): void {
    if (this.ended) {
      counts[endedTwice]!++
      return
    }
    this.ended = true
    records().end(this)
  }

  child<What>(form: Form<What>, what: What, options: BeginOptions | undefined): Handle {
    const { traits, traceHigh, traceLow, spanHigh, spanLow } = this
    return begin(traits, traceHigh, traceLow, spanHigh, spanLow, form, what, options)
  }

  context(): WireContext {
    const { highHigh, highLow, debug, state } = this.traits
    const { traceHigh, traceLow, spanHigh, spanLow, parentHigh, parentLow } = this
    const decision = debug ? 'debug' : 'yes'
    return new WireContext(
      highHigh,
      highLow,
      traceHigh,
      traceLow,
      spanHigh,
      spanLow,
      parentHigh,
      parentLow,
      decision,
      state,
    )
  }

  protected override packAt(buffer: Uint8Array, at: number): void {
    const { traceHigh, traceLow, spanHigh, spanLow, parentHigh, parentLow } = this
    writeIds(buffer, at, traceHigh, traceLow, spanHigh, spanLow, parentHigh, parentLow)
  }
}

function tellTag(span: Recorded, key: string, value: unknown): void {
  if (typeof value === 'string' && tagFrequent(span, key, value)) return
  if (typeof value === 'number' && numberFrequent(span, key, value)) return
  tellGeneral(span, key, value)
}

/** Whether the span has ended or not. */
export function tellGeneral(span: Recorded, key: string, value: unknown): void {
  if (typeof value === 'string') records().tag(span, key, value)
  else if (typeof value === 'number') records().number(span, key, value)
  else if (typeof value === 'boolean' || typeof value === 'bigint') records().tag(span, key, String(value))
  else counts[refused]!++
}

/** A new span of the trace, below that parent (0: none). */
export function begin<What>(
  traits: TraceTraits,
  traceHigh: number,
  traceLow: number,
  parentHigh: number,
  parentLow: number,
  form: Form<What>,
  what: What,
  options: BeginOptions | undefined,
): Recorded {
  const high = randomWord()
  const low = randomWord()
  const sure = (high | low) === 0 ? 1 : low // 0 is no id
  const flagBits = traits.debug ? debugFlag : 0
  return form.begin(traits, traceHigh, traceLow, high, sure, parentHigh, parentLow, flagBits, what, options)
}
