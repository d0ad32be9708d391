// relay/test/scribe.test.ts: the relay as a Scribe server: who may log to it, where messages go, and what OK and TRY_LATER mean.

import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { connect as dial } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Rejections } from '../src/common/rejections.js'
import { startRelay } from '../src/index.js'
import { Routes } from '../src/ports/scribe/categories.js'
import { Counters } from '../src/ports/scribe/counters.js'
import { type FileLimits, Files, usualLimits } from '../src/ports/scribe/files.js'
import { Intake } from '../src/ports/scribe/intake.js'
import { ScribeSession } from '../src/ports/scribe/session.js'
import { fb303, thrift } from '../src/protocol/wire.js'
import { v1FromBytes } from '../src/spans/formats/from-v1.js'
import type { V1Span } from '../src/spans/formats/v1-span.js'
import { spansFromV1 } from '../src/spans/formats/v1-to-v2.js'
import { mergeTrace } from '../src/spans/merge.js'
import type { Span } from '../src/spans/span.js'
import { folder, relayIn, until } from './helpers.js'
import { scribeClient, type V1, v1Message, v1Struct } from './scribe.js'

const PYTHON = '/usr/bin/python3' // where Debian's python3-thrift is
const { fb_status } = fb303
const root = join(import.meta.dirname, '../..')
const listen = '127.0.0.1:0'
const at = 1_700_000_000_000_000

const hasPython =
  spawnSync(PYTHON, ['-c', 'import thrift']).status === 0 && spawnSync('thrift', ['--version']).status === 0

async function scribeIn(output: string, categories = {}) {
  const relay = await relayIn(output, { tracing: { listen }, scribe: { listen, categories } })
  const client = await scribeClient(relay.scribeAddress!)
  onTestFinished(() => client.end())
  const traces = async (id: string) => {
    const response = await fetch(`http://${relay.httpAddress}/api/v2/trace/${id}`)
    return response.ok ? ((await response.json()) as Span[]) : []
  }
  return { relay, client, traces }
}

/** What is in the files of a place, one after the other. */
const written = (output: string, place: string) =>
  readdirSync(join(output, 'scribe', place))
    .sort()
    .map((name) => readFileSync(join(output, 'scribe', place, name), 'latin1'))

