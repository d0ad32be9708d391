// relay/src/common/recent-map.ts: what is still known of the keys that came last: so many at least, and not twice as many.
// The sampler keeps its decisions in one, alerts the traces that they have judged.

export class RecentMap<Value> {
  /** Two generations: the older one is dropped when the younger is full. */
  #younger = new Map<string, Value>()
  #older = new Map<string, Value>()

  constructor(readonly least: number) {}

  get(key: string): Value | undefined {
    return this.#younger.get(key) ?? this.#older.get(key)
  }

  set(key: string, value: Value): void {
    this.#younger.set(key, value)
    if (this.#younger.size < this.least) return
    this.#older = this.#younger
    this.#younger = new Map()
  }
}
