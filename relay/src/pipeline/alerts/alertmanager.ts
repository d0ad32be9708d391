// relay/src/pipeline/alerts/alertmanager.ts: alerts to Prometheus' Alertmanager, or to each of several that are one cluster: they tell each other
// what was sent on, but not what came. An Alertmanager forgets what it is not told again, so what fires is, once a minute; and with an
// end that moves on, so that what nobody tells any more, because its relay has gone, is resolved.

import { type Batch, Outbox, type OutboxStats, type Transport, usualLimits } from '../delivery/outbox.js'
import { httpTarget, post, type Target } from '../delivery/post.js'
import type { PostedAlert } from './payload.js'

const RESEND_MS = 60_000
/** As Prometheus has it: three may be lost on the way. */
const ENDS_MS = 4 * RESEND_MS
/** Two changes of each alert that there can be, of 6 KiB. */
const MOST_BYTES = 32 * 2 ** 20
const path = '/api/v2/alerts'

export class Alertmanagers {
  readonly #outboxes: Outbox<PostedAlert>[]
  /** By the alert's name. */
  readonly #firing = new Map<string, PostedAlert>()
  #resent = Number.NEGATIVE_INFINITY

  /** @throws TypeError naming what was given */
  constructor(targets: readonly string[], log: (line: string) => void) {
    const transports = targets.map((target) => new AlertmanagerTransport(target))
    for (const [i, { name }] of transports.entries()) {
      if (transports.findIndex((one) => one.name === name) < i)
        throw new TypeError(`${name} is given twice; expected each once`)
    }
    const limits = { ...usualLimits, most: MOST_BYTES }
    this.#outboxes = transports.map((transport) => new Outbox(transport, log, limits))
  }

  tell(name: string, alert: PostedAlert): void {
    if (alert.endsAt === undefined) this.#firing.set(name, alert)
    else this.#firing.delete(name)
    for (const outbox of this.#outboxes) outbox.add([alert])
  }

  /** Tells again what fires; not to who has not taken what was told before. */
  due(now: number): void {
    if (now - this.#resent < RESEND_MS) return
    this.#resent = now
    const alerts = [...this.#firing.values()]
    for (const outbox of this.#outboxes) if (outbox.stats().waiting === 0) outbox.add(alerts)
  }

  stats(): OutboxStats[] {
    return this.#outboxes.map((outbox) => outbox.stats())
  }

  async close(): Promise<void> {
    await Promise.all(this.#outboxes.map((outbox) => outbox.close()))
  }
}

class AlertmanagerTransport implements Transport {
  readonly name: string
  readonly words = { one: 'an alert', many: 'alerts' }
  readonly #target: Target

  constructor(target: string) {
    this.#target = httpTarget(target, '/', 'alertmanager', 'a URL such as http://127.0.0.1:9093')
    const { url } = this.#target
    const prefix = url.pathname.replace(new RegExp(`(${path})?/?$`), '')
    url.pathname = prefix + path
    this.name = `alertmanager ${url.origin}${prefix}`
  }

  async send({ json }: Batch, signal: AbortSignal): Promise<number> {
    const later = new Date(Date.now() + ENDS_MS).toISOString()
    const alerts = (JSON.parse(`[${json}]`) as PostedAlert[]).map((alert) => ({ endsAt: later, ...alert }))
    await post(
      this.#target,
      { 'content-type': 'application/json' },
      Buffer.from(JSON.stringify(alerts)),
      signal,
    )
    return 0
  }
}
