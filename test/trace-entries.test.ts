// test/trace-entries.test.ts: a server's span is current wherever a handler of its request is entered, and nowhere else.
import { expect, test } from 'vitest'
import { program, result } from './support/run.js'
import { runsSince } from './support/versions.js'

/** Node has two ways to carry what is current; what is not this version's own is asked for by a flag. */
const hasFrames = runsSince('24.0')
const implementations = [
  ['as this Node has it', []],
  ...(hasFrames ? [['by async_hooks', ['--no-async-context-frame']] as const] : []),
  ...(!hasFrames && runsSince('22.7')
    ? [['by frames', ['--experimental-async-context-frame']] as const]
    : []),
] as [string, string[]][]

/** What the program saw where no span is to be: nothing tells of an upgrade, and nothing is on after it was switched off. */
const isOutside = (way: string, place: string) =>
  way === 'upgrade' || place === 'connect' || way === 'after-off'
const isHttp2 = (way: string) => way.startsWith('h2-')

test.each(implementations)('every way into a handler, with contexts carried %s', async (_, flags) => {
  const seen = await result<[string, string, string][]>(program('span-entries.mjs'), {
    flags,
    timeout: 60_000,
  })
  const right = (way: string, place: string) =>
    isOutside(way, place) || (isHttp2(way) && !runsSince('22.17', '24.2')) ? 'none' : 'own'
  expect(seen.filter(([way, place, current]) => current !== right(way, place))).toEqual([])
  const ways = new Set(seen.map(([way]) => way))
  expect(ways.size).toBeGreaterThanOrEqual(30)
  for (const place of places)
    expect(
      seen.map(([, where]) => where),
      place,
    ).toContain(place)
})

/** Those that the program reaches on every Node. */
const places = [
  ...['handler', 'request data', 'request end', 'request close', 'request aborted', 'request error'],
  ...['response finish', 'response close', 'response drain', 'request timeout', 'response timeout'],
  ...[
    'request readable',
    'request data after a pause',
    'for await',
    'after for await',
    'callback of a pipeline',
  ],
  ...['after await pipeline()', 'after await text()', 'after once()', 'timer of data', 'promise of data'],
  ...[
    'immediate of data',
    'tick of data',
    'microtask of data',
    'upgrade',
    'data after an upgrade',
    'connect',
  ],
  ...[
    'after fetch',
    'body of fetch',
    'first answer data',
    'kept answer data',
    'failing call error',
    'socket data',
  ],
  ...['stream data', 'stream end', 'stream close', 'stream aborted', 'stream timeout'],
]

test("a connection that is kept alive holds no span but its last request's", async () => {
  const text = `
    import { once } from 'node:events'
    import http from 'node:http'
    import net from 'node:net'
    import { setTimeout as later } from 'node:timers/promises'
    import { openSession, trace } from 'blkin'
    openSession('x', { relay: null, mode: 'overwrite' }).enable('blkin:*')
    trace.instrument('http')
    let alive = 0
    const registry = new FinalizationRegistry(() => alive--)
    const server = http.createServer((request, response) => {
      alive++
      registry.register(trace.current(), 0)
      request.resume().on('end', () => response.end('x'))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const socket = net.connect(server.address().port, '127.0.0.1')
    for (let i = 0; i < 100; i++) {
      socket.write('POST / HTTP/1.1\\r\\nhost: x\\r\\ncontent-length: 1\\r\\n\\r\\na')
      await once(socket, 'data')
    }
    for (let turns = 0; alive > 2 && turns < 200; turns++) {
      gc()
      await later(10)
    }
    console.log(alive)
    process.exit()`
  expect(await result<number>(text, { flags: ['--expose-gc'] })).toBeLessThanOrEqual(2)
})
