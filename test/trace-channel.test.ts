// test/trace-channel.test.ts: span events have a channel of their own: a flood of ordinary events costs no span, and
// emitted = recorded + lost holds in each channel, also for a process that was killed with both of them full.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readTrace } from '@blkin/relay'
import { describe, expect, test } from 'vitest'
import { childRelay, freeAddress, relay } from './support/relays.js'
import { folder, lastJson, privateShm, program, result, start } from './support/run.js'
import { describeWith } from './support/tools.js'
import { printed } from './support/trace.js'

interface Told {
  emitted: { events: number; spans: number }
  lost: { noRoom: number; tooBig: number; badValue: number; noRing: number }
  rings: { channel: 'events' | 'spans'; stream: number }[]
}

const twoChannels = program('two-channels.mjs')
const firstOfSpans = 262144

/** By channel; each event is in a stream of its own. */
async function recordedByChannel(output: string) {
  const recorded = { events: 0, spans: 0 }
  const lost = { events: 0, spans: 0 }
  for await (const item of readTrace(output)) {
    const channel = item.stream < firstOfSpans ? 'events' : 'spans'
    if (item.kind === 'loss') lost[channel] += Number(item.events)
    else {
      expect(item.tracepoint.provider === 'blkin').toBe(channel === 'spans')
      recorded[channel]++
    }
  }
  return { recorded, lost }
}

describe.each([
  { how: 'per-CPU rings', ring: 'cpu' },
  { how: 'a ring for each thread', ring: 'thread' },
])('a flood of ordinary events, $how', ({ ring }) => {
  test('loses events of its own and no span, to the event', async () => {
    const to = await relay()
    // The spans alone fit into their ring, so that they can be lost only to others.
    const env = { ...to.env, BLKIN_RING: ring, BLKIN_BUFFER: '4x32K' }
    const { emitted, lost, rings } = await result<Told>(twoChannels, { args: ['500', '2000'], env })
    const found = await recordedByChannel(to.output)
    expect(emitted).toEqual({ events: 1_000_000, spans: 1500 })
    expect(found.recorded.spans).toBe(emitted.spans)
    expect(found.lost).toEqual({ events: lost.noRoom, spans: 0 })
    expect(found.recorded.events + lost.noRoom).toBe(emitted.events)
    expect(lost.noRoom, 'a flood').toBeGreaterThan(1000)
    for (const { channel, stream } of rings) expect(channel).toBe(stream < firstOfSpans ? 'events' : 'spans')
    expect(new Set(rings.map(({ channel }) => channel))).toEqual(new Set(['events', 'spans']))
  })
})

test('a process without spans has no ring for them', async () => {
  const to = await relay()
  const text = `
    import { provider, status, t } from 'blkin'
    provider('p', { e: { fields: { n: t.u32 } } }).e({ n: 1 })
    console.log(JSON.stringify(status().buffers.rings.map(({ channel }) => channel)))`
  expect(await result(text, { env: to.env })).toEqual(['events'])
})

describeWith(['babeltrace2'], 'babeltrace2', () => {
  test('reads both channels of a trace in order of time', async () => {
    const to = await relay()
    const { emitted } = await result<Told>(twoChannels, { args: ['20', '10'], env: to.env })
    const events = printed(to.output)
    expect(events).toHaveLength(emitted.events + emitted.spans)
    const one = ['blkin:span_begin', ...Array(10).fill('app:flood'), 'blkin:span_number', 'blkin:span_end']
    expect(events.map(({ name }) => name.replace(/\.\d$/, ''))).toEqual(Array(20).fill(one).flat())
  })
})

describeWith(['unshare -m'], 'a process killed by SIGKILL with both channels full', () => {
  const recover = `
    import { native } from '${join('file://', import.meta.dirname, '../dist/native.js')}'
    const [host, port] = process.env.BLKIN_RELAY.split(':')
    const recovered = await native.recover({ host, port, token: '', since: 0n, timeout: 5000 })
    console.log(JSON.stringify(recovered.map(({ events, delivered, error }) => ({ events, delivered, error }))))`

  test.each(['cpu', 'thread'])('is recovered to the event in each, rings by %s', async (ring) => {
    const address = await freeAddress()
    const output = folder()
    // Both share one private /dev/shm: the first dies, the second finds what it left.
    const dies = [process.execPath, twoChannels, '2000', '5', 'kill'].join(' ')
    const running = start(recover, {
      before: privateShm(
        '64m',
        `{ ${dies} || true; } && echo dead && while ! test -e ${output}/go; do sleep 0.05; done && rm ${output}/go`,
      ),
      env: { BLKIN_RELAY: address, BLKIN_ENABLE: '*:*', BLKIN_RING: ring, BLKIN_BUFFER: '2x8K' },
    })
    await running.says('dead')
    await childRelay(address, output)
    writeFileSync(join(output, 'go'), '')
    const ended = await running.ended
    const told = JSON.parse(ended.stdout.split('\n')[0] as string) as Told
    const { recorded, lost } = await recordedByChannel(output)
    for (const channel of ['events', 'spans'] as const) {
      expect([channel, recorded[channel] + lost[channel]]).toEqual([channel, told.emitted[channel]])
      expect([channel, recorded[channel] > 0, lost[channel] > 0]).toEqual([channel, true, true])
    }
    expect(lost.events + lost.spans).toBe(told.lost.noRoom)
    expect(lastJson(ended)).toEqual([
      { events: recorded.events + recorded.spans, delivered: true, error: '' },
    ])
  })
})
