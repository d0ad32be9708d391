// test/trace-outcomes.test.ts: what a span says of a request that ended in another way than with a whole answer: who gave up is
// told from what went wrong.
import { describe, expect, test } from 'vitest'
import { pathOf } from '../lib/trace/http-tags.js'
import { relay } from './support/relays.js'
import { program, type RunOptions, result, run } from './support/run.js'
import { madeSpans, requestSpan } from './support/span-events.js'
import { runsSince } from './support/versions.js'

const cancelled = (reason = 'true') => ({ cancelled: reason })
const failed = (error: unknown, type?: string) =>
  type === undefined ? { error } : { error, 'error.type': type }

const clientLeft = cancelled('the client closed the connection')
const serverLeft = failed('the connection ended before the answer was sent')
const aborted = cancelled('This operation was aborted')
const stopped = cancelled('The operation was aborted')
const left = cancelled('The operation was aborted.')
const socketClosed = failed('other side closed', 'UND_ERR_SOCKET')
const cut = failed('the connection ended before the answer was whole')

/** By path: what the client's span says of the outcome, and what the server's does. */
const outcomes: Record<string, [object, object?]> = {
  'fetch-reason-silent': [cancelled('the user left'), clientLeft],
  'fetch-abort-silent': [aborted, clientLeft],
  'fetch-undefined-endless': [left, clientLeft],
  'fetch-error-silent': [failed('mine', 'RangeError'), clientLeft],
  'fetch-timeout-silent': [failed('The operation was aborted due to timeout', 'TimeoutError'), clientLeft],
  'fetch-cancel-endless': [left, clientLeft],
  'fetch-cancelwhy-endless': [cancelled('enough'), clientLeft],
  'fetch-leave-endless': [left, clientLeft],
  'fetch-read-cut': [socketClosed, serverLeft],
  'fetch-read-hangup': [socketClosed, serverLeft],
  'http-destroy-silent': [cancelled(), clientLeft],
  'http-destroy-endless': [cancelled(), clientLeft],
  'http-response-endless': [cancelled(), clientLeft],
  'http-leave-endless': [cancelled(), clientLeft],
  'http-signal-silent': [stopped, clientLeft],
  'http-signal-endless': [cancelled(), clientLeft],
  'http-read-cut': [cut, serverLeft],
  'http-read-hangup': [failed('socket hang up', 'ECONNRESET'), serverLeft],
}
const reset = 'Stream closed with error code NGHTTP2_INTERNAL_ERROR'
const http2Outcomes: typeof outcomes = {
  'http2-cancel-silent': [cancelled(), cancelled()],
  'http2-read-reset': [failed(reset, 'ERR_HTTP2_STREAM_ERROR'), failed(reset, 'ERR_HTTP2_STREAM_ERROR')],
  'http2-read-answer': [failed('503', '503'), failed('503', '503')],
}

const tracing = async (env: Record<string, string> = {}) => {
  const to = await relay()
  return { env: { ...to.env, ...env }, output: to.output, flags: ['--import', 'blkin/register'] }
}

test('who gives a request up has not failed; what goes wrong has', async () => {
  const { output, ...options } = await tracing({ BLKIN_TRACE: 'http,fetch' })
  const { closedPort, ...told } = await result<{ closedPort: number }>(program('outcomes.mjs'), options)
  expect(told).toEqual({ current: '', stored: true })
  const refused = failed(`connect ECONNREFUSED 127.0.0.1:${closedPort}`, 'ECONNREFUSED')
  const spans = await madeSpans(output)
  const outcomeOf = (kind: string, path: string) => {
    const span = requestSpan(spans, kind, `/${path}`)
    const outcome = Object.entries(span?.tags ?? {}).filter(([key]) => /^(error|cancelled)/.test(key))
    return span && { ended: span.ended, ...Object.fromEntries(outcome) }
  }
  const expected: typeof outcomes = {
    ...outcomes,
    'fetch-refused': [refused],
    'http-refused': [refused],
    ...(runsSince('22.17', '24.2') ? http2Outcomes : {}),
  }
  for (const [path, [client, server]] of Object.entries(expected)) {
    expect([path, outcomeOf('client', path)]).toEqual([path, { ended: 1, ...client }])
    expect([path, outcomeOf('server', path)]).toEqual([path, server && { ended: 1, ...server }])
  }
  expect(JSON.stringify(spans)).not.toContain('undefined"')
  const { tags } = requestSpan(spans, 'client', '/fetch-refused')!
  expect(tags).toMatchObject({
    'http.request.method': 'GET',
    'server.address': '127.0.0.1',
    'server.port': closedPort,
  })
})

