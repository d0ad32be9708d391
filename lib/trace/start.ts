// lib/trace/start.ts: how spans begin: below the current one, as the root of a trace, or below one of another process.
// Nothing here throws, whatever the arguments are.
import { asksContent, contentShare } from './content.js'
import { counts, kept, refused, sampledOut } from './counts.js'
import { currentHandle } from './current.js'
import type { Form } from './form.js'
import { freeForm } from './free-form.js'
import { Handle } from './handle.js'
import { idsAreWide, randomWord } from './ids.js'
import { begin, type Recorded, TraceTraits } from './recorded.js'
import { wanted } from './records.js'
import { currentLimit, currentShare, keepsNext, keptWord, shareKeeps } from './sampler.js'
import { Off } from './silent.js'
import type { BeginOptions, Span, SpanOptions } from './span.js'

/**
 * Starts a span: a child of `options.parent` or of the current span, or the root of a new trace where there is none. A
 * parent that is no span is as if none were given, and counted.
 */
export function start(name: string, options?: SpanOptions): Handle {
  return startAs(freeForm, name, options)
}

export function startAs<What>(
  form: Form<What>,
  what: What,
  options: (BeginOptions & { readonly parent?: Span | undefined }) | undefined,
): Handle {
  if (!wanted()) return form.off
  try {
    const parent = options === undefined ? undefined : options.parent
    const above = parent === undefined ? currentHandle() : handleOf(parent)
    return above === undefined ? root(form, what, options) : above.child(form, what, options)
  } catch {
    counts[refused]!++ // a getter of the options that throws
    return form.off
  }
}

/** What is no span, or none that says anything, is as if none were given. */
function handleOf(parent: unknown): Handle | undefined {
  if (!(parent instanceof Handle)) counts[refused]!++
  else if (!(parent instanceof Off)) return parent
  return currentHandle()
}

/** The first span of a trace, which is recorded if the sampling says so. */
export function root<What>(form: Form<What>, what: What, options: BeginOptions | undefined): Handle {
  if (asksContent() || (options !== undefined && options.debug === true))
    return rootAsked(form, what, options)
  if (!keepsNext()) return form.unsampled // counted by the gap
  return rootOf(keptWord(), plainTraits(), form, what, options)
}

/** Apart, so that what is not recorded stays small enough to be inlined where it is called. */
function rootAsked<What>(form: Form<What>, what: What, options: BeginOptions | undefined): Handle {
  if (options?.debug === true) return rootOf(randomWord(), traitsOf(1, true), form, what, options)
  const share = contentShare(form, what, options)
  if (share === undefined) {
    if (!keepsNext()) return form.unsampled
    return rootOf(keptWord(), plainTraits(), form, what, options)
  }
  const low = randomWord()
  if (shareKeeps(share, low)) return rootOf(low, traitsOf(share, false), form, what, options)
  counts[sampledOut]!++
  return form.unsampled
}

let plain = new TraceTraits(0, 0, 1, false, '')
let plainLimit = 0

/** Of a trace that begins here. */
export function traitsOf(probability: number, debug: boolean): TraceTraits {
  if (!idsAreWide()) return new TraceTraits(0, 0, probability, debug, '')
  return new TraceTraits(randomWord(), randomWord(), probability, debug, '')
}

/** Of one without anything special, by an id of 64 bits: one object for all of them, while the sampling stays. */
function plainTraits(): TraceTraits {
  if (idsAreWide()) return traitsOf(currentShare(), false)
  const limit = currentLimit()
  if (limit !== plainLimit) {
    plain = new TraceTraits(0, 0, currentShare(), false, '')
    plainLimit = limit
  }
  return plain
}

export function rootOf<What>(
  low: number,
  traits: TraceTraits,
  form: Form<What>,
  what: What,
  options: BeginOptions | undefined,
): Recorded {
  counts[kept]!++
  const high = randomWord()
  return begin(traits, high, (high | low) === 0 ? 1 : low, 0, 0, form, what, options)
}
