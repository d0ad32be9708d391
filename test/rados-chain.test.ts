// rados-chain.test.ts: requests of QEMU's tools and fio through the block store to a real RADOS cluster, as the relay and a
// real Zipkin server tell them: whole traces under load, with an OSD and the Zipkin server away for a while.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { OBJECT_SIZE } from '../examples/blockstore/src/object-store.js'
import { startCeph, whyNoCeph } from '../scripts/lib/ceph.mjs'
import { startChain } from '../scripts/lib/chain.mjs'
import { fioInGuest, whyNoGuest } from '../scripts/lib/guest.mjs'
import { startWay } from '../scripts/lib/way.mjs'
import { startZipkin, whyNoZipkin } from '../scripts/lib/zipkin.mjs'
import { hasTool, run, temporaryDir } from './blockstore-harness.js'
import { allTraces, outline, type Span, tracesAt } from './support/spans.js'

const missing = whyNoCeph() ?? (hasTool('qemu-io') && hasTool('fio') ? whyNoZipkin() : 'qemu-io or fio')

if (missing) console.warn(`SKIPPED: no request goes from QEMU to a real RADOS cluster: ${missing}`)

/** What the block store itself tells of a write to one object. */
const own = [
  'blockstore write server',
  '  blockstore object',
  '    blockstore map',
  '    blockstore write client',
]

