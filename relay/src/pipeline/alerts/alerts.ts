// relay/src/pipeline/alerts/alerts.ts: rules over spans as they are assembled and posted, before any are sampled out. the pipeline feeds
// it and asks it several times a second; what changes is told to the log, the webhook and Alertmanager. It holds a bounded amount, never
// waits, and has no clock but to say when something was: who calls says what time it is.

import { isDeepStrictEqual } from 'node:util'
import { type GatheringLimits, USUAL_LIMITS } from '../../spans/assembly/gathering.js'
import type { Span } from '../../spans/span.js'
import type { Outbox, OutboxStats } from '../delivery/outbox.js'
import { Alertmanagers } from './alertmanager.js'
import type { Memory } from './memory.js'
import { Missing } from './missing.js'
import { type AlertChange, lineOf, openable, payloadOf, postedAlertOf } from './payload.js'
import { type AlertRule, alertName, amountOf, measureOf, shownValue } from './rule.js'
import { type Alert, type AlertState, measured, Watch } from './watch.js'
import { webhookOutbox } from './webhook.js'

export interface AlertOptions {
  /** As parseAlerts() reads them. */
  rules: readonly AlertRule[]
  /** A URL, or HOST:PORT: who is told of every change, by POST. */
  webhook?: string
  /** URLs, or HOST:PORT, of Alertmanagers: all of one cluster, each of which is told. */
  alertmanagers?: readonly string[]
}

export interface AlertStatus {
  alert: string
  /** Of which value of what the rule goes by: { key: 'tag.export', value: 'disk0' }. */
  by?: { key: string; value: string }
  /** Those of the rule's own. */
  labels?: Readonly<Record<string, string>>
  state: AlertState
  /** Since when it is in this state; milliseconds since the epoch. */
  since: number
  /** Microseconds, a share of 1, or a count, as the rule's kind is; and the same in words. */
  kind: AlertRule['kind']
  value: number
  threshold: number
  shown: { name: string; value: string; threshold: string; measure: string }
  windowMs: number
  /** Spans in the window. */
  count: number
  /** The worst first. */
  traces: string[]
}

export interface AlertsStats {
  alerts: AlertStatus[]
  fired: number
  resolved: number
  /** Traces that rules of missing spans were asked about, and those that had to go before; spans that came too late or wait. */
  missing: { judged: number; givenUp: number; late: number; waiting: number }
  webhook?: OutboxStats
  alertmanagers?: OutboxStats[]
}

export interface AlertsContext {
  log: (line: string) => void
  /** Whether a trace will be there to be looked at. */
  isThere(traceId: string, now: number): boolean
  /** Milliseconds since the epoch. */
  wall(): number
}

/** How the log begins what an earlier relay left. */
const before = 'from before: '

/** An alert, and the once that it fired. */
const occasion = ({ rule, value, startsAt }: AlertChange): string => `${alertName(rule, value)} ${startsAt}`

/** Whether receivers know the alerts of both by the same labels. */
const isSameAlert = (a: AlertRule, b: AlertRule): boolean =>
  a.name === b.name && a.by === b.by && isDeepStrictEqual(a.labels, b.labels)

export class Alerts {
  #fired = 0
  #resolved = 0
  readonly #watches: Watch[]
  /** Those that look at a span at a time. */
  readonly #single: Watch[]
  readonly #missing: Missing
  readonly #webhook: Outbox<object> | undefined
  readonly #alertmanagers: Alertmanagers | undefined
  #memory: Memory | undefined
  /** Where traces can be looked at. */
  #api: string | undefined

  /** @throws TypeError naming what was given */
  constructor(
    { rules, webhook, alertmanagers = [] }: AlertOptions,
    readonly context: AlertsContext,
    now: number,
    limits: Partial<GatheringLimits> = {},
  ) {
    this.#watches = rules.map((rule) => new Watch(rule, context.isThere, now))
    this.#single = this.#watches.filter(({ rule }) => rule.kind !== 'missing')
    this.#missing = new Missing(this.#watches, { ...USUAL_LIMITS, ...limits })
    this.#webhook = webhook === undefined ? undefined : webhookOutbox(webhook, context.log)
    this.#alertmanagers =
      alertmanagers.length === 0 ? undefined : new Alertmanagers(alertmanagers, context.log)
  }

