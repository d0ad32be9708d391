// relay/src/sinks/scribe.ts: spans to a Scribe server in Zipkin's way: the category zipkin, one span a message, as base64 of its
// struct in Zipkin's first format. A Zipkin server with its Scribe collector takes them, or a scribed on the way to one.

import { Caller } from '../control/caller.js'
import { parseAddress } from '../intake/address.js'
import { scribe, scribeTypes } from '../wire.js'
import { type Batch, spansOf, type Transport } from './outbox.js'
import { v1Bytes } from './v1.js'

const category = 'zipkin'

type Client = InstanceType<typeof scribe.Client>

export class ScribeTransport implements Transport {
  readonly name: string
  readonly #where: { host: string; port: number }
  #caller: Caller<Client> | undefined

  /** @throws TypeError naming what was given */
  constructor(readonly address: string) {
    this.#where = parseAddress(address, 'scribe')
    this.name = `scribe ${address}`
  }

  async send(batch: Batch, signal: AbortSignal): Promise<number> {
    const messages = spansOf(batch).map((span) => {
      const message = Buffer.from(v1Bytes(span).toString('base64'))
      return new scribeTypes.LogEntry({ category, message })
    })
    this.#caller ??= await Caller.open<Client>(this.address, this.#where, scribe.Client, { strict: false })
    const stop = () => this.close()
    signal.addEventListener('abort', stop, { once: true })
    try {
      const result = await this.#caller.call((client) => client.Log(messages))
      if (result !== scribeTypes.ResultCode.OK) throw new Error('it says TRY_LATER')
      return 0
    } catch (error) {
      this.close() // the next attempt begins anew
      throw error
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  close(): void {
    this.#caller?.close()
    this.#caller = undefined
  }
}
