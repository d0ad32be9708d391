// osd-spans.test.ts: spans out of what Ceph's OSDs tell of their operations: the words are those of a real one.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Followed } from '../examples/blockstore/src/osd-history.js'
import { OsdSpans, type TrackedOp } from '../examples/blockstore/src/osd-ops.js'
import { askDaemon } from '../examples/blockstore/src/osd-socket.js'
import { run } from './blockstore-harness.js'
import { folder, root } from './support/run.js'

const context = '00000000000000000123456789abcdef'
const note = `blkin.${context}.fedcba9876543210`

const op = (description: string): TrackedOp => ({
  description,
  initiated_at: '2026-11-25T17:45:34.349943+0000',
  duration: 0.000542537,
  type_data: {
    events: [
      { event: 'initiated', time: '2026-11-25T17:45:34.349943+0000' },
      { event: 'queued_for_pg', time: '2026-11-25T17:45:34.350001+0000' },
      { event: 'done', time: '2026-11-25T17:45:34.350485+0000' },
    ],
  },
})
const primary = (request: string, work = 'write 28672~4096', carried = note) =>
  op(
    `osd_op(${request} 1.1 1:8f2f5727:::disk.000000.fb88:head [rmxattr ${carried},${work}] snapc 0=[] ondisk+write+known_if_redirected e10)`,
  )
const replica = (request: string) =>
  op(`osd_repop(${request} 1.1 e10/8 1:8f2f5727:::disk.000000.fb88:head v 10'1, mlcod=0'0)`)
const request = 'client.4138.0:11'

test('an operation with a context is a span of its parent, with what its OSD says of its queues', () => {
  const [span] = new OsdSpans('ab12cd34').take('osd.0', [primary(request)])
  expect(span).toEqual({
    traceId: context,
    parentId: 'fedcba9876543210',
    id: expect.stringMatching(/^[0-9a-f]{16}$/),
    kind: 'SERVER',
    name: 'write',
    timestamp: Date.UTC(2026, 10, 25, 17, 45, 34, 349) * 1000 + 943,
    duration: 543,
    localEndpoint: { serviceName: 'osd.0' },
    annotations: [{ value: 'queued_for_pg', timestamp: Date.UTC(2026, 10, 25, 17, 45, 34, 350) * 1000 + 1 }],
    tags: {
      object: 'disk.000000.fb88',
      pg: '1.1',
      request,
      ops: 'write 28672~4096',
      'blkin.host': 'ab12cd34',
    },
  })
})

test('a replica is a part of its primary, whichever of them is told first', () => {
  const spans = new OsdSpans('ab12cd34')
  expect(spans.take('osd.1', [replica(request)])).toEqual([])
  const [first, second, ...others] = spans.take('osd.0', [primary(request)])
  expect([second!.name, second!.parentId, second!.localEndpoint]).toEqual([
    'replicate',
    first!.id,
    { serviceName: 'osd.1' },
  ])
  expect(others).toEqual([])
  const [third] = spans.take('osd.2', [replica(request)])
  expect([third!.parentId, third!.traceId]).toEqual([first!.id, context])
  expect(new Set([first, second, third].map((span) => span!.id)).size).toBe(3)
})

test('told twice, it is the same span', () => {
  const [one] = new OsdSpans('ab12cd34').take('osd.0', [primary(request)])
  const [two] = new OsdSpans('ab12cd34').take('osd.0', [primary(request)])
  expect(two).toEqual(one)
})

test('what has no context, or a spoilt one, is not ours', () => {
  const foreign = [
    op('osd_op(client.4138.0:11 1.1 1:8f2f5727:::a:head [write 0~1] snapc 0=[] ondisk+write e10)'),
    op('osd_repop_reply(client.4120.0:1 1.7 e10/8 ondisk, result = 0)'),
    primary(request, 'write 0~1', 'blkin.short.fedcba9876543210'),
    primary(request, 'write 0~1', `other.${context}.fedcba9876543210`),
    op(''),
  ]
  expect(new OsdSpans('ab12cd34').take('osd.0', foreign)).toEqual([])
})

