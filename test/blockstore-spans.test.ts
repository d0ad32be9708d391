// blockstore-spans.test.ts: one request of a block device as one trace through three processes, as the relay tells it.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Relay, startRelay } from '@blkin/relay'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { NbdClient } from '../examples/blockstore/src/nbd-client.js'
import { OBJECT_SIZE } from '../examples/blockstore/src/object-store.js'
import { hasTool, MAIN, run, type ServerProcess, startServerIn, storePids } from './blockstore-harness.js'
import { outline, tracesAt } from './support/spans.js'

let dir: string
let relay: Relay
let server: ServerProcess
let uri: string

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'blockstore-spans-'))
  const tracing = { listen: '127.0.0.1:0' }
  relay = await startRelay({ listen: '127.0.0.1:0', output: path.join(dir, 'traces'), tracing })
  const env = {
    ...process.env,
    BLKIN_RELAY: relay.address,
    BLKIN_ENABLE: 'blkin:*',
    BLKIN_NAME: 'blockstore',
  }
  const layout = ['--stores', '2', '--replicas', '2', '--volume', 'disk0=64M']
  server = await startServerIn(env, path.join(dir, 'data'), ...layout)
  uri = `${server.uri}/disk0`
})

afterAll(async () => {
  await server?.end()
  await relay?.close()
  rmSync(dir, { recursive: true, force: true })
})

/** Once the relay has all of their spans. */
const traces = (root: string, tags: Record<string, unknown>, spans: number) =>
  tracesAt(`http://${relay.httpAddress}`, root, tags, spans)

const replicated = (op: string, depth: number) =>
  ['store-0', 'store-1'].flatMap((store) => [
    `${'  '.repeat(depth)}blockstore ${op} client`,
    `${'  '.repeat(depth + 1)}${store} ${op} server`,
  ])

const object = ['  blockstore object', '    blockstore map', ...replicated('write', 2)]

test.skipIf(!hasTool('qemu-io'))(
  'a write of qemu-io is one trace, down to each replica of each object',
  async () => {
    const offset = OBJECT_SIZE - 512 * 1024
    await run('qemu-io', ['-t', 'writeback', '-f', 'raw', uri, '-c', `write -P 7 ${offset} 1M`])
    const [trace, ...others] = await traces('write', { offset, length: 1 << 20 }, 13)
    expect(others).toEqual([])
    const lines = outline(trace!)
    expect(lines[0]).toBe('blockstore write server')
    expect([...lines].sort()).toEqual(['blockstore write server', ...object, ...object].sort())
    const objects = trace!.filter(({ name }) => name === 'map').map(({ tags }) => tags!.index)
    expect(objects.sort()).toEqual(['0', '1'])
    const values = (kind: string) =>
      trace!.filter((span) => span.kind === kind).map((span) => span.annotations?.map(({ value }) => value))
    expect(new Set(values('CLIENT').map(String))).toEqual(new Set(['sent']))
    expect(new Set(values('SERVER').map(String))).toEqual(new Set(['received,done']))
    for (const span of trace!) expect(span.duration, span.name).toBeGreaterThan(0)
  },
)

test('a flush is told with the commit of the map, a first write to a cloned object with its copy-up', async () => {
  const admin = (...args: string[]) => run(process.execPath, [MAIN, ...args, '--dir', path.join(dir, 'data')])
  const client = await NbdClient.connect(uri)
  await client.write(0, Buffer.alloc(4096, 1))
  await admin('snapshot', 'disk0', 'before')
  await client.write(8192, Buffer.alloc(4096, 2))
  await client.flush()
  await client.close()
  const [write] = await traces('write', { offset: 8192 }, 12)
  expect(outline(write!)).toEqual(
    expect.arrayContaining(['    blockstore map', '      blockstore copy-up', ...replicated('copy', 4)]),
  )
  const [flush] = await traces('flush', {}, 6)
  expect(outline(flush!).sort()).toEqual(
    ['blockstore flush server', '  blockstore commit', ...replicated('flush', 2)].sort(),
  )
})

test('with a replica gone, the span of the call to it says so, and the request does not fail', async () => {
  const pids = await storePids(server)
  process.kill(pids[1]!, 'SIGKILL')
  const client = await NbdClient.connect(uri)
  await client.write(16384, Buffer.alloc(4096, 3))
  await client.close()
  const [trace] = await traces('write', { offset: 16384 }, 6)
  const failed = trace!.filter(({ tags }) => tags?.error !== undefined)
  expect(failed.map(({ name, remoteEndpoint }) => [name, remoteEndpoint?.serviceName])).toEqual([
    ['write', 'store-1'],
  ])
})

test('under load every request is one trace, and nothing of it is lost or without an end', async () => {
  const client = await NbdClient.connect(uri)
  const offset = 32 << 20
  const writes = Array.from({ length: 500 }, (_, i) => client.write(offset + i * 4096, Buffer.alloc(4096, i)))
  await Promise.all(writes)
  await client.close()
  await server.end()
  const spans = ['write server', 'object', 'map', 'write client', 'write server']
  const seen = new Set<string>()
  await vi.waitFor(
    async () => {
      for (const trace of await traces('write', {}, spans.length)) {
        const [root] = trace.filter(({ parentId }) => parentId === undefined)
        if (Number(root!.tags!.offset) < offset || trace.length < spans.length) continue
        expect(outline(trace).map((line) => line.trim().replace(/^\S+ /, ''))).toEqual(spans)
        for (const { tags = {} } of trace) expect(tags).not.toHaveProperty('blkin.incomplete')
        seen.add(root!.tags!.offset!)
      }
      expect(seen.size).toBe(500)
    },
    { timeout: 20_000, interval: 200 },
  )
  expect(relay.stats().tracing).toMatchObject({ orphaned: 0, malformed: 0, tooLate: 0, tooMany: 0 })
})
