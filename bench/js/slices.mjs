// bench/js/slices.mjs: the slices in JavaScript, served by bench/lib/serve.mjs. Every variant is a function of its own around the same
// loop (lib/cli/overhead/slices.ts).
// After a slice that records, the rings are emptied before the answer: the next slice of whomever begins in silence.
// "account 0" answers with JSON: what was emitted, lost and acknowledged.
import { channel } from 'node:diagnostics_channel'
import { openSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createTracing } from 'node:trace_events'
import { loopAround } from '../../dist/cli/overhead/slices.js'
import { disable, enable, flush, openSession, provider, status, t } from '../../dist/index.js'
import { serve } from '../lib/serve.mjs'

const floor = createRequire(import.meta.url)(process.argv[2])

const three = { level: 'info', fields: { a: t.u32, b: t.u32, c: t.u32 } }
const request = { operation: t.enum(['read', 'write', 'flush']), offset: t.u64, length: t.u32 }
const events = provider('bench', {
  off: three,
  switched: three,
  none: {},
  ints: three,
  request: { fields: request },
  text: { fields: { text: t.string } },
  three,
  context: three,
  overwriting: three,
  kept: three,
  filtered: three,
  sampled: three,
  named: { fields: { text: t.string } },
  small: three,
})
for (const event of ['none', 'ints', 'request', 'text', 'three']) enable(`bench:${event}`)
enable('bench:kept', { filter: 'c == 4096 && b < 4000000000' })

const sessions = {
  second: openSession('second'),
  third: openSession('third'),
  contexts: openSession('contexts', { contexts: ['tid', 'cpu'] }),
  overwrite: openSession('overwrite', { relay: null, mode: 'overwrite' }),
  small: openSession('small', { relay: null, mode: 'overwrite', buffer: '2x8K' }),
  refusing: openSession('refusing'),
}
sessions.second.enable('bench:three')
sessions.third.enable('bench:three')
sessions.contexts.enable('bench:context')
sessions.overwrite.enable('bench:overwriting')
sessions.small.enable('bench:small')
sessions.refusing.enable('bench:filtered', { filter: 'c == 4096 && b > 4000000000' })
sessions.refusing.enable('bench:sampled', { sample: '1/1000000' })
sessions.refusing.enable('bench:named', { filter: 'text == "volume-04/blk-0e"' })

const texts = ['volume-00/blk-0a', 'volume-01/blk-0b', 'volume-02/blk-0c', 'volume-03/blk-0d']
const operations = ['read', 'write']
const scope = {
  floor, events, texts, operations, performance, writeSync,
  devNull: openSync('/dev/null', 'w'),
  buffer: Buffer.alloc(4096),
  silent: channel('blkin:bench:silent'),
  heard: channel('blkin:bench:heard'),
} // biome-ignore format: a list
let heardLast
scope.heard.subscribe((message) => {
  heardLast = message
})

/** A loop around `body`, which may use x (a new u32 each turn), i and what stands in scope. */
const variant = (body, setup) => ({ run: loopAround(scope, body, setup) })

const recording = (event, slice) => ({ ...slice, event, after: () => flush(10_000) })
const refusing = (event, slice) => ({ ...slice, event })
const threeFields = '({ a: x, b: i, c: 4096 })'
const line =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source, for variant()
  '`{"time":${x},"event":"request","operation":"${operations[x & 1]}","offset":${x * 4096},"length":4096}\\n`'
const object = '{ time: x, event: "request", operation: operations[x & 1], offset: x * 4096, length: 4096 }'

const tracing = createTracing({ categories: ['node.perf.usertiming'] })
const switched = variant(`switched${threeFields}`, 'const { switched } = events')
for (let i = 0; i < 40; i++) switched.run(500)
enable('bench:switched')
for (let i = 0; i < 40; i++) switched.run(500)
disable('bench:switched')