  /**
   * Goes on where an earlier relay ended. Its receiver hears what it has not taken, and again what fires: `startsAt` tells. What
   * fired by a rule that is there no more is resolved. `api` is where the relay can be asked.
   */
  resume(memory: Memory, now: number, api?: string): void {
    this.#memory = memory
    this.#api = api && openable(api)
    const wall = this.context.wall()
    const { firing, untold } = memory.recall()
    const isUntold = new Set(untold.map(occasion))
    for (const change of untold) this.#send(change, before)
    for (const change of firing) {
      const { rule, value, startsAt } = change
      const watch = this.#watches.find((one) => isSameAlert(one.rule, rule))
      if (watch) {
        watch.resume(value, { since: now - (wall - startsAt), startsAt }, now)
        if (!isUntold.has(occasion(change))) this.#send(change, before)
      } else {
        const endsAt = Math.max(startsAt, wall)
        this.#send({ ...change, isFiring: false, isGone: true, endsAt, traces: [] }, before)
      }
    }
    this.#settle(now)
  }

  add(spans: readonly Span[], now: number): void {
    for (const span of spans) {
      for (const watch of this.#single) watch.add(span, now)
      this.#missing.add(span, now)
    }
  }

  due(now: number): void {
    this.#missing.due(now)
    for (const watch of this.#watches) for (const alert of watch.due(now)) this.#tell(alert)
    this.#alertmanagers?.due(now)
    this.#settle(now)
  }

  stats(now: number): AlertsStats {
    const { judged, givenUp, late, waiting } = this.#missing
    return {
      alerts: this.#watches.flatMap((watch) => this.#statusOf(watch, now)),
      fired: this.#fired,
      resolved: this.#resolved,
      missing: { judged, givenUp, late, waiting },
      ...(this.#webhook ? { webhook: this.#webhook.stats() } : {}),
      ...(this.#alertmanagers ? { alertmanagers: this.#alertmanagers.stats() } : {}),
    }
  }

  /** What is waiting to be told has some seconds to go. What fires goes on firing, as far as the webhook knows. */
  async close(): Promise<void> {
    const dropped = this.#webhook?.stats().dropped ?? 0
    await Promise.all([this.#webhook?.close(), this.#alertmanagers?.close()])
    // What is dropped now is the last of what waited: the next relay tells it.
    this.#memory?.settle((this.#webhook?.stats().dropped ?? 0) - dropped, Number.POSITIVE_INFINITY)
  }

  #tell(alert: Alert): void {
    const { rule, value, window } = alert
    const isFiring = alert.state === 'firing'
    if (isFiring) alert.startsAt = this.context.wall()
    const endsAt = Math.max(alert.startsAt, this.context.wall()) // the clock may have gone back
    if (isFiring) this.#fired++
    else this.#resolved++
    this.#send({
      ...{ rule, value, isFiring, amount: measured(alert), count: window.count },
      ...{ startsAt: alert.startsAt, endsAt, traces: window.examples() },
    })
  }

  #send(change: AlertChange, when = ''): void {
    this.#memory?.note(change)
    this.context.log(when + lineOf(change))
    const alert = postedAlertOf(change, this.#api)
    this.#webhook?.add([payloadOf(alert, this.#api)])
    this.#alertmanagers?.tell(alertName(change.rule, change.value), alert)
  }

  #settle(now: number): void {
    this.#memory?.settle(this.#webhook?.stats().waiting ?? 0, now)
  }

  /** One for each alert, and where none of a value is known yet, one for the rule. */
  #statusOf({ rule, alerts, since }: Watch, now: number): AlertStatus[] {
    const epoch = this.context.wall() - now
    const one = (
      alert: Pick<Alert, 'state' | 'since' | 'value'>,
      amount: number,
      count: number,
      traces: string[],
    ) => ({
      alert: rule.name,
      ...(alert.value === undefined ? {} : { by: { key: rule.by!, value: alert.value } }),
      ...(rule.labels ? { labels: rule.labels } : {}),
      ...{ state: alert.state, since: Math.round(alert.since + epoch) },
      ...{ kind: rule.kind, value: amount, threshold: rule.threshold },
      shown: {
        name: alertName(rule, alert.value),
        ...{ value: shownValue(rule, amount, count), threshold: amountOf(rule, rule.threshold) },
        measure: measureOf(rule),
      },
      ...{ windowMs: rule.windowMs, count, traces },
    })
    const all = [...alerts].map((alert) => {
      alert.window.pass(now)
      return one(alert, measured(alert), alert.window.count, alert.window.examples())
    })
    return all.length > 0 ? all : [one({ state: 'inactive', since, value: undefined }, 0, 0, [])]
  }
}
