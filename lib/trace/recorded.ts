// lib/trace/recorded.ts: the handle of a span that is recorded: its ids and whether it has ended, and nothing of what was
// said of it, which is in the ring already.
import { counts, endedTwice, refused, usedAfterEnd } from './counts.js'
import { Handle } from './handle.js'
import { hexOf } from './hex.js'
import { randomWord } from './ids.js'
import { debugFlag, records } from './records.js'
import type { Endpoint, SpanKind, SpanOptions } from './span.js'
import { type WireContext, zeros } from './wire.js'

/** What the spans of one trace have in common. Ids are int32 halves, which are no objects. */
export class Trace {
  declare readonly highHigh: number
  declare readonly highLow: number
  declare readonly lowHigh: number
  declare readonly lowLow: number
  /** Of the decision to record it; 0: that was taken in another process. */
  declare readonly probability: number
  declare readonly debug: boolean
  declare readonly state: string

  constructor(
    highHigh: number,
    highLow: number,
    lowHigh: number,
    lowLow: number,
    probability: number,
    debug: boolean,
    state: string,
  ) {
    this.highHigh = highHigh
    this.highLow = highLow
    this.lowHigh = lowHigh
    this.lowLow = lowLow
    this.probability = probability
    this.debug = debug
    this.state = state
  }
}

export class Recorded extends Handle {
  declare readonly trace: Trace
  declare readonly spanHigh: number
  declare readonly spanLow: number
  declare readonly parentHigh: number
  declare readonly parentLow: number
  declare private ended: boolean

  constructor(trace: Trace, spanHigh: number, spanLow: number, parentHigh: number, parentLow: number) {
    super()
    this.trace = trace
    this.spanHigh = spanHigh
    this.spanLow = spanLow
    this.parentHigh = parentHigh
    this.parentLow = parentLow
    this.ended = false
  }

  get enabled(): boolean {
    return !this.ended
  }

  annotate(value: string): void {
    if (this.ended) counts[usedAfterEnd]!++
    else if (typeof value === 'string') records().annotation(this, value)
    else counts[refused]!++
  }

  tag(key: string, value: string | number | boolean | bigint): void {
    if (this.ended) counts[usedAfterEnd]!++
    else if (typeof key !== 'string') counts[refused]!++
    else if (typeof value === 'string') records().tag(this, key, value)
    else if (typeof value === 'number') records().number(this, key, value)
    else if (typeof value === 'boolean' || typeof value === 'bigint') records().tag(this, key, String(value))
    else counts[refused]!++
  }

  end(): void {
    if (this.ended) {
      counts[endedTwice]!++
      return
    }
    this.ended = true
    records().end(this)
  }

  child(name: string, options: SpanOptions | undefined): Handle {
    return begin(this.trace, this.spanHigh, this.spanLow, name, options)
  }

  context(): WireContext {
    const { highHigh, highLow, lowHigh, lowLow, debug, state } = this.trace
    const parentId = hexOf(this.parentHigh, this.parentLow)
    return {
      traceId: hexOf(highHigh, highLow) + hexOf(lowHigh, lowLow),
      spanId: hexOf(this.spanHigh, this.spanLow),
      parentId: parentId === zeros ? '' : parentId,
      decision: debug ? 'debug' : 'yes',
      state,
    }
  }
}

/** A new span of the trace, below that parent (0: none). */
export function begin(
  trace: Trace,
  parentHigh: number,
  parentLow: number,
  name: string,
  options: SpanOptions | undefined,
): Recorded {
  const high = randomWord()
  const low = randomWord()
  const span = new Recorded(trace, high, (high | low) === 0 ? 1 : low, parentHigh, parentLow)
  tellBegin(span, 0, name, options)
  return span
}

export function tellBegin(
  span: Recorded,
  flagBits: number,
  name: string,
  options: SpanOptions | undefined,
): void {
  const kind = kindNumber(options?.kind)
  const remote = options?.remote
  const { debug, probability } = span.trace
  let told = name
  if (typeof name !== 'string') {
    counts[refused]!++
    told = ''
  }
  records().begin(span, probability, debug ? flagBits | debugFlag : flagBits, kind, told)
  if (remote !== undefined) tellRemote(span, remote)
}

/** Its place in records.ts's kinds. */
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

function tellRemote(span: Recorded, remote: Endpoint): void {
  const { service = '', address = '', port = 0 } = remote
  const sound =
    typeof service === 'string' && typeof address === 'string' && typeof port === 'number' && port >= 0 && port < 65536
  if (sound) records().remote(span, service, address, port)
  else counts[refused]!++
}
