// relay/src/pipeline/sample/chance.ts: which traces are kept by chance: a hash of the trace's id against a limit, so that
// every relay of the same share keeps the same traces, and one of a larger share those and more. The sampler asks once a
// trace. The id itself is not compared: tracers decide by its lowest bits, so those of what arrives are all small.
//
// For a number a second the limit follows the load: it is worked out four times a second from how many traces there were,
// and a burst that comes faster halves it each time the traces of two turns are used up.

const WORDS = 2 ** 32
const TURN_MS = 250
const PER_SECOND_MOST = 1_000_000

/** A fixed share of all, or a number a second. */
export type TraceSample = { readonly share: number } | { readonly perSecond: number }

/** @throws RangeError */
export function checkSample(sample: TraceSample): void {
  const [name, value, most] =
    'perSecond' in sample
      ? ['perSecond', sample.perSecond, PER_SECOND_MOST]
      : (['share', sample.share, 1] as const)
  if (typeof value === 'number' && value > 0 && value <= most) return
  throw new RangeError(`sample.${name} is ${value}; expected a number above 0, at most ${most}`)
}

export class Chance {
  /** The share that is kept now. */
  share: number
  /** What a turn may keep; 0 where the share is fixed. */
  readonly #budget: number
  #turnAt = Number.NaN
  #seen = 0
  #kept = 0
  /** Traces a turn, of late. */
  #load = 0

  constructor(sample: TraceSample) {
    this.share = 'share' in sample ? sample.share : 1
    this.#budget = 'share' in sample ? 0 : (sample.perSecond * TURN_MS) / 1000
  }

  /** Once a trace. `low` is the lower half of its id, as text. */
  keeps(low: string): boolean {
    const keep = hash(low) < this.share * WORDS
    this.#seen++
    if (keep && this.#budget !== 0 && ++this.#kept % Math.ceil(2 * this.#budget) === 0) this.share /= 2
    return keep
  }

  /** Now and then. */
  turn(now: number): void {
    if (this.#budget === 0) return
    if (Number.isNaN(this.#turnAt)) this.#turnAt = now
    const took = now - this.#turnAt
    if (took < TURN_MS) return
    const load = (this.#seen * TURN_MS) / took
    this.#load = this.#load === 0 ? load : (this.#load + load) / 2
    this.share = this.#budget / Math.max(this.#load, this.#budget)
    this.#turnAt = now
    this.#seen = this.#kept = 0
  }
}

/** FNV-1a and the last steps of MurmurHash3, without which close ids come to close hashes. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