describe('an exception that nobody catches', () => {
  const serving = (handler: string, more = '') => `
    import { once } from 'node:events'
    import http from 'node:http'
    import { flush, trace } from 'blkin'
    ${more}
    const server = http.createServer(${handler}).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const call = http.request({ port: server.address().port, path: '/thrown', method: 'POST' })
    call.on('error', () => {}).end('abc')
    await new Promise((resolve) => call.once('close', resolve))
    await flush()
    process.exit()`
  const outcome = async (text: string, options: RunOptions = {}) => {
    const { output, ...own } = await tracing({ BLKIN_TRACE: 'http' })
    const ended = await run(text, { ...own, ...options })
    return { ended, span: requestSpan(await madeSpans(output), 'server', '/thrown')! }
  }
  const survives = `process.on('uncaughtException', () => server.closeAllConnections())`
  const expected = { error: 'no such disk', 'error.type': 'ENODEV' }
  const error = `Object.assign(new Error('no such disk'), { code: 'ENODEV' })`

  test.each([
    ['a handler that throws', `() => { throw ${error} }`],
    ['an async handler', `async () => { await null; throw ${error} }`],
    ['a listener of the request', `(request) => request.on('data', () => { throw ${error} })`],
    ['a timer of the handler', `() => setTimeout(() => { throw ${error} }, 1)`],
  ])('of %s is told in its span', async (_, handler) => {
    const { ended, span } = await outcome(serving(handler, survives))
    expect([ended.code, ended.stderr]).toEqual([0, ''])
    expect(span.tags).toMatchObject(expected)
  })

  test('ends the process as it would, shown where it was thrown, and its span comes home', async () => {
    const text = serving(`() => { throw ${error} /* here */ }`)
    const { output, ...own } = await tracing({ BLKIN_TRACE: 'http' })
    const ended = await run(text, own)
    const plain = await run(text)
    expect([ended.code, plain.code]).toEqual([1, 1])
    const shown = (text: string) => text.split('\n').slice(1, 5)
    expect(shown(ended.stderr)).toEqual(shown(plain.stderr))
    expect(shown(ended.stderr).join()).toContain('/* here */')
    const thrown = async () => requestSpan(await madeSpans(output), 'server', '/thrown')?.tags
    await expect.poll(thrown, { timeout: 20_000 }).toMatchObject(expected)
  })
})

test('whatever is thrown and however a request was changed, the program goes on as without spans', async () => {
  const text = `
    import { once } from 'node:events'
    import http from 'node:http'
    import { openSession, trace } from 'blkin'
    openSession('x', { relay: null, mode: 'overwrite' }).enable('blkin:*')
    trace.instrument('http')
    const throwing = () => { throw new Error('not to be read') }
    const thrown = [Symbol('x'), Object.create(null), null, undefined, 7n, { get message() { return throwing() } },
      new Proxy({}, { has: throwing, get: throwing }), { message: Symbol('x'), name: Object.create(null) }]
    let [caught, others] = [0, 0]
    process.on('uncaughtException', (error) => {
      if (error === thrown[caught]) caught++
      else others++
      server.closeAllConnections()
    })
    const server = http.createServer((request) => {
      Object.defineProperty(request, 'route', { get: throwing })
      throw thrown[caught]
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    for (const _ of thrown) {
      const call = http.get({ port: server.address().port }).on('error', () => {})
      await new Promise((resolve) => call.once('close', resolve))
    }
    console.log(JSON.stringify({ missed: thrown.length - caught, others }))
    process.exit()`
  expect(await result(text)).toEqual({ missed: 0, others: 0 })
})

test('what the program says of a failure is not said again by the status', async () => {
  const { output, ...options } = await tracing({ BLKIN_TRACE: 'http' })
  await result(
    `import { once } from 'node:events'
    import http from 'node:http'
    import { flush, trace } from 'blkin'
    const server = http.createServer((_, response) => {
      trace.current().tag('error', 'all disks are full')
      trace.current().rename('GET /by-hand')
      response.writeHead(507).end()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    await (await fetch('http://127.0.0.1:' + server.address().port + '/full')).text()
    server.close()
    console.log(await flush())`,
    options,
  )
  const span = requestSpan(await madeSpans(output), 'server', '/full')!
  expect(span.name).toBe('GET /by-hand')
  expect(span.tags).toMatchObject({ error: 'all disks are full', 'http.response.status_code': 507 })
})

test.each([
  ['/a/b?secret=1#x', '/a/b'],
  ['http://user:secret@host:8080/a?secret=1', '/a'],
  ['HTTPS://user:secret@host', '/'],
  ['http://user:secret@host?secret=1', '/'],
  ['*', '*'],
  ['', '/'],
])('the path of the target %o is %o', (target, path) => {
  expect(pathOf(target)).toBe(path)
})
