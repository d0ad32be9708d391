// lib/cli/top/top-model.ts: what `blkin top` knows: how often each tracepoint was hit, second by second, and how long it took
// from one to another. Pure: whoever calls gives it events, and ticks once a second.

import { RecentLatencies } from './latency.js'
import { commonKeys, type Declared, findPairs, Matcher, type Pair } from './pairs.js'
import { History } from './sparkline.js'

export const seconds = 30
const windows = 6 // of the latencies: so many parts of those seconds
const pidsKept = 1024

export interface Event {
  name: string
  pid: number
  /** Since a moment of the model's own choice: precise where the epoch is not. */
  ns: number
  fields: Readonly<Record<string, unknown>>
  context?: Readonly<Record<string, unknown>> | undefined
  fieldNames: () => readonly string[]
}

interface Counted {
  declared: Declared
  total: number
  sinceTick: number
  rate: number
  history: History
  /** Pairs that it begins or ends. */
  roles: { pair: Paired; begin: boolean }[]
}

interface Paired {
  pair: Pair
  matcher: Matcher
  latencies: RecentLatencies
}

export interface Row {
  name: string
  rate: number
  total: number
  history: readonly (number | undefined)[]
  /** Of the pair that it begins. */
  until?: string
  p50?: number
  p99?: number
}

export class TopModel {
  readonly #counted = new Map<string, Counted>()
  #paired: Paired[] = []
  #ticks = 0
  readonly #pids = new Set<number>()

  constructor(readonly given: readonly Pair[] = []) {}

  event(event: Event): void {
    const counted = this.#counted.get(event.name) ?? this.#declare(event)
    counted.total++
    counted.sinceTick++
    if (this.#pids.size < pidsKept) this.#pids.add(event.pid)
    for (const { pair, begin } of counted.roles) {
      const ns = pair.matcher.event(begin, keyOf(event, pair.pair.keys), event.ns)
      if (ns !== undefined) pair.latencies.add(ns)
    }
  }

  /** Processes that were heard of. */
  get pids(): number {
    return this.#pids.size
  }

  tick(elapsed: number): void {
    this.#ticks++
    for (const one of this.#counted.values()) {
      one.rate = one.sinceTick / elapsed
      one.sinceTick = 0
      one.history.push(one.rate)
    }
    if (this.#ticks % (seconds / windows) === 0) for (const { latencies } of this.#paired) latencies.turn()
  }

  /** The busiest first. */
  rows(): Row[] {
    const rows = [...this.#counted.values()].map((one): Row => {
      const { declared, rate, total, history, roles } = one
      const begun = roles.find(({ begin }) => begin)?.pair
      const row = { name: declared.name, rate, total, history: history.values }
      if (begun === undefined) return row
      const sum = begun.latencies.sum()
      const [p50, p99] = [sum.quantile(0.5), sum.quantile(0.99)]
      return {
        ...row,
        until: begun.pair.end,
        ...(p50 === undefined || p99 === undefined ? {} : { p50, p99 }),
      }
    })
    return rows.sort((a, b) => b.rate - a.rate || b.total - a.total || (a.name < b.name ? -1 : 1))
  }

  #declare(event: Event): Counted {
    const declared = { name: event.name, fields: event.fieldNames() }
    const made = { declared, total: 0, sinceTick: 0, rate: 0, history: new History(seconds), roles: [] }
    this.#counted.set(event.name, made)
    this.#pairUp()
    return made
  }

  /** Once more from all that are known; pairs that were there keep what they measured. */
  #pairUp(): void {
    const all = [...this.#counted.values()].map(({ declared }) => declared)
    const pairs = [...this.given.map((pair) => withKeys(pair, all)), ...this.#byCustom(all)]
    const before = new Map(this.#paired.map((one) => [JSON.stringify(one.pair), one]))
    this.#paired = pairs.map(
      (pair) =>
        before.get(JSON.stringify(pair)) ?? {
          pair,
          matcher: new Matcher(),
          latencies: new RecentLatencies(windows),
        },
    )
    for (const one of this.#counted.values()) {
      one.roles = this.#paired.flatMap((pair) => [
        ...(pair.pair.begin === one.declared.name ? [{ pair, begin: true }] : []),
        ...(pair.pair.end === one.declared.name ? [{ pair, begin: false }] : []),
      ])
    }
  }

  #byCustom(all: readonly Declared[]): Pair[] {
    const taken = new Set(this.given.map(({ begin }) => begin))
    return findPairs(all).filter(({ begin }) => !taken.has(begin))
  }
}

function withKeys(pair: Pair, all: readonly Declared[]): Pair {
  const [begin, end] = [pair.begin, pair.end].map((name) => all.find((one) => one.name === name))
  return pair.keys.length > 0 || begin === undefined || end === undefined
    ? pair
    : { ...pair, keys: commonKeys(begin, end) }
}

function keyOf({ pid, fields, context }: Event, keys: readonly string[]): string {
  if (keys.length === 0) return `${pid} ${context?.tid ?? ''}`
  let key = String(pid)
  for (const one of keys) key += ` ${fields[one]}`
  return key
}