/** An admin socket. */
async function listening(
  file: string,
  answer: (socket: net.Socket, question: Buffer) => void,
): Promise<void> {
  const server = net.createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (question) => answer(socket, question))
  })
  server.listen(file)
  await once(server, 'listening')
  onTestFinished(() => void server.close())
}

/** One that answers with these bytes. */
async function answering(bytes: Buffer): Promise<string> {
  const file = path.join(folder(), 'a.asok')
  await listening(file, (socket) => socket.end(bytes))
  return file
}

const framed = (text: string, length = Buffer.byteLength(text)) => {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(length)
  return Buffer.concat([head, Buffer.from(text)])
}

test.each([
  ['nothing', Buffer.alloc(0), /an answer of 0 bytes is cut short/],
  ['half of it', framed('{"ops": [', 100), /an answer of 13 bytes is cut short/],
  ['something else', framed('not JSON'), /JSON/],
])('an OSD that answers %s is told', async (_, bytes, words) => {
  await expect(askDaemon(await answering(bytes), { prefix: 'help' })).rejects.toThrow(words)
})

test('an OSD whose operations are strange is told of once, while it stays so, and what can be read of them is', async () => {
  const answer = framed(JSON.stringify({ ops: [{ strange: 1 }, primary(request)] }))
  const told: string[] = []
  const osd = new Followed(await answering(answer), (text) => told.push(text))
  const news = [await osd.news(), await osd.news(), await osd.news()]
  expect(news.map((ops) => ops.length)).toEqual([1, 0, 0])
  expect(told).toEqual(['a: operations that are not as those of Ceph 16: {"strange":1}'])
})

test('an answer is read whole', async () => {
  const answer = { ops: Array.from({ length: 20_000 }, (_, i) => primary(`client.1.0:${i}`)) }
  expect(await askDaemon(await answering(framed(JSON.stringify(answer))), { prefix: 'help' })).toEqual(answer)
})

test.each([
  [[], /expected the admin sockets of OSDs/],
  [['a.asok'], /expected --scribe, --zipkin or --otlp/],
  [['--zipkin', 'ftp://x', 'a.asok'], /ftp/],
  [['--nope'], /--nope/],
])('%s is refused with the usage', async (args, words) => {
  const script = path.join(root, 'examples/blockstore/dist/osd-spans.js')
  const failed = await run(process.execPath, [script, ...args]).catch((error) => error)
  expect(failed.code).toBe(2)
  expect(failed.stderr).toMatch(words)
  expect(failed.stderr).toContain('Usage: osd-spans.js')
})

test('an OSD that hangs keeps nobody from the others', { timeout: 30_000 }, async () => {
  const dir = folder()
  /** Answers that there is nothing; `isHung` sees how often it was asked for operations, and says whether to answer. */
  const osd = async (name: string, isHung: (asked: number) => boolean) => {
    let asked = 0
    await listening(path.join(dir, `${name}.asok`), (socket, question) => {
      if (question.includes('dump_historic_ops') && isHung(++asked)) return
      socket.end(framed('{"ops": []}'))
    })
    return () => asked
  }
  const [well, hung] = [await osd('osd.0', () => false), await osd('osd.1', (asked) => asked > 1)]
  const script = path.join(root, 'examples/blockstore/dist/osd-spans.js')
  const sockets = ['osd.0', 'osd.1'].map((name) => path.join(dir, `${name}.asok`))
  const following = spawn(process.execPath, [script, '--zipkin', '127.0.0.1:9', ...sockets], {
    stdio: 'ignore',
  })
  onTestFinished(async () => {
    following.kill('SIGKILL')
    if (following.exitCode === null && following.signalCode === null) await once(following, 'exit')
  })
  await expect.poll(hung, { timeout: 20_000 }).toBe(2)
  const before = well()
  await expect.poll(well, { timeout: 20_000 }).toBeGreaterThanOrEqual(before + 2)
  expect(hung(), 'it has not even been given up').toBe(2)
})
