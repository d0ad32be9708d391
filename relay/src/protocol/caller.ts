// relay/src/protocol/caller.ts: one connection of a controller: calls out, answers in, each within its time.
// connect.ts makes one and calls through it; reading and writing are Apache's runtime and the code it generated.
// Whatever the other side sends costs at most one frame of memory; whatever it does not send costs at most the time.
// Any failure but a refusal ends the connection, and every call in flight with it.

import { once } from 'node:events'
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { ConnectionError, Refusal } from './errors.js'
import { FrameSplitter } from './frames.js'
import { StrictReader } from './strict-reader.js'
import { thrift, types } from './wire.js'

/** For the connection to stand, and for an answer on top of what the call itself may wait. */
const PATIENCE_MS = 5_000

/** All tracepoints of a process, which a relay tells in one answer. */
const MOST_ANSWER = 64 * 2 ** 20

/** Whether the other side's answers must be in the strict binary protocol. Calls are. */
interface Protocol {
  strict: boolean
}

type Received = Record<string, (input: unknown, type: number, id: number) => void>

export class Caller<Client extends object> {
  readonly closed: Promise<void>
  readonly #client: Client
  readonly #flying = new Set<(error: Error) => void>()
  #failed: ConnectionError | undefined

  private constructor(
    readonly address: string,
    readonly socket: Socket,
    Client: new (output: never, protocol: never) => Client,
    readonly protocol: Protocol,
  ) {
    const output = new thrift.TFramedTransport(undefined, (frame) => void socket.write(frame!))
    this.#client = new Client(output as never, thrift.TBinaryProtocol as never)
    const frames = new FrameSplitter(MOST_ANSWER)
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const frame of frames.push(chunk)) this.#received(frame)
      } catch (error) {
        this.#fail('ERR_BLKIN_ANSWER', `what came is no answer: ${(error as Error).message}`)
      }
    })
    socket.on('error', (error) => this.#fail('ERR_BLKIN_AWAY', `the connection broke: ${error.message}`))
    // Not once() of node:events: it rejects where the connection is reset, and who waits for nothing hears of it.
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#fail('ERR_BLKIN_AWAY', 'the other side has gone')
        resolve()
      })
    })
  }

  static async open<Client extends object>(
    address: string,
    where: NetConnectOpts,
    Client: new (output: never, protocol: never) => Client,
    protocol: Protocol = { strict: true },
  ): Promise<Caller<Client>> {
    const socket = connect(where)
    try {
      await once(socket, 'connect', { signal: AbortSignal.timeout(PATIENCE_MS) })
    } catch (error) {
      socket.on('error', () => {}).destroy()
      throw whyNot(address, error as NodeJS.ErrnoException)
    }
    return new Caller(address, socket, Client, protocol)
  }

  /** `waitMs` is how long the other side may take of its own accord; where it is Infinity, who calls ends it by close(). */
  async call<T>(make: (client: Client) => Promise<T>, waitMs = 0): Promise<T> {
    if (this.#failed) throw this.#failed
    const answer = make(this.#client) // throws at once where an argument is none; then nothing was sent
    let late: NodeJS.Timeout | undefined
    let fail: (error: Error) => void
    const failed = new Promise<never>((_, reject) => {
      fail = reject
      this.#flying.add(fail)
      const ms = waitMs + PATIENCE_MS
      const stop = () => this.#fail('ERR_BLKIN_SILENT', `no answer within ${ms / 1000} s`)
      if (ms < Infinity) late = setTimeout(stop, ms)
    })
    try {
      return await Promise.race([answer, failed])
    } catch (error) {
      if (error instanceof types.Refused)
        throw new Refusal(types.Refusal[error.reason] as keyof typeof types.Refusal, error.message)
      this.#fail('ERR_BLKIN_ANSWER', whyNoAnswer(error))
      throw this.#failed
    } finally {
      clearTimeout(late)
      this.#flying.delete(fail!)
    }
  }

  close(): void {
    this.#fail('ERR_BLKIN_AWAY', 'closed by this side')
  }

  #received(frame: Buffer): void {
    const input = new StrictReader(frame, this.protocol.strict)
    const { fname, mtype, rseqid } = input.readMessageBegin()
    const client = this.#client as unknown as Received
    const receive = Object.hasOwn(Object.getPrototypeOf(client), `recv_${fname}`) && client[`recv_${fname}`]
    if (!receive) throw new Error(`an answer to "${fname.slice(0, 40)}", which was not asked`)
    receive.call(client, input, mtype, rseqid)
  }

  #fail(code: ConnectionError['code'], message: string): void {
    this.#failed ??= new ConnectionError(code, this.address, message)
    for (const fail of this.#flying) fail(this.#failed)
    this.#flying.clear()
    this.socket.destroy()
  }
}

/** The generated client rejects with a bare text where an answer is empty. */
function whyNoAnswer(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { TApplicationException, TApplicationExceptionType } = thrift.Thrift
  return error instanceof TApplicationException && error.code === TApplicationExceptionType.UNKNOWN_METHOD
    ? `it is a Thrift server of another kind (${error.message})`
    : error.message
}

function whyNot(address: string, error: NodeJS.ErrnoException): ConnectionError {
  if (error.code === 'EACCES' || error.code === 'EPERM')
    return new ConnectionError('ERR_BLKIN_DENIED', address, 'not allowed: it belongs to another user')
  if (error.code === 'ABORT_ERR')
    return new ConnectionError('ERR_BLKIN_SILENT', address, `no connection within ${PATIENCE_MS / 1000} s`)
  const words: Record<string, string> = { ENOENT: 'no such socket', ECONNREFUSED: 'nobody listens there' }
  return new ConnectionError('ERR_BLKIN_AWAY', address, words[error.code ?? ''] ?? error.message)
}
