// relay/src/spans/assembly/groups.ts: all groups of an assembler, by their ids, and those that are open in the order in which they came. Groups
// that are forgotten are used again for others, and lists and chains run through the groups themselves: hundreds of thousands come and
// go a second, and whatever was made for each would have to be collected.

import { Group, type Process, type Source } from './group.js'
import type { SpanRecord } from './records.js'

/** Chains; as many again once there are more groups than that. */
const CHAINS = 2 ** 14
/** Forgotten ones that are kept to be used again. */
const SPARE = 100_000

export class Groups {
  #chains: (Group | undefined)[] = new Array(CHAINS).fill(undefined)
  #count = 0
  readonly #spare: Group[] = []

  find(process: Process, record: SpanRecord): Group | undefined {
    const hash = hashOf(process, record)
    let group = this.#chains[hash & (this.#chains.length - 1)]
    while (group !== undefined && !(group.hash === hash && group.isOf(process, record))) group = group.next
    return group
  }

  /** Where find() has none. */
  make(source: Source, record: SpanRecord): Group {
    if (this.#count === this.#chains.length) this.#widen()
    const group = this.#spare.pop() ?? new Group()
    group.begin(source, hashOf(source.process, record), record)
    this.#link(group)
    this.#count++
    return group
  }

  /** It may be another one the moment after. */
  forget(group: Group): void {
    const at = group.hash & (this.#chains.length - 1)
    let before = this.#chains[at]
    if (before === group) this.#chains[at] = group.next
    else {
      while (before!.next !== group) before = before!.next
      before!.next = group.next
    }
    this.#count--
    if (this.#spare.length < SPARE) this.#spare.push(group)
  }

  #link(group: Group): void {
    const at = group.hash & (this.#chains.length - 1)
    group.next = this.#chains[at]
    this.#chains[at] = group
  }

  #widen(): void {
    const before = this.#chains
    this.#chains = new Array(before.length * 2).fill(undefined)
    for (const first of before) {
      for (let group = first; group !== undefined; ) {
        const { next } = group
        this.#link(group)
        group = next
      }
    }
  }
}

const hashOf = ({ number }: Process, { traceLow, spanLow, spanHigh }: SpanRecord): number => {
  const hash = Math.imul(spanLow ^ Math.imul(spanHigh, 0x9e3779b1) ^ traceLow ^ number, 0x85ebca6b)
  return hash ^ (hash >>> 15)
}

/** The oldest first. */
export class OpenGroups {
  oldest: Group | undefined
  #newest: Group | undefined
  length = 0

  push(group: Group): void {
    group.older = this.#newest
    group.newer = undefined
    if (this.#newest) this.#newest.newer = group
    else this.oldest = group
    this.#newest = group
    this.length++
  }

  /** One of them. */
  take(group: Group): void {
    const { older, newer } = group
    if (older) older.newer = newer
    else this.oldest = newer
    if (newer) newer.older = older
    else this.#newest = older
    group.older = group.newer = undefined
    this.length--
  }
}
