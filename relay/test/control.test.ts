// relay/test/control.test.ts: what a controller sees of a traced process: plain answers, refusals, and silence.
// The process is Apache's own server with the answers of the test, on a unix socket.

import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { ConnectionError, connectControl, Refusal } from '../src/index.js'
import { control, i64, types } from '../src/protocol/wire.js'
import { apache } from './apache.js'
import { field, tracepoint } from './client.js'
import { folder } from './helpers.js'

const listening = (server: Server, path: string) =>
  new Promise<string>((resolve) => {
    onTestFinished(() => void server.close())
    server.listen(path, () => resolve(path))
  })

const socketPath = () => join(folder(), 'control')

function peer(handler: Record<string, (...args: never[]) => unknown>): Promise<string> {
  const server = apache.createServer(control.Processor as never, handler as never, {
    transport: apache.TFramedTransport,
    protocol: apache.TBinaryProtocol,
  })
  return listening(server as unknown as Server, socketPath())
}

/** A socket that takes what comes and does with it what the test says. */
function dumb(onConnection: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    onTestFinished(() => void socket.destroy())
    onConnection(socket)
  })
  return listening(server, socketPath())
}

const wireSession = () =>
  new types.SessionState({
    spec: new types.SessionSpec({
      name: 'default',
      relay: '127.0.0.1:4650',
      ack: types.Ack.SYNCED,
      channel: new types.Channel({
        subBufferBytes: i64(2 ** 20),
        subBuffers: 4,
        mode: types.Mode.BLOCK,
        blockMs: 7,
      }),
      contexts: ['tid'],
      attached: false,
    }),
    uuid: Buffer.from('00112233445566778899aabbccddeeff', 'hex'),
    ...{ relayState: 'connected', relayError: '', events: i64(2 ** 40), bytesSent: i64(12) },
    lost: new types.Lost({ noRoom: i64(1), tooBig: i64(0), badValue: i64(0), noRing: i64(0) }),
    rules: [
      new types.Rule({
        ...{ id: 3, on: true, pattern: 'a:*', exclude: ['a:b'], level: 6, exactly: false },
        ...{ sample: new types.Sample({ keep: 1, of: 100 }), origin: types.Origin.STANDING, target: 'no*' },
        filter: new types.Filter({ text: 'n > 1' }),
      }),
    ],
    enabled: 2,
    ringBytes: i64(4096),
  })

test('the state of a process comes as plain objects, with nothing rounded and nothing of the wire', async () => {
  const startedAt = 1_700_000_000_123_456_789n
  const path = await peer({
    process: () =>
      new types.ProcessState({
        ...{ pid: 42, program: 'server', startedAt: i64(startedAt), hostname: 'h', version: '0.1.0' },
        ...{ tracepoints: 9, sessions: [wireSession()] },
        contexts: [new types.Field({ name: 'mood', type: types.Type.U8, shape: types.Shape.SCALAR })],
      }),
  })
  const traced = await connectControl(path)
  expect(await traced.process()).toEqual({
    ...{ pid: 42, program: 'server', startedAt, hostname: 'h', version: '0.1.0', tracepoints: 9 },
    sessions: [
      {
        spec: {
          ...{ name: 'default', relay: '127.0.0.1:4650', ack: 'synced', contexts: ['tid'], attached: false },
          channel: { subBufferBytes: 2 ** 20, subBuffers: 4, mode: 'block', blockMs: 7 },
        },
        uuid: '00112233-4455-6677-8899-aabbccddeeff',
        ...{ relayState: 'connected', relayError: '', events: 2 ** 40, bytesSent: 12 },
        lost: { noRoom: 1, tooBig: 0, badValue: 0, noRing: 0, overwritten: 0, unstored: 0 },
        rules: [
          {
            ...{ id: 3, on: true, pattern: 'a:*', exclude: ['a:b'], level: 6, exactly: false },
            ...{ sample: { keep: 1, of: 100 }, origin: 'standing', target: 'no*' },
            filter: 'n > 1',
          },
        ],
        ...{ enabled: 2, ringBytes: 4096 },
      },
    ],
    contexts: [{ name: 'mood', type: 1 }],
  })
  traced.close()
})

