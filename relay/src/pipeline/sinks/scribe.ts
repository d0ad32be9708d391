// relay/src/pipeline/sinks/scribe.ts: spans to a Scribe server in Zipkin's way: the category zipkin, one span a message, as base64 of its
// struct in Zipkin's first format. A Zipkin server with its Scribe collector takes them, or a scribed on the way to one.

import { parseAddress } from '../../protocol/address.js'
import { Caller } from '../../protocol/caller.js'
import { THRIFT_FRAME } from '../../protocol/frames.js'
import { scribe, scribeTypes } from '../../protocol/wire.js'
import { v1Bytes, v1Size } from '../../spans/formats/to-v1.js'
import { type Batch, made, NotTaken, spansOf, type Transport } from '../delivery/outbox.js'

const category = 'zipkin'
/** Of a frame beside its messages: the call with its name, the list, an end. */
const AROUND = 15 + 3 + 5 + 1
/** Of a message beside its text: its category, and what begins and ends each. */
const AROUND_MESSAGE = 3 + 4 + category.length + 3 + 4 + 1

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
    const messages = made(() => messagesOf(batch))
    this.#caller ??= await Caller.open<Client>(this.address, this.#where, scribe.Client, { strict: false })
    const stop = () => this.close()
    signal.addEventListener('abort', stop, { once: true })
    try {
      signal.throwIfAborted() // while it connected
      const result = await this.#caller.call((client) => client.Log(messages), Infinity)
      if (result !== scribeTypes.ResultCode.OK) throw new Error('it says TRY_LATER')
      return 0
    } catch (error) {
      this.close() // the next attempt begins anew
      throw signal.aborted ? signal.reason : error
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  close(): void {
    this.#caller?.close()
    this.#caller = undefined
  }
}

/** @throws NotTaken where they fit no frame: the other side would end the connection, each time */
function messagesOf(batch: Batch): InstanceType<typeof scribeTypes.LogEntry>[] {
  const spans = spansOf(batch)
  let bytes = AROUND
  for (const span of spans) bytes += AROUND_MESSAGE + Math.ceil(v1Size(span) / 3) * 4
  if (bytes > THRIFT_FRAME)
    throw new NotTaken(`it makes a frame of ${bytes} bytes; expected at most ${THRIFT_FRAME}`)
  return spans.map((span) => {
    const message = Buffer.from(v1Bytes(span).toString('base64'))
    return new scribeTypes.LogEntry({ category, message })
  })
}