describe.skipIf(missing)('from QEMU to RADOS', () => {
  let ceph: Awaited<ReturnType<typeof startCeph>>
  let zipkin: Awaited<ReturnType<typeof startZipkin>>
  let way: Awaited<ReturnType<typeof startWay>>
  let chain: Awaited<ReturnType<typeof startChain>> | undefined
  let dir: string
  let remove: () => void

  beforeAll(async () => {
    const starts = [startCeph(2).then((it) => (ceph = it)), startZipkin().then((it) => (zipkin = it))]
    for (const start of await Promise.allSettled(starts)) if (start.status === 'rejected') throw start.reason
    way = await startWay(zipkin.port)
  }, 120_000)
  afterAll(async () => {
    way?.cut()
    await zipkin?.stop()
    await ceph?.stop()
  })
  beforeEach(() => {
    ;({ dir, remove } = temporaryDir())
  })
  afterEach(async () => {
    await chain?.stop()
    chain = undefined
    remove()
  }, 60_000)

  test('one write of qemu-io is one trace, in Zipkin too: the request, both objects, and each replica on its OSD', async () => {
    chain = await startChain(dir, ceph, { sinks: { zipkin: way.address } })
    const offset = OBJECT_SIZE - 512 * 1024
    await run('qemu-io', ['-t', 'writeback', '-f', 'raw', chain.disk, '-c', `write -P 7 ${offset} 1M`])
    const [trace, ...others] = await tracesAt(chain.url, 'write', { offset, length: 1 << 20 }, 11)
    expect(others).toEqual([])
    const lines = outline(trace!)
    const osds = [/^ {6}osd\.[01] write server$/, / {8}osd\.[01] replicate server$/]
    const object = [
      /^ {2}blockstore object$/,
      /^ {4}blockstore map$/,
      /^ {4}blockstore write client$/,
      ...osds,
    ]
    expect(lines).toHaveLength(11)
    for (const [i, line] of ['blockstore write server', ...object, ...object].entries())
      expect(lines[i]).toMatch(line)
    for (const span of trace!.filter(({ name }) => name === 'replicate')) {
      const primary = trace!.find(({ id }) => id === span.parentId)!
      expect(primary.localEndpoint).not.toEqual(span.localEndpoint)
      expect(primary.tags!.request).toBe(span.tags!.request)
      expect(primary.annotations!.map(({ value }) => value)).toEqual(
        expect.arrayContaining(['queued_for_pg', 'reached_pg', 'op_commit', 'commit_sent']),
      )
    }
    const there = await tracesAt(zipkin.url, 'write', { offset, length: 1 << 20 }, 11)
    expect(there.map(sorted)).toEqual([sorted(trace!)])
  })

  test('a read is followed to the OSD, a flush has nothing to do there', async () => {
    chain = await startChain(dir, ceph)
    const commands = ['write 0 64k', 'read 0 64k', 'flush'].flatMap((command) => ['-c', command])
    await run('qemu-io', ['-t', 'writeback', '-f', 'raw', chain.disk, ...commands])
    const [read] = await tracesAt(chain.url, 'read', { length: 65536 }, 5)
    expect(outline(read!)).toEqual([
      'blockstore read server',
      '  blockstore object',
      '    blockstore map',
      '    blockstore read client',
      expect.stringMatching(/^ {6}osd\.[01] read server$/),
    ])
    const [flush] = await tracesAt(chain.url, 'flush', {}, 2)
    expect(outline(flush!)).toEqual(['blockstore flush server', '  blockstore commit'])
  })

  test.skipIf(whyNoGuest())(
    'each write of a guest is one trace',
    async () => {
      chain = await startChain(dir, ceph)
      const job = { rw: 'randwrite', bs: '4k', size: '16m', number_ios: 200 }
      const { write } = await fioInGuest(chain.disk, job)
      const { url } = chain
      // In bytes: the guest's kernel may join writes.
      const written = (traces: Span[][]) =>
        sum(traces.map((trace) => Number(rootOf(trace)?.tags?.length ?? 0)))
      await expect
        .poll(async () => written(await allTraces(url, 'write')), { timeout: 10_000 })
        .toBe(write.io_bytes)
      await expect
        .poll(async () => (await allTraces(url, 'write')).every(hasOwn), { timeout: 10_000 })
        .toBe(true)
    },
    120_000,
  )

  test('a write that an OSD took seconds for is told by both, and where it waited', async () => {
    chain = await startChain(dir, ceph)
    await run('qemu-io', ['-t', 'writeback', '-f', 'raw', chain.disk, '-c', 'write 0 4k'])
    const primary = (await tracesAt(chain.url, 'write', { length: 4096 }, 6))[0]!.find(
      ({ parentId, name, localEndpoint }) =>
        parentId !== undefined && name === 'write' && localEndpoint.serviceName.startsWith('osd'),
    )!
    const other = primary.localEndpoint.serviceName === 'osd.0' ? 1 : 0
    ceph.pauseOsd(other)
    const slow = run('qemu-io', ['-t', 'writeback', '-f', 'raw', chain.disk, '-c', 'write 4k 8k'])
    await sleep(3500)
    ceph.resumeOsd(other)
    await slow
    const [trace] = await tracesAt(chain.url, 'write', { length: 8192 }, 6)
    const [span] = trace!.filter(({ id }) =>
      trace!.some(({ name, parentId }) => name === 'replicate' && parentId === id),
    )
    expect(span!.duration).toBeGreaterThan(2_000_000)
    expect(span!.annotations!.map(({ value }) => value)).toContain(`waiting for subops from ${other}`)
  })

  test('an OSD and the Zipkin server go away and come back under fio: no IO fails, every span is there once', async () => {
    chain = await startChain(dir, ceph, { sinks: { zipkin: way.address } })
    // The whole load takes 20 s: OSD and Zipkin are back before its end, or it is told.
    const ios = 3000
    const load = fio(chain.disk, ios)
    const { relay } = chain
    const sink = () => relay.stats().tracing!.sinks[0]!
    let isBusy = true
    void load.finally(() => {
      isBusy = false
    })
    way.cut()
    try {
      await sleep(1000)
      await ceph.stopOsd(1)
      await ceph.up(1)
      await sleep(1000)
    } finally {
      ceph.startOsd(1)
      await ceph.up(2)
    }
    expect(isBusy, 'the OSD is back while fio writes').toBe(true)
    await load
    expect(sink().error).toBeDefined()
    await way.mend()
    await chain.endTelling() // what the OSDs did in the last second too
    await expect.poll(() => relay.stats().tracing!.waiting + sink().waiting, { timeout: 40_000 }).toBe(0)
    expect(sink()).toMatchObject({ dropped: 0, refused: 0, delivered: sink().offered })

    const traces = await allTraces(chain.url, 'write')
    expect(traces).toHaveLength(ios)
    expect(new Set(traces.map(([span]) => span!.traceId)).size).toBe(ios)
    let followed = 0
    for (const trace of traces) {
      expect(new Set(trace.map(({ id }) => id)).size).toBe(trace.length)
      const lines = outline(trace)
      expect(lines.slice(0, 4)).toEqual(own)
      for (const line of lines.slice(4)) expect(line).toMatch(/^ {6,8}osd\.[01] (write|replicate) server$/)
      if (lines.length >= 6) followed++
      for (const { tags = {} } of trace) {
        expect(tags).not.toHaveProperty('error')
        expect(tags).not.toHaveProperty('blkin.incomplete')
      }
    }
    expect(followed, 'traces that both OSDs tell of').toBeGreaterThan(ios / 10)
    expect(relay.stats().tracing).toMatchObject({ orphaned: 0, malformed: 0, tooLate: 0, tooMany: 0 })
    const inZipkin = async () =>
      new Map((await allTraces(zipkin.url, 'write')).map((trace) => [trace[0]!.traceId, trace]))
    await expect.poll(async () => (await inZipkin()).size, { timeout: 10_000 }).toBeGreaterThanOrEqual(ios)
    const there = await inZipkin()
    for (const trace of traces) expect(sorted(there.get(trace[0]!.traceId) ?? [])).toEqual(sorted(trace))
  }, 120_000)

  test('with every IO traced and some traces stored, all spans are stored or counted as sampled out', async () => {
    chain = await startChain(dir, ceph, { sample: { perSecond: 20 } })
    const ios = 750
    await fio(chain.disk, ios)
    const { relay, stop } = chain
    await stop()
    const stats = relay.stats().tracing!
    expect(stats.waiting).toBe(0)
    expect(stats.refused).toBe(0)
    expect(stats.received).toBe(stats.stored + stats.sampledOut)
    // Four spans of the block store for each write, as many for each read, and those of flushes.
    expect(stats.received - stats.scribed).toBeGreaterThanOrEqual(8 * ios)
    expect(stats.scribed).toBeGreaterThan(2 * ios)
    expect(stats.sampledOut).toBeGreaterThan(stats.stored)
  }, 60_000)

  test('with requests sampled in the block store, what is passed over sends nothing, and the OSDs hear of no trace', async () => {
    chain = await startChain(dir, ceph, {}, { BLKIN_TRACE_SAMPLE: '0.1' })
    const ios = 750
    await fio(chain.disk, ios)
    const { relay, url } = chain
    await expect
      .poll(async () => (await allTraces(url, 'write')).every(hasOwn), { timeout: 10_000 })
      .toBe(true)
    const traces = await allTraces(url, 'write')
    expect(traces.length).toBeGreaterThan(ios / 30)
    expect(traces.length).toBeLessThan(ios / 3)
    expect(relay.stats().tracing!.scribed).toBeLessThan(ios)
  }, 60_000)
})

const hasOwn = (trace: Span[]) => outline(trace).slice(0, 4).join('\n') === own.join('\n')

const rootOf = (trace: Span[]) => trace.find(({ parentId }) => parentId === undefined)

const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0)

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const sorted = (trace: Span[]) => trace.toSorted((a, b) => (a.id < b.id ? -1 : 1))

/** That many writes of 4 KiB, each to a block of its own, 150 a second; then all are read and compared. */
async function fio(uri: string, ios: number): Promise<void> {
  const { stdout } = await run('fio', [
    '--ioengine=nbd',
    `--uri=${uri}`,
    '--rw=randwrite',
    '--bs=4k',
    `--size=${ios * 4}k`,
    '--iodepth=8',
    '--rate_iops=,150',
    '--verify=crc32c',
    '--verify_fatal=1',
    '--verify_state_save=0',
    '--output-format=json',
    '--name=chain',
  ])
  const [job] = JSON.parse(stdout.slice(stdout.indexOf('{'))).jobs
  expect(job).toMatchObject({ error: 0, write: { total_ios: ios }, read: { total_ios: ios } })
}