test('what is asked arrives whole, and the answers of calls in flight find their way', async () => {
  const asked: unknown[] = []
  const path = await peer({
    openSession: (spec: unknown) => {
      asked.push(spec)
      return wireSession()
    },
    enable: (session: string, rule: unknown, misfits: unknown) => {
      asked.push(session, rule, misfits)
      return new types.Changed({ rule: 5, covered: 3, enabled: 2, unfit: ['a:b: no field "n"'] })
    },
    closeSession: (name: string, _ms: number) =>
      new types.Closed({ last: wireSession(), delivered: name === 'x' }),
    flush: (_name: string, ms: number) => ms === 10,
  } as never)
  const traced = await connectControl(path)
  const spec = {
    ...{ name: 'x', token: 't', ack: 'written' as const, contexts: ['tid', 'span'], attached: true },
    channel: { subBufferBytes: 8192, subBuffers: 2, mode: 'overwrite' as const },
  }
  const [opened, changed, closed, flushed] = await Promise.all([
    traced.openSession(spec),
    traced.enable('x', { pattern: 'a:*', level: 6, filter: 'n' }, [{ tracepoint: 4, why: 'no n' }]),
    traced.closeSession('x', 50),
    traced.flush('x', 10),
  ])
  expect([opened.spec.name, closed.delivered, closed.last.uuid, flushed]).toEqual([
    ...['default', true, '00112233-4455-6677-8899-aabbccddeeff', true],
  ])
  expect(changed).toEqual({ rule: 5, covered: 3, enabled: 2, unfit: ['a:b: no field "n"'] })
  expect(asked[0]).toMatchObject({ name: 'x', token: 't', relay: null, ack: 1, attached: true })
  expect(asked[0]).toMatchObject({ channel: { subBuffers: 2, mode: 2, blockMs: null } })
  const asWire = { id: 0, on: true, pattern: 'a:*', exclude: [], level: 6, exactly: false, origin: 2 }
  expect(asked.slice(1, 3)).toMatchObject(['x', { ...asWire, sample: null, target: null }])
  expect(asked[2]).toMatchObject({ filter: { text: 'n' } })
  expect(asked[3]).toMatchObject([{ tracepoint: 4, why: 'no n' }])
  traced.close()
})

test('all tracepoints come, page by page, as the reader knows them', async () => {
  const { Type, Shape } = types
  const labels = [new types.Label({ name: 'r', value: i64(-3) })]
  const fields = [
    field('ok', Type.BOOL),
    field('op', Type.ENUM, { container: Type.I32, labels }),
    field('raw', Type.BYTES),
    field('four', Type.F64, { shape: Shape.ARRAY, length: 4 }),
    field('names', Type.STRING, { shape: Shape.SEQUENCE }),
  ]
  const on = [new types.On({ session: 'default', rule: 1 })]
  const states = [0, 1, 2].map(
    (id) => new types.TracepointState({ tracepoint: tracepoint(id, `p:e${id}`, fields), on }),
  )
  const path = await peer({
    tracepoints: (first: number) =>
      new types.TracepointStates({ tracepoints: states.slice(first, first + 2), total: 3 }),
  } as never)
  const traced = await connectControl(path)
  const all = await traced.tracepoints()
  expect(all.map(({ tracepoint }) => tracepoint.event)).toEqual(['e0', 'e1', 'e2'])
  expect(all[2]).toEqual({
    tracepoint: {
      ...{ id: 2, provider: 'p', event: 'e2', level: 6 },
      fields: [
        { name: 'ok', type: 'u8', labels: [['false', 0], ['true', 1]] }, // biome-ignore format: a table of two
        { name: 'op', type: 'i32', labels: [['r', -3]] },
        { name: 'raw', type: 'bytes' },
        { name: 'four', type: 'f64', length: 4 },
        { name: 'names', type: 'string', length: 'counted' },
      ],
    },
    on: [{ session: 'default', rule: 1 }],
  })
  traced.close()
})

