// lib/trace/remote.ts: a context that came from another process, and the spans that begin below it. What was decided
// there about recording the trace is honoured.
import { fits, readBinary } from './binary.js'
import { contentShare } from './content.js'
import { counts, kept, refused, sampledOut } from './counts.js'
import type { Form } from './form.js'
import { freeForm } from './free-form.js'
import type { Handle } from './handle.js'
import { randomWord } from './ids.js'
import { extractFrom, formats, sharesSpan } from './propagation.js'
import { begin, TraceTraits } from './recorded.js'
import { wanted } from './records.js'
import { currentShare, keeps, shareKeeps } from './sampler.js'
import { Silent, unsampled } from './silent.js'
import type { BeginOptions, Carrier, Format, Span, SpanOptions } from './span.js'
import { debugFlag, sharedFlag } from './span-fields.js'
import { root, rootOf, traitsOf } from './start.js'
import { decisionAlone, type WireContext } from './wire.js'

/** What trace.extract() and trace.unpack() give. */
export interface Remote {
  /**
   * Starts a span below the one that was sent; the root of a new trace where none was. A server's span is the client's
   * own, as in Zipkin, where the format is B3.
   */
  start(name: string, options?: SpanOptions): Span
}

/** Records nothing, and hands on what came: while nobody records spans here, and in traces that are not recorded. */
class Passing extends Silent {
  readonly #context: WireContext

  constructor(context: WireContext) {
    super()
    this.#context = context
  }

  override child<What>(form: Form<What>, what: What, options: BeginOptions | undefined): Handle {
    if (this.#context.decision === 'no' && form.methods === undefined) return this
    return below(this.#context, false, form, what, options)
  }

  override context(): WireContext {
    return this.#context
  }
}

/** By the methods that a declaration's spans have beside a Span's. */
const passingClasses = new Map<object, typeof Passing>()

function passingBy(methods: object | undefined, context: WireContext): Handle {
  if (methods === undefined) return new Passing(context)
  let Own = passingClasses.get(methods)
  if (Own === undefined) {
    Own = class extends Passing {}
    Object.assign(Own.prototype, methods)
    passingClasses.set(methods, Own)
  }
  return new Own(context)
}

/** What is current where a context came from elsewhere and nothing has begun below it. */
export function passing(context: WireContext): Handle {
  return context.decision === 'no' && !context.hasIds ? unsampled : new Passing(context)
}

export class Received implements Remote {
  readonly #context: WireContext | undefined
  #shared: boolean

  constructor(context: WireContext | undefined, shared: boolean) {
    this.#context = context
    this.#shared = shared
  }

  start(name: string, options?: SpanOptions): Handle {
    return this.startAs(freeForm, name, options)
  }

  startAs<What>(form: Form<What>, what: What, options: BeginOptions | undefined): Handle {
    try {
      if (this.#context === undefined) return wanted() ? root(form, what, options) : form.off
      const shared = this.#shared && form.isServer(options)
      if (shared) this.#shared = false // whatever else begins here is a span of its own
      return below(this.#context, shared, form, what, options)
    } catch {
      counts[refused]!++ // a getter of the options that throws
      return form.off
    }
  }
}

/** One object each for what most requests bring where little is recorded. */
const nothing = new Received(undefined, false)
const against = new Received(decisionAlone.no, false)

function receive(context: WireContext | undefined, shared: boolean): Received {
  if (context === undefined) return nothing
  return context === decisionAlone.no ? against : new Received(context, shared)
}

function below<What>(
  context: WireContext,
  shared: boolean,
  form: Form<What>,
  what: What,
  options: BeginOptions | undefined,
): Handle {
  const { decision, traceLow } = context
  if (!context.hasIds) return decidedOnly(decision, form, what, options)
  if (decision === 'no' || !wanted()) return passingBy(form.methods, context)
  let probability = 0
  if (decision === 'unsaid') {
    const share = contentShare(form, what, options)
    probability = share ?? currentShare()
    if (share === undefined ? !keeps(traceLow) : !shareKeeps(share, traceLow)) {
      counts[sampledOut]!++
      return passingBy(form.methods, context.refused())
    }
    counts[kept]!++
  }
  const debug = decision === 'debug'
  const { traceHigh, spanHigh, spanLow, parentHigh, parentLow } = context
  const traits = traitsBelow(context, probability, debug)
  if (!shared) return begin(traits, traceHigh, traceLow, spanHigh, spanLow, form, what, options)
  const flagBits = debug ? sharedFlag | debugFlag : sharedFlag
  return form.begin(
    traits,
    traceHigh,
    traceLow,
    spanHigh,
    spanLow,
    parentHigh,
    parentLow,
    flagBits,
    what,
    options,
  )
}

/** Of all that came with a short id and was decided elsewhere. */
const plain = new TraceTraits(0, 0, 0, false, '')

function traitsBelow(context: WireContext, probability: number, debug: boolean): TraceTraits {
  const { traceHighHigh, traceHighLow, state } = context
  const isPlain = (traceHighHigh | traceHighLow) === 0 && probability === 0 && !debug && state === ''
  return isPlain ? plain : new TraceTraits(traceHighHigh, traceHighLow, probability, debug, state)
}

/** B3 lets a sender say only whether the trace that begins here is to be recorded. */
function decidedOnly<What>(
  decision: WireContext['decision'],
  form: Form<What>,
  what: What,
  options: BeginOptions | undefined,
): Handle {
  if (decision === 'no') {
    if (wanted()) counts[sampledOut]!++
    return form.unsampled
  }
  if (!wanted()) return form.off
  return rootOf(randomWord(), traitsOf(1, decision === 'debug'), form, what, options)
}

/** Whether it is what extract() or unpack() gave. May throw, of a proxy that does. */
export const isReceived = (value: unknown): value is Received => value instanceof Received

/** The context in the headers of a request. Headers that are not sound are as if they were not there. */
export function extract(headers: Carrier, format: Format): Remote {
  const context = extractFrom(headers, format)
  return receive(context, context !== undefined && sharesSpan(format))
}

/** For headers that anybody may have sent, in whichever format. */
export function extractAny(headers: Carrier): Received {
  for (const format of formats) {
    const context = extractFrom(headers, format)
    if (context !== undefined) return receive(context, sharesSpan(format))
  }
  return nothing
}

/** The context in BlkKin's 24 bytes at `offset`. */
export function unpack(buffer: Uint8Array, offset = 0): Remote {
  if (fits(buffer, offset)) return receive(readBinary(buffer, offset), false)
  counts[refused]!++
  return nothing
}