/** '' where it is closed by now. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

const whole = (n: number): V1 => ({
  ...{ traceId: 0xabcn, id: BigInt(n), name: 'Read', timestamp: at, duration: 5 },
  annotations: [['sr', at, { serviceName: 'Store' }]],
})

test.each(['strict', 'old'])(
  'a Python client in the %s protocol logs, and asks what fb303 has',
  async (protocol) => {
    if (!hasPython) return console.warn('SKIPPED: python3-thrift or the thrift compiler is not installed')
    const gen = folder()
    execFileSync('thrift', ['--gen', 'py', '-r', '-out', gen, join(root, 'idl/scribe.thrift')])
    const output = folder()
    const { relay, traces } = await scribeIn(output)
    const args = [
      join(root, 'relay/test/scribe-client.py'),
      gen,
      relay.scribeAddress!.split(':')[1]!,
      protocol,
    ]
    const batches = [
      [
        ['web', 'a\n'],
        ['zipkin', v1Message(whole(1))],
        ['zipkin', 'no span'],
        ['', 'of nobody'],
      ],
      [['web', 'b\xff\x00']],
    ]
    const client = execFile(PYTHON, args)
    const lines: string[] = []
    client.stdout!.on('data', (text) => lines.push(text))
    client.stdin!.end(batches.map((batch) => `${JSON.stringify(batch)}\n`).join(''))
    await once(client, 'exit')
    expect(lines.join('').split('\n')).toEqual([
      '0',
      '0',
      'blkin 2 True {}',
      "3 [('scribe_overall:received bad', 1), ('scribe_overall:received blank category', 1), " +
        "('scribe_overall:received good', 3), ('web:received good', 2), ('zipkin:received bad', 1), ('zipkin:received good', 1)]",
      'True 7 True',
      'True True',
      '',
    ])
    expect(written(output, 'web')).toEqual(['a\nb\xff\x00'])
    expect(await traces('abc')).toMatchObject([{ name: 'read', kind: 'SERVER', duration: 5 }])
    expect(relay.stats().scribe).toMatchObject({
      good: 3,
      bad: 2,
      denied: 0,
      bytes: 5,
      connections: { ended: 0 },
    })
    expect(relay.stats().tracing).toMatchObject({ received: 1, scribed: 1, posted: 0, stored: 1, waiting: 0 })
  },
)

test.each([true, false])(
  'who calls in the strict protocol (%j) is answered in it, and else in the old one',
  async (strict) => {
    const { relay } = await scribeIn(folder())
    const socket = dial(Number(relay.scribeAddress!.split(':')[1]), '127.0.0.1')
    const frames = new thrift.TFramedTransport(undefined, (frame) => void socket.write(frame!))
    const output = new thrift.TBinaryProtocol(frames, false, strict)
    output.writeMessageBegin('getName', thrift.Thrift.MessageType.CALL, 3)
    output.writeStructBegin('none')
    output.writeFieldStop()
    output.flush()
    const [answer] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    expect(answer.subarray(4, 8).toString('hex')).toBe(strict ? '80010002' : '00000007')
  },
)

test('the exact category comes before the longest prefix, and that before all others', async () => {
  const output = folder()
  const { client } = await scribeIn(output, {
    'app*': 'app',
    'app.web*': 'web-*',
    'app.web': 'exact',
    '*': 'other',
  })
  const log = (category: string) => client.log([[category, `${category}\n`]])
  for (const category of ['app', 'app.web', 'app.web.1', 'apple', 'ap', 'zipkin2'])
    expect(await log(category)).toBe('OK')
  expect(readdirSync(join(output, 'scribe')).sort()).toEqual(['app', 'exact', 'other', 'web-app.web.1'])
  expect(written(output, 'app')).toEqual(['app\napple\n'])
  expect(written(output, 'other')).toEqual(['ap\nzipkin2\n'])
})

test.each([
  ['a*b', 'x', /"a\*b": expected a name of at most 200 characters, with \* at its end or not at all/],
  ['', 'x', /"": expected a name of/],
  ['a', '../x', /"a" goes to "\.\.\/x"; expected "spans", or the name of a folder/],
  ['a', '.x', /"\.x"/],
  ['a', '*-*', /"\*-\*"/],
  ['a', '', /""/],
  ['a'.repeat(201), 'x', /expected a name of at most 200 characters/],
])('%j to %j is no way for a category', (pattern, place, words) => {
  expect(() => new Routes({ [pattern]: place })).toThrow(words)
})

test('whatever a category is called, its folder is below the one for all, and its own', async () => {
  const output = folder()
  const { client, relay } = await scribeIn(output)
  const names = [
    '../../x',
    '/etc',
    '.',
    '..',
    '.spans',
    'a\0b',
    'a/b',
    'a%2Fb',
    'a\\b',
    'Ü',
    'a b',
    '-rf',
    '__proto__',
    'spans',
  ]
  expect(await client.log(names.map((name): [string, string] => [name, name]))).toBe('OK')
  const folders = readdirSync(join(output, 'scribe'))
  expect(folders.length).toBe(names.length)
  expect(folders.map((place) => written(output, place).join('')).sort()).toEqual(
    names.map((name) => Buffer.from(name).toString('latin1')).sort(),
  )
  expect(folders.join()).toMatch(/^[\w.%,-]+$/)
  expect(
    await client.log([
      ['x'.repeat(10_000), 'm'],
      ['Ü'.repeat(100), 'm'],
      ['fine', 'm'],
    ]),
  ).toBe('OK')
  expect(relay.stats().scribe).toMatchObject({ good: names.length + 1, bad: 2 })
})

test('files go on where a relay before left them', async () => {
  const output = folder()
  for (const text of ['one\n', 'two']) {
    const relay = await startRelay({ listen, output, scribe: { listen } })
    const client = await scribeClient(relay.scribeAddress!)
    expect(await client.log([['a', text]])).toBe('OK')
    client.end()
    await relay.close()
  }
  expect(written(output, 'a')).toEqual(['one\ntwo'])
})

function intakeIn(output: string, limits: Partial<FileLimits> = {}) {
  const lines: string[] = []
  const taken: V1Span[] = []
  const store = { isFull: false }
  const rejections = new Rejections((line) => lines.push(line))
  const files = new Files(join(output, 'scribe'), rejections.log, { ...usualLimits, ...limits })
  onTestFinished(() => files.close())
  const intake = new Intake(
    new Routes({ b: 'b' }),
    files,
    new Counters(),
    (spans) => {
      if (!store.isFull) taken.push(...spans)
      return !store.isFull
    },
    rejections.reject,
  )
  const log = (...entries: [category: string, message: string][]) =>
    intake.log(entries.map(([category, message]) => ({ category, message: Buffer.from(message) })))
  return { intake, log, lines, taken, store, session: new ScribeSession(intake, '1', 2) }
}

test('a file that is full is followed by the next, also of a relay before, and no batch is in two', async () => {
  const output = folder()
  for (const texts of [['12345', '67890', 'a'], ['much longer than ten'], ['b']]) {
    const { log } = intakeIn(output, { file: 10 })
    for (const text of texts) expect(await log(['x', text])).toBe(true)
  }
  expect(written(output, 'x')).toEqual(['1234567890', 'a', 'much longer than ten', 'b'])
  expect(readdirSync(join(output, 'scribe/x'))).toContain('x_00003')
})

test('while spans find no room nothing of a batch is taken, and sent again it is there once', async () => {
  const output = folder()
  const { log, taken, store, intake } = intakeIn(output, { file: 10 })
  expect(await log(['a', '12345678'], ['b', 'b'])).toBe(true)
  store.isFull = true
  const batch: [string, string][] = [
    ['a', 'later'],
    ['zipkin', v1Message(whole(1))],
    ['b', 'c'],
    ['c', 'd'],
  ]
  for (let i = 0; i < 3; i++) expect(await log(...batch)).toBe(false)
  expect(taken).toEqual([])
  store.isFull = false
  expect(await log(...batch)).toBe(true)
  expect(taken.length).toBe(1)
  expect([written(output, 'a').join(''), written(output, 'b'), written(output, 'c')]).toEqual([
    '12345678later',
    ['bc'],
    ['d'],
  ])
  expect(Object.fromEntries(intake.counters.all())).toMatchObject({
    'scribe_overall:received good': 6,
    'scribe_overall:denied for queue size': 3,
    'a:received good': 2,
  })
})

test('a batch of many connections is never torn: each is there whole and once, whoever was put off', async () => {
  const output = folder()
  const { log, store } = intakeIn(output, { file: 4000, open: 2 })
  const batches = Array.from({ length: 200 }, (_, i) => String(i))
  await Promise.all(
    batches.map(async (n) => {
      while (
        !(await log(['a', `<${n}`], ['b', `<${n}>`], ['a', '>'], ['c', n], ['zipkin', v1Message(whole(1))]))
      ) {
        store.isFull = !store.isFull
      }
      if (Number(n) % 7 === 0) store.isFull = true
    }),
  )
  for (const place of ['a', 'b']) {
    const found = written(output, place).join('').match(/<\d+>/g)!
    expect(found.map((one) => one.slice(1, -1)).sort()).toEqual(batches.toSorted())
    expect(found.join('')).toBe(written(output, place).join(''))
  }
})

test('beyond the bytes for all files there is no room, until somebody makes some', async () => {
  const output = folder()
  const { log, lines, session } = intakeIn(output, { all: 20, look: 0 })
  expect(await log(['a', '0123456789'])).toBe(true)
  expect(await log(['b', '01234567890'])).toBe(false)
  expect(await session.getStatus()).toBe(fb_status.WARNING)
  expect(await session.getStatusDetails()).toMatch(/the files hold 10 bytes of 20; make room there/)
  expect(await log(['b', '01234567890'])).toBe(false)
  rmSync(join(output, 'scribe/a'), { recursive: true })
  expect(await log(['b', '01234567890'])).toBe(true)
  expect(await session.getStatus()).toBe(fb_status.ALIVE)
  expect(lines).toEqual([
    expect.stringMatching(/^scribe: try later: .*scribe: the files hold/),
    'scribe: messages are taken again',
  ])
})

test('what could not be looked at is looked at again: the bounds hold', async () => {
  const output = folder()
  const { log } = intakeIn(output, { all: 20 })
  symlinkSync('scribe', join(output, 'scribe')) // to itself: ELOOP
  expect(await log(['a', '1'])).toBe(false)
  rmSync(join(output, 'scribe'))
  mkdirSync(join(output, 'scribe/a'), { recursive: true })
  writeFileSync(join(output, 'scribe/a/a_00000'), 'x'.repeat(20))
  expect(await log(['a', '1'])).toBe(false)
})

test('so many files are open at once, those of a batch that has more until the next', async () => {
  const output = folder()
  const { log } = intakeIn(output, { open: 2 })
  const openFiles = () =>
    readdirSync('/proc/self/fd')
      .map((fd) => linkOf(`/proc/self/fd/${fd}`).replace(/.*\//, ''))
      .filter((name) => name.endsWith('_00000'))
      .map((name) => name[0])
      .sort()
      .join('')
  for (const [names, left] of [
    ...[['ab', 'ab'] as const, ['c', 'bc'] as const, ['bd', 'bd'] as const],
    ...[['abc', 'abc'] as const, ['b', 'bc'] as const],
  ]) {
    await log(...[...names].map((name): [string, string] => [name, '1']))
    expect(openFiles()).toBe(left)
  }
  expect(written(output, 'b').join('')).toBe('1111')
})

test('names without end find no room', async () => {
  const { log } = intakeIn(folder(), { folders: 2, look: 0 })
  expect(await log(['a', '1'], ['c', '1'])).toBe(true)
  expect(await log(['d', '1'])).toBe(false)
  expect(await log(['a', '1'])).toBe(true)
})

test('a disk that refuses puts off, and says so; what is there stays whole', async () => {
  const output = folder()
  const { relay, client } = await scribeIn(output)
  expect(await client.log([['a', 'a']])).toBe('OK')
  mkdirSync(join(output, 'scribe'), { recursive: true })
  writeFileSync(join(output, 'scribe/broken'), 'a file where a folder is to be')
  expect(
    await client.log([
      ['a', 'b'],
      ['broken', 'b'],
    ]),
  ).toBe('TRY_LATER')
  expect(written(output, 'a')).toEqual(['a'])
  rmSync(join(output, 'scribe/broken'))
  expect(
    await client.log([
      ['a', 'b'],
      ['broken', 'b'],
    ]),
  ).toBe('OK')
  expect(written(output, 'a')).toEqual(['ab'])
  expect(relay.lines.join()).toMatch(/try later: E(EXIST|NOTDIR)/)
})

test('a span in pieces is one span, whoever tells which, and in whichever order', async () => {
  const { relay, client, traces } = await scribeIn(folder())
  const [front, back] = [{ serviceName: 'front' }, { serviceName: 'back' }]
  const of = (rest: Partial<V1>): [string, string] => [
    'zipkin',
    v1Message({ traceId: 0xabcn, id: 1n, name: 'write', ...rest }),
  ]
  const pieces = [
    of({ annotations: [['cr', at + 90, front]] }),
    of({ tags: [['bytes', 'I32', Buffer.of(0, 0, 16, 0), back]] }),
    of({ annotations: [['sr', at + 20, back]] }),
    of({ annotations: [['queued', at + 30, back]] }),
    of({ annotations: [['cs', at, front]] }),
  ]
  for (const piece of pieces) expect(await client.log([piece])).toBe('OK')
  expect(await client.log([of({ annotations: [['ss', at + 70, back]] })])).toBe('OK')
  await until(() => relay.stats().tracing!.pieces === 6)
  expect(relay.stats().tracing).toMatchObject({ received: 0 })
  await until(() => relay.stats().tracing!.pieces === 0)
  const spans = (await traces('abc')).toSorted((a) => (a.kind === 'CLIENT' ? -1 : 1))
  const same = { traceId: '0000000000000abc', id: '0000000000000001', name: 'write' }
  expect(spans).toEqual([
    { ...same, kind: 'CLIENT', timestamp: at, duration: 90, localEndpoint: front },
    {
      ...{ ...same, kind: 'SERVER', timestamp: at + 20, duration: 50, localEndpoint: back, shared: true },
      annotations: [{ timestamp: at + 30, value: 'queued' }],
      tags: { bytes: '4096' },
    },
  ])
  expect(relay.stats().tracing).toMatchObject({ received: 2, scribed: 2 })
})

test('a piece that comes too late to be put together is joined where traces are read', () => {
  const host = { serviceName: 's' }
  const of = (rest: Partial<V1>) => spansFromV1(v1FromBytes(v1Struct({ traceId: 1n, id: 1n, ...rest })))
  const pieces = [
    ...of({ tags: [['late', 'BOOL', Buffer.of(1), host]] }),
    ...of({
      annotations: [
        ['cs', at, host],
        ['cr', at + 5, host],
      ],
    }),
    ...of({ annotations: [['queued', at + 2, host]] }),
  ]
  expect(mergeTrace(pieces)).toMatchObject([
    {
      kind: 'CLIENT',
      timestamp: at,
      duration: 5,
      tags: { late: 'true' },
      annotations: [{ value: 'queued' }],
    },
  ])
})

test('only this machine may log, and nothing is sent in a circle', async () => {
  const options = { listen, output: folder() }
  await expect(startRelay({ ...options, scribe: { listen: '0.0.0.0:0' } })).rejects.toThrow(
    'scribe.listen is "0.0.0.0:0"; expected a loopback address: Scribe\'s clients can show no token',
  )
  const circle = { scribe: { listen: '127.0.0.1:1463' }, tracing: { sinks: { scribe: 'localhost:1463' } } }
  await expect(startRelay({ ...options, ...circle })).rejects.toThrow(
    /sends to "localhost:1463"; expected another server/,
  )
})

test('a relay that is closing puts off what comes', async () => {
  const output = folder()
  const { intake, log, session } = intakeIn(output)
  intake.isClosing = true
  expect(await log(['a', 'b'])).toBe(false)
  expect(await session.getStatus()).toBe(fb_status.STOPPING)
  expect(readdirSync(output)).toEqual([])
})
