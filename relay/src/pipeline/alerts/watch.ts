// relay/src/pipeline/alerts/watch.ts: a rule at work: an alert, or one for each value of what the rule goes by. alerts.ts feeds it.
//
//   inactive ── above ──► pending ── above for forMs ──► firing ── not above for keepMs ──► inactive
//                            └── not above ──► inactive
//
// It has at most MOST_VALUES alerts; spans of further values are counted in one for all of those, OTHER. A value that
// nobody sends any more is forgotten with its window. No clock: who calls says what time it is.

import type { Span } from '../../spans/span.js'
import type { AlertRule } from './rule.js'
import { compileKey, compileSelection, tagOf } from './select.js'
import { Steps } from './steps.js'
import { Window } from './window.js'

export const MOST_VALUES = 50
export const OTHER = 'other'
const MOST_LETTERS = 100

export type AlertState = 'inactive' | 'pending' | 'firing'

/** What the outside knows of an alert. */
export interface Alert {
  rule: AlertRule
  /** Of what the rule goes by; absent where it goes by nothing. */
  value: string | undefined
  state: AlertState
  /** Milliseconds of the clock that `due()` is called with. */
  since: number
  /** When it was told that it fires; milliseconds since the epoch, which whoever tells it notes here. */
  startsAt: number
  window: Window
}

interface Standing extends Alert {
  /** When it was above last. */
  above: number
}

export class Watch {
  readonly covers: (span: Span) => boolean
  readonly #by: ((span: Span) => string) | undefined
  readonly #steps: Steps | undefined
  readonly #alerts = new Map<string | undefined, Standing>()

  constructor(
    readonly rule: AlertRule,
    /** Whether a trace will be there to be looked at. */
    readonly isThere: (traceId: string, now: number) => boolean,
    /** When it began. */
    readonly since: number,
  ) {
    this.covers = compileSelection(rule.select)
    this.#by = rule.by === undefined ? undefined : compileKey(rule.by)
    this.#steps = rule.kind === 'latency' ? new Steps(rule.threshold) : undefined
    if (this.#by === undefined) this.#open(undefined, since)
  }

  get alerts(): Iterable<Alert> {
    return this.#alerts.values()
  }

  /**
   * An alert fired before its relay ended. It is resolved when a whole window, and `keep` after it, have not shown it above.
   */
  resume(
    value: string | undefined,
    { since, startsAt }: Pick<Alert, 'since' | 'startsAt'>,
    now: number,
  ): void {
    const alert = this.#alerts.get(value) ?? this.#open(value, now)
    Object.assign(alert, { state: 'firing', since, startsAt, above: now + this.rule.windowMs })
  }

  /** A span, of a rule that looks at one at a time. */
  add(span: Span, now: number): void {
    if (!this.covers(span)) return
    if (this.#steps === undefined) this.judge(span, tagOf(span, 'error') !== undefined, now)
    else if (span.duration !== undefined) {
      const { window } = this.#find(span, now)
      if (window.addDuration(span.duration, now)) this.#example(window, span, span.duration, now)
    }
  }

  /** A span that the rule covers, and whether it is one of the bad ones. */
  judge(span: Span, isBad: boolean, now: number): void {
    const { window } = this.#find(span, now)
    window.add(isBad, now)
    if (isBad) this.#example(window, span, now, now) // the newest
  }

  /** Those that fire or are resolved since. */
  *due(now: number): Generator<Alert> {
    for (const alert of this.#alerts.values()) {
      alert.window.pass(now)
      if (this.#turn(alert, now)) yield alert
      if (alert.value !== undefined && alert.state === 'inactive' && alert.window.count === 0)
        this.#alerts.delete(alert.value)
    }
  }

  #find(span: Span, now: number): Standing {
    if (this.#by === undefined) return this.#alerts.get(undefined)!
    const value = this.#by(span).slice(0, MOST_LETTERS)
    const known = this.#alerts.get(value)
    if (known) return known
    return this.#alerts.size < MOST_VALUES
      ? this.#open(value, now)
      : (this.#alerts.get(OTHER) ?? this.#open(OTHER, now))
  }

  #open(value: string | undefined, now: number): Standing {
    const { rule } = this
    const window = new Window(rule.windowMs, this.#steps)
    const times = { since: now, startsAt: 0, above: Number.NEGATIVE_INFINITY }
    const alert: Standing = { rule, value, state: 'inactive', ...times, window }
    this.#alerts.set(value, alert)
    return alert
  }

  #example(window: Window, { traceId }: Span, weight: number, now: number): void {
    window.addExample(traceId, weight, () => this.isThere(traceId, now))
  }

  /** Whether it fires or is resolved by this. */
  #turn(alert: Standing, now: number): boolean {
    const { forMs, keepMs } = this.rule
    const { state } = alert
    if (isAbove(alert)) {
      alert.above = now
      if (state === 'inactive') this.#become(alert, 'pending', now)
      if (alert.state !== 'pending' || now - alert.since < forMs) return false
      this.#become(alert, 'firing', now)
      return true
    }
    if (state === 'inactive' || (state === 'firing' && now - alert.above < keepMs)) return false
    this.#become(alert, 'inactive', now)
    return state === 'firing'
  }

  #become(alert: Standing, state: AlertState, now: number): void {
    alert.state = state
    alert.since = now
  }
}

function isAbove({ rule, window }: Alert): boolean {
  if (window.count < rule.min) return false
  if (rule.kind === 'latency') return window.isAbove(rankOf(rule.percent, window.count))
  return amount(rule, window) > rule.threshold
}

/** What is compared with the threshold: microseconds (within ERROR), a share of 1, or a count. */
export function measured({ rule, window }: Alert): number {
  return rule.kind === 'latency' ? window.duration(rankOf(rule.percent, window.count)) : amount(rule, window)
}

const amount = ({ kind }: AlertRule, { bad, count }: Window): number =>
  kind === 'missing' ? bad : count === 0 ? 0 : bad / count

/** The place of a percentile among so many, counted from 1: that many of a hundred take no longer. In whole numbers, so exact. */
const rankOf = (percent: number, count: number): number =>
  Math.ceil((Math.round(percent * 100) * count) / 10_000)
