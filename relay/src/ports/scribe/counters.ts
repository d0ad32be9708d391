// relay/src/ports/scribe/counters.ts: what became of messages, under the names that Scribe has for it: CATEGORY:WHAT, and
// scribe_overall:WHAT for all. fb303's getCounters() answers them, stats() sums them up.

export type What = 'received good' | 'received bad' | 'received blank category' | 'denied for queue size'

const overall = 'scribe_overall'
/** Categories that are counted by name: who makes names up without end is counted in the sum. categories.ts bounds their length. */
const most = 1_000

export class Counters {
  readonly #counts = new Map<string, number>()
  readonly #categories = new Set<string>()

  /** Of one category that has a place, or of none. */
  add(what: What, count: number, category?: string): void {
    if (category !== undefined && this.#isKnown(category)) this.#add(`${category}:${what}`, count)
    this.#add(`${overall}:${what}`, count)
  }

  get(name: string): number {
    return this.#counts.get(name) ?? 0
  }

  of(what: What): number {
    return this.get(`${overall}:${what}`)
  }

  all(): IterableIterator<[name: string, count: number]> {
    return this.#counts.entries()
  }

  #isKnown(category: string): boolean {
    if (this.#categories.has(category)) return true
    if (this.#categories.size >= most) return false
    this.#categories.add(category)
    return true
  }

  #add(name: string, count: number): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + count)
  }
}
