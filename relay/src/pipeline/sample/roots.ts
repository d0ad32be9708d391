// relay/src/pipeline/sample/roots.ts: what is usual of traces that begin alike (the same service and name), so that those
// that are slow or seldom stand out. The sampler asks once a trace. It holds a bounded number of them, and no clock.

import type { Span } from '../../spans/span.js'

const MOST = 10_000
/** One trace of each root is kept in that time; so roots that are seen less often are kept each time. */
const RARE_MS = 60_000
/** Traces of a root before any of them is called slow. */
const LEARN = 100
/** Slow is what fewer than one in so many took as long as. */
const ONE_IN = 100
/** Older traces count half as much from there on. */
const FADE = 10_000
const PER_OCTAVE = 8
const BUCKETS = 40 * PER_OCTAVE // to 12 days

interface Root {
  /** How many took how long, in steps of 9 %. */
  took: Uint16Array
  total: number
  seen: number
  /** When one was kept last. */
  kept: number
}

export class Roots {
  /** The one seen longest ago first. */
  readonly #roots = new Map<string, Root>()

  constructor(readonly most = MOST) {}

  /** Why a trace of this root stands out, if it does. Once a trace; `keep` says that it is kept in any case. */
  look(span: Span, keep: boolean, now: number): 'slow' | 'rare' | undefined {
    const root = this.#find(`${span.localEndpoint?.serviceName}\0${span.name}`, now)
    if (root === undefined) return undefined
    const why = isSlow(root, span.duration) ? 'slow' : now - root.kept >= RARE_MS ? 'rare' : undefined
    if (span.duration !== undefined) add(root, bucketOf(span.duration))
    if (keep || why !== undefined) root.kept = now
    return why
  }

  /** Undefined where too many were seen just now: names that a program makes up without end are not rare. */
  #find(key: string, now: number): Root | undefined {
    let root = this.#roots.get(key)
    if (root === undefined) {
      if (this.#roots.size >= this.most && !this.#forgetOldest(now)) return undefined
      root = { took: new Uint16Array(BUCKETS), total: 0, seen: now, kept: Number.NEGATIVE_INFINITY }
    } else {
      this.#roots.delete(key)
    }
    root.seen = now
    this.#roots.set(key, root)
    return root
  }

  #forgetOldest(now: number): boolean {
    for (const [key, { seen }] of this.#roots) return now - seen >= RARE_MS && this.#roots.delete(key)
    return false
  }
}

const bucketOf = (duration: number): number =>
  Math.min(BUCKETS - 1, Math.floor(Math.log2(duration) * PER_OCTAVE))

function isSlow({ took, total }: Root, duration: number | undefined): boolean {
  if (duration === undefined || total < LEARN) return false
  let asLong = 0
  for (let i = bucketOf(duration); i < BUCKETS; i++) asLong += took[i]!
  return asLong * ONE_IN < total
}

function add(root: Root, bucket: number): void {
  root.took[bucket]!++
  if (++root.total < FADE) return
  root.total = 0
  for (let i = 0; i < BUCKETS; i++) root.total += root.took[i]! >>= 1
}
