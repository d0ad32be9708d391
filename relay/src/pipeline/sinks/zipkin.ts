// relay/src/pipeline/sinks/zipkin.ts: spans to a server that speaks Zipkin's HTTP API: Zipkin, a collector, another relay.

import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { isSame, parseAddress } from '../../protocol/address.js'
import type { Batch, Transport } from '../delivery/outbox.js'
import { httpTarget, post, type Target } from '../delivery/post.js'

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

/** @throws TypeError where what listens for spans would send them to itself */
export function checkOther(listen: string, target: string): void {
  const { origin, protocol, hostname, port } = httpTarget(target, '/').url
  const host = hostname.replace(/^\[|\]$/g, '')
  const usual = protocol === 'https:' ? 443 : 80
  if (isSame(parseAddress(listen, 'http'), { host, port: Number(port || usual) }))
    throw new TypeError(
      `http listens on "${listen}" and zipkin is "${origin}"; expected another server than itself`,
    )
}
