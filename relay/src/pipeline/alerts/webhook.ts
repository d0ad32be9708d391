// relay/src/pipeline/alerts/webhook.ts: what an alert becomes, to whom it is told: one POST for each change, in the order in which they
// came. The outbox before it keeps what waits while the other side is away.

import { type Batch, Outbox, type Transport, usualLimits } from '../delivery/outbox.js'
import { httpTarget, post, type Target } from '../delivery/post.js'

/** Two changes of each alert that there can be, of 6 KiB. */
const MOST_BYTES = 32 * 2 ** 20

/** @throws TypeError naming what was given */
export function webhookOutbox(target: string, log: (line: string) => void): Outbox<object> {
  const limits = { ...usualLimits, most: MOST_BYTES, batch: 1, linger: 0 } // a batch of one, however large
  return new Outbox(new WebhookTransport(target), log, limits)
}

class WebhookTransport implements Transport {
  readonly name: string
  readonly words = { one: 'an alert', many: 'alerts' }
  readonly #target: Target

  constructor(target: string) {
    this.#target = httpTarget(
      target,
      '/',
      'webhook',
      'a URL of a receiver, such as http://127.0.0.1:9095/alerts',
    )
    this.name = `webhook ${this.#target.url.origin}` // paths of webhooks are secrets, some of them
  }

  async send({ json }: Batch, signal: AbortSignal): Promise<number> {
    await post(this.#target, { 'content-type': 'application/json' }, json, signal)
    return 0
  }
}
