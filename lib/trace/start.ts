// lib/trace/start.ts: how spans begin: below the current one, as the root of a trace, or below one of another process.
// Nothing here throws, whatever the arguments are.
import { contentShare } from './content.js'
import { counts, kept, refused, sampledOut } from './counts.js'
import { currentHandle } from './current.js'
import { Handle } from './handle.js'
import { idsAreWide, randomWord } from './ids.js'
import { begin, type Recorded, TraceTraits } from './recorded.js'
import { wanted } from './records.js'
import { currentShare, keepsNext, keptWord, shareKeeps } from './sampler.js'
import { off, unsampled } from './silent.js'
import type { SpanOptions } from './span.js'

/**
 * Starts a span: a child of `options.parent` or of the current span, or the root of a new trace where there is none. A
 * parent that is no span is as if none were given, and counted.
 */
export function start(name: string, options?: SpanOptions): Handle {
  if (!wanted()) return off
  try {
    const parent = options?.parent
    if (parent !== undefined && parent !== off) {
      if (parent instanceof Handle) return parent.child(name, options)
      counts[refused]!++
    }
    const current = currentHandle()
    return current === undefined ? root(name, options) : current.child(name, options)
  } catch {
    counts[refused]!++ // a getter of the options that throws
    return off
  }
}

/** The first span of a trace, which is recorded if the sampling says so. */
export function root(name: string, options: SpanOptions | undefined): Handle {
  if (options?.debug === true) return rootOf(randomWord(), traitsOf(1, true), name, options)
  const share = contentShare(name, options)
  if (share === undefined) return keepsNext() ? rootOf(keptWord(), plainTraits(), name, options) : unsampled // counted by the gap
  const low = randomWord()
  if (shareKeeps(share, low)) return rootOf(low, traitsOf(share, false), name, options)
  counts[sampledOut]!++
  return unsampled
}

let plain = new TraceTraits(0, 0, 1, false, '')

/** Of a trace that begins here. */
export function traitsOf(probability: number, debug: boolean): TraceTraits {
  if (!idsAreWide()) return new TraceTraits(0, 0, probability, debug, '')
  return new TraceTraits(randomWord(), randomWord(), probability, debug, '')
}

/** Of one without anything special, by an id of 64 bits: one object for all of them, while the sampling stays. */
function plainTraits(): TraceTraits {
  const share = currentShare()
  if (idsAreWide()) return traitsOf(share, false)
  if (share !== plain.probability) plain = new TraceTraits(0, 0, share, false, '')
  return plain
}

export function rootOf(
  low: number,
  traits: TraceTraits,
  name: string,
  options: SpanOptions | undefined,
): Recorded {
  counts[kept]!++
  const high = randomWord()
  return begin(traits, high, (high | low) === 0 ? 1 : low, 0, 0, name, options)
}
