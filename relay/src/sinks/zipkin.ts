// relay/src/sinks/zipkin.ts: spans to a server that speaks Zipkin's HTTP API: Zipkin, a collector, another relay.

import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Batch, Transport } from './outbox.js'
import { httpTarget, post, type Target } from './post.js'

const pack = promisify(gzip)

export class ZipkinTransport implements Transport {
  readonly name: string
  readonly #target: Target

  /** @throws TypeError naming what was given */
  constructor(target: string) {
    this.#target = httpTarget(target, '/api/v2/spans')
    this.name = `zipkin ${this.#target.url.origin}`
  }

  async send({ json }: Batch, signal: AbortSignal): Promise<number> {
    const body = await pack(Buffer.concat([open, json, close]), { level: 1 })
    await post(this.#target, { 'content-type': 'application/json', 'content-encoding': 'gzip' }, body, signal)
    return 0
  }
}

const open = Buffer.from('[')
const close = Buffer.from(']')