test('a page that brings nothing before the total ends the connection, not the patience', async () => {
  const path = await peer({
    tracepoints: (_first: number) => new types.TracepointStates({ tracepoints: [], total: 3 }),
  } as never)
  const traced = await connectControl(path)
  await expect(traced.tracepoints()).rejects.toThrow(/3 tracepoints were promised and only 0 came/)
  traced.close()
})

test('a refusal is an error with its reason, and the connection lives on', async () => {
  const path = await peer({
    disable: async (session: string, _pattern: string) => {
      throw new types.Refused({ reason: types.Refusal.NO_SESSION, message: `no session "${session}"` })
    },
    flush: (_session: string, _ms: number) => true,
  } as never)
  const traced = await connectControl(path)
  const failed = await traced.disable('x', 'a:*').catch((error) => error)
  expect(failed).toBeInstanceOf(Refusal)
  expect(failed).toMatchObject({ reason: 'NO_SESSION', message: 'no session "x"', code: 'ERR_BLKIN_REFUSED' })
  expect(await traced.flush('x', 1)).toBe(true)
  traced.close()
})

test('nobody at the socket, and nobody any more, are told with the path', async () => {
  const path = socketPath()
  await expect(connectControl(path)).rejects.toMatchObject({
    code: 'ERR_BLKIN_AWAY',
    message: `${path}: no such socket`,
  })
  const leaving = await dumb((socket) => socket.on('data', () => socket.destroy()))
  const traced = await connectControl(leaving)
  const failed = await traced.process().catch((error) => error)
  expect(failed).toBeInstanceOf(ConnectionError)
  expect(failed).toMatchObject({
    code: 'ERR_BLKIN_AWAY',
    message: expect.stringContaining('other side has gone'),
  })
  await traced.closed
  await expect(traced.process(), 'and later calls fail at once').rejects.toBe(failed)
})

test('a connection that is reset fails the call, and nothing else', async () => {
  // What was sent is unread when this side closes, so the kernel resets.
  const server = createServer({ pauseOnConnect: true }, (socket) => setTimeout(() => socket.destroy(), 100))
  const path = await listening(server, socketPath())
  const traced = await connectControl(path)
  await expect(traced.process()).rejects.toMatchObject({ code: 'ERR_BLKIN_AWAY' })
  await expect(traced.closed).resolves.toBeUndefined()
})

test('a process that does not answer is given up after 5 s and what the call may take', async () => {
  const path = await dumb((socket) => socket.resume())
  const traced = await connectControl(path)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const flushed = traced.flush('x', 1000)
    const settled = vi.fn()
    flushed.catch(settled)
    vi.advanceTimersByTime(5999)
    await new Promise((resolve) => setImmediate(resolve))
    expect(settled).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    await expect(flushed).rejects.toMatchObject({
      code: 'ERR_BLKIN_SILENT',
      message: `${path}: no answer within 6 s`,
    })
  } finally {
    vi.useRealTimers()
  }
  await traced.closed
})

const garbage: [string, Buffer, RegExp][] = [
  ['a length of 2 GiB', Buffer.from([0x7f, 0xff, 0xff, 0xff]), /no answer: frame length is 2147483647/],
  [
    'a frame that is no message',
    Buffer.from([0, 0, 0, 4, 1, 2, 3, 4]),
    /no answer: .*No protocol version header/,
  ],
  [
    'an answer to another call',
    Buffer.from([0, 0, 0, 13, 0x80, 1, 0, 2, 0, 0, 0, 1, 0x78, 0, 0, 0, 1]),
    /an answer to "x", which was not asked/,
  ],
]

for (const [name, bytes, message] of garbage) {
  test(`${name} is told as no answer, and ends the connection`, async () => {
    const path = await dumb((socket) => socket.on('data', () => socket.write(bytes)))
    const traced = await connectControl(path)
    await expect(traced.process()).rejects.toThrow(message)
    await traced.closed
  })
}
