// relay/test/client.ts: a traced process as the relay sees it, on Apache's own client and connection.
// Tests use it; it checks nothing, so that a test can say wrong things too.

import { randomBytes } from 'node:crypto'
import { i64, service, types } from '../src/protocol/wire.js'
import { apache } from './apache.js'

const { Type, Shape } = types

export type Client = Awaited<ReturnType<typeof connect>>

export async function connect(address: string) {
  const [host, port] = address.split(':') as [string, string]
  const connection = apache.createConnection(host, Number(port), {
    transport: apache.TFramedTransport,
    protocol: apache.TBinaryProtocol,
  })
  const calls = apache.createClient(service.Client, connection) as InstanceType<typeof service.Client>
  const closed = new Promise<void>((resolve) => connection.connection.on('close', () => resolve()))
  const failed = new Promise<never>((_, reject) => {
    connection.on('error', reject)
    connection.connection.on('close', () => reject(new Error('closed by the relay')))
  })
  failed.catch(() => {})
  const orFail = <T>(answer: Promise<T>) => Promise.race([answer, failed])
  return {
    closed,
    end: () => connection.end(),
    socket: connection.connection,
    hello: (hello = makeHello()) => orFail(calls.hello(hello)),
    declare: (tracepoints: unknown[]) => orFail(calls.declareTracepoints(tracepoints as never)),
    enabled: (enabled: object) => orFail(calls.enabled(new types.Enabled(enabled as never))),
    put: (put: ReturnType<typeof makePut>) => orFail(calls.put(put)),
    rules: (known: number, waitMs: number) => orFail(calls.rules(i64(known), waitMs)),
  }
}

export function makeHello(changes: Record<string, unknown> = {}) {
  return new types.Hello({
    version: 1,
    uuid: randomBytes(16),
    pid: 4711,
    startedAt: i64(1_700_000_000_000_000_000n),
    hostname: 'host',
    program: 'node',
    clock: new types.Clock({ bootId: Buffer.alloc(16, 7), offset: i64(1_700_000_000_123_456_789n) }),
    ack: types.Ack.WRITTEN,
    ...changes,
  } as never)
}

export function makePut(
  stream: number,
  sequence: number,
  packets: Buffer,
  changes: Record<string, unknown> = {},
) {
  const lost = { noRoom: i64(0), tooBig: i64(0), badValue: i64(0), noRing: i64(0) }
  return new types.Put({
    stream,
    sequence: i64(sequence),
    position: i64(sequence * 4096),
    events: 1,
    lost: new types.Lost(lost),
    packets,
    ...changes,
  } as never)
}

export function field(name: string, type: number, changes: Record<string, unknown> = {}) {
  return new types.Field({ name, type, shape: Shape.SCALAR, ...changes } as never)
}

export function tracepoint(id: number, name: string, fields = [field('n', Type.U32)], level = 6) {
  const [provider, event] = name.split(':') as [string, string]
  return new types.Tracepoint({ id, provider, event, level, fields })
}
