// bench/js/slices.mjs: the JavaScript side of the handshake of bench/slice.h: "NAME COUNT" in, nanoseconds out. Every
// variant is a function of its own around the same loop, so that each has type feedback and code of its own. The loop
// stores a value that depends on the last one, so V8 can neither drop a turn nor take anything out of the loop.
// After a slice that records, the rings are emptied before the answer: the next slice of whomever begins in silence.
// "account 0" answers with JSON: what was emitted, lost and acknowledged.
import { createHash } from 'node:crypto'
import { channel } from 'node:diagnostics_channel'
import { openSync, readSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createTracing } from 'node:trace_events'
import { disable, enable, flush, openSession, provider, status, t } from '../../dist/index.js'
import { Rewriter } from '../../dist/transform/rewrite.js'

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
})
for (const event of ['none', 'ints', 'request', 'text', 'three']) enable(`bench:${event}`)
enable('bench:kept', { filter: 'c == 4096 && b < 4000000000' })

const sessions = {
  second: openSession('second'),
  third: openSession('third'),
  contexts: openSession('contexts', { contexts: ['tid', 'cpu'] }),
  overwrite: openSession('overwrite', { relay: null, mode: 'overwrite' }),
  refusing: openSession('refusing'),
}
sessions.second.enable('bench:three')
sessions.third.enable('bench:three')
sessions.contexts.enable('bench:context')
sessions.overwrite.enable('bench:overwriting')
sessions.refusing.enable('bench:filtered', { filter: 'c == 4096 && b > 4000000000' })
sessions.refusing.enable('bench:sampled', { sample: '1/1000000' })
sessions.refusing.enable('bench:named', { filter: 'text == "volume-04/blk-0e"' })

const texts = ['volume-00/blk-0a', 'volume-01/blk-0b', 'volume-02/blk-0c', 'volume-03/blk-0d']
const operations = ['read', 'write']
const fifty = provider(
  'fifty',
  Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`point${i}`, three])),
)

const been = provider('been', Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`point${i}`, three])))

const sink = new Uint32Array(256)
const scope = {
  sink, floor, events, texts, operations, fifty, been, createHash, performance, writeSync,
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
function variant(body, setup = '') {
  const names = Object.keys(scope)
  const source = `${setup}
    return function slice(count) {
      let x = count >>> 0
      for (let i = 0; i < count; i++) {
        x = (Math.imul(x, 1664525) + 1013904223) >>> 0
        sink[x >>> 24] = x
        ${body}
      }
    }`
  return { run: new Function(...names, source)(...names.map((name) => scope[name])) }
}

const recording = (event, slice) => ({ ...slice, event, after: () => flush(10_000) })
const refusing = (event, slice) => ({ ...slice, event })
const threeFields = '({ a: x, b: i, c: 4096 })'
const line =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source, for variant()
  '`{"time":${x},"event":"request","operation":"${operations[x & 1]}","offset":${x * 4096},"length":4096}\\n`'
const object = '{ time: x, event: "request", operation: operations[x & 1], offset: x * 4096, length: 4096 }'

// Something like a small service's request, some ten microseconds: parse, look up, hash, answer.
const work = (point) => `
  const body = JSON.parse('{"id":' + x + ',"volume":"volume-07","blocks":[1,2,3,4,5,6,7,8],"tags":{"user":"u1"}}')
  ${point(0)}
  let sum = 0
  for (const block of body.blocks) { sum += block * x; ${point(1)} }
  const digest = createHash('sha1').update(body.volume).update(String(sum)).digest('hex')
  ${Array.from({ length: 33 }, (_, k) => point(k + 2)).join('\n')}
  const answer = JSON.stringify({ id: body.id, digest, sum })
  ${Array.from({ length: 8 }, (_, k) => point(k + 35)).join('\n')}
  sink[answer.length] = sum`

/** The source as `blkin/register` and the plugin make it. */
function madeStatic(source, name = 'fifty') {
  const declaration = `import { provider } from "blkin"; const ${name} = provider("${name}", {})\n`
  const following = new Rewriter().rewrite({ file: 'work.js', code: declaration + source })
  let step = following.next()
  while (!step.done) step = following.next('blkin')
  const calls = source.match(/\.point\d+\(/g).length
  if (step.value?.changed !== calls) throw new Error(`${step.value?.changed} of ${calls} calls are static`)
  return step.value.code.slice(declaration.length)
}

const fiftyOff = work((k) => `fifty.point${k}${threeFields}`)

const tracing = createTracing({ categories: ['node.perf.usertiming'] })
const switched = variant(`switched${threeFields}`, 'const { switched } = events')
switched.run(20_000)
enable('bench:switched')
switched.run(20_000)
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
  work: variant(work(() => '')),
  workoff: variant(fiftyOff),
  workstatic: variant(madeStatic(fiftyOff)),
  workbeen: variant(madeStatic(fiftyOff.replaceAll('fifty.', 'been.'), 'been')),
}

const passing = openSession('passing', { relay: null, mode: 'overwrite' })
passing.enable('been:*')
slices.workbeen.run(4000)
await passing.close()

const emitted = { ...Object.fromEntries(Object.keys(events).map((name) => [name, 0])), switched: 20_000 }
const inSession = {
  default: ['off', 'switched', 'none', 'ints', 'request', 'text', 'three', 'kept'],
  second: ['three'],
  third: ['three'],
  contexts: ['context'],
  overwrite: ['overwriting'],
  refusing: [],
}
const chunk = Buffer.alloc(256)
let input = ''
for (;;) {
  const end = input.indexOf('\n')
  if (end < 0) {
    const got = readSync(0, chunk)
    if (got === 0) break
    input += chunk.toString('latin1', 0, got)
    continue
  }
  const [name, count] = input.slice(0, end).split(' ')
  input = input.slice(end + 1)
  writeSync(1, `${name === 'account' ? await account() : await measure(name, Number(count))}\n`)
}

async function measure(name, count) {
  const slice = slices[name]
  slice.before?.()
  const start = performance.now() // out here: what runs once a slice never gets V8's attention in a hot loop
  slice.run(count)
  const took = (performance.now() - start) * 1e6
  await slice.after?.()
  if (slice.event !== undefined) emitted[slice.event] += count
  return took
}

/** Also shows that the loop of `off` is the real thing: switched on, it records every turn. */
async function account() {
  enable('bench:off')
  slices.off.run(5000)
  emitted.off += 5000
  disable('bench:off')
  const bytes = {}
  for (const event of ['none', 'ints', 'request', 'text']) {
    const before = ringBytes()
    await measure(event, 1000)
    bytes[event] = Math.floor((ringBytes() - before) / 1000) // less the pad at a sub-buffer's end
  }
  // What overwriting left in the rings goes to the relay now: with what was overwritten it makes up what was emitted.
  sessions.overwrite.change({ relay: process.env.BLKIN_RELAY })
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