const slices = {
  loop: variant(''),
  off: variant(`off${threeFields}`, 'const { off } = events'),
  switched,
  noop: variant('noop()', 'const { noop } = floor'),
  floor: variant('ticks()', 'const { ticks } = floor'),
  none: recording('none', variant('none()', 'const { none } = events')),
  ints: recording('ints', variant(`ints${threeFields}`, 'const { ints } = events')),
  request: recording(
    'request',
    variant(
      'request({ operation: operations[x & 1], offset: x * 4096, length: 4096 })',
      'const { request } = events',
    ),
  ),
  text: recording('text', variant('text({ text: texts[i & 3] })', 'const { text } = events')),
  three: recording('three', variant(`three${threeFields}`, 'const { three } = events')),
  context: recording('context', variant(`context${threeFields}`, 'const { context } = events')),
  overwriting: {
    ...variant(`overwriting${threeFields}`, 'const { overwriting } = events'),
    event: 'overwriting',
  },
  small: { ...variant(`small${threeFields}`, 'const { small } = events'), event: 'small' },
  kept: recording('kept', variant(`kept${threeFields}`, 'const { kept } = events')),
  filtered: refusing('filtered', variant(`filtered${threeFields}`, 'const { filtered } = events')),
  sampled: refusing('sampled', variant(`sampled${threeFields}`, 'const { sampled } = events')),
  named: refusing('named', variant('named({ text: texts[i & 3] })', 'const { named } = events')),
  devnull: variant(`writeSync(devNull, ${line})`),
  json: variant(`sink[0] = buffer.write(JSON.stringify(${object}))`),
  now: variant('sink[0] = performance.now()'),
  mark: { ...variant('performance.mark("request")'), after: () => performance.clearMarks() },
  marktraced: {
    ...variant('performance.mark("request")'),
    before: () => tracing.enable(),
    after: () => {
      tracing.disable()
      performance.clearMarks()
    },
  },
  channelsilent: variant(`if (silent.hasSubscribers) silent.publish(${object})`),
  channelheard: variant(`heard.publish(${object})`),
}

const emitted = { ...Object.fromEntries(Object.keys(events).map((name) => [name, 0])), switched: 20_000 }
const inSession = {
  default: ['off', 'switched', 'none', 'ints', 'request', 'text', 'three', 'kept'],
  second: ['three'],
  third: ['three'],
  contexts: ['context'],
  overwrite: ['overwriting'],
  small: ['small'],
  refusing: [],
}
for (const slice of Object.values(slices))
  if (slice.event !== undefined) slice.ran = (count) => (emitted[slice.event] += count)
await serve(slices, { account })

/** Also shows that the loop of `off` is the real thing: switched on, it records every turn. */
async function account() {
  enable('bench:off')
  slices.off.run(5000)
  emitted.off += 5000
  disable('bench:off')
  const bytes = {}
  for (const event of ['none', 'ints', 'request', 'text']) {
    const before = ringBytes()
    slices[event].run(1000)
    slices[event].ran(1000)
    await flush(10_000)
    bytes[event] = Math.floor((ringBytes() - before) / 1000) // less the pad at a sub-buffer's end
  }
  // What overwriting left in the rings goes to the relay now: with what was overwritten it makes up what was emitted.
  for (const session of [sessions.overwrite, sessions.small])
    session.change({ relay: process.env.BLKIN_RELAY })
  const delivered = await flush(10_000)
  const now = status()
  return JSON.stringify({
    emitted, bytes, delivered, kind: now.buffers.kind, clock: now.buffers.clock, heard: heardLast !== undefined,
    sessions: now.sessions.map(({ name, uuid, relay, lost: { overwritten, ...lost } }) => ({
      name, uuid, overwritten, acknowledged: relay.acknowledged,
      emitted: inSession[name].reduce((sum, event) => sum + emitted[event], 0),
      lost: Object.values(lost).reduce((sum, n) => sum + n),
    })),
  }) // biome-ignore format: a record
}

function ringBytes() {
  return status().buffers.rings.reduce((sum, { head }) => sum + head, 0)
}
