// test/cli.test.ts: the command as a user types it: what it prints where, what it leaves, and how it exits.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { makeProgram } from '../lib/cli/program.js'
import { checkId } from '../lib/cli/verbs/trace.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const cli = join(root, 'dist/cli/main.js')
const program = join(root, 'test/programs/blk.mjs')
const folder = mkdtempSync(join(tmpdir(), 'blkin-cli-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let traces = 0
const freshTrace = () => join(folder, `trace-${++traces}`)

function blkin(...args: string[]) {
  const done = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 })
  return { code: done.status, out: done.stdout, err: done.stderr }
}

const record = (trace: string, ...args: string[]) =>
  blkin('record', '-o', trace, '-e', 'blockstore:*', ...args)

/** The events of a trace, as `view --json` prints them. */
const eventsOf = (trace: string, ...args: string[]) =>
  blkin('view', trace, '--json', ...args)
    .out.split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { event: string; fields: Record<string, unknown> })

/** Starts a command that runs on; resolves with it once it printed a line that matches. */
async function start(command: string, args: string[], until: RegExp, env = {}): Promise<ChildProcess> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => until.test(line) && child.emit('said', line))
  }
  await once(child, 'said')
  return child
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  const exited = once(child, 'exit')
  child.kill(signal)
  const [code] = (await exited) as [number | null]
  return code
}

describe('blkin record', () => {
  test('says what was recorded on stderr, and leaves stdout to the command', () => {
    const trace = freshTrace()
    const { code, out, err } = record(trace, '--', process.execPath, program, '1000')
    expect({ code, out }).toEqual({ code: 0, out: 'emitted\n' })
    expect(err).toMatch(/^blkin: recorded 2,000 events from 1 process to .* \(.* kB\), 0 lost\n$/)
    const events = eventsOf(trace)
    expect(events).toHaveLength(2000)
    expect(events[0]?.fields).toEqual({ op: 'write', offset: 0, length: 4096 })
    expect(events[1999]?.fields).toEqual({ object: 'disk0.999', offset: 999 })
  })

  test.each([
    ['exit', 7],
    ['throw', 1],
    ['kill', 137],
  ])('a command that ends by %s gives its exit code, and loses nothing', (how, expected) => {
    const trace = freshTrace()
    const { code, err } = record(trace, '--', process.execPath, program, '20000', how)
    expect(code).toBe(expected)
    expect(err).toMatch(/recorded 40,000 events from 1 process .* 0 lost/)
    expect(eventsOf(trace)).toHaveLength(40000)
  })

  test('a command whose event loop is blocked is recorded until it is killed', async () => {
    const trace = freshTrace()
    const args = [cli, 'record', '-o', trace, '-e', '*:*', '--', process.execPath, program, '5000', 'block']
    const child = await start(process.execPath, args, /emitted/)
    for (let seen = 0; seen < 10000; )
      seen = existsSync(trace) && readdirSync(trace).length > 0 ? eventsOf(trace).length : 0
    expect(await end(child, 'SIGTERM')).toBe(128 + 15)
    expect(eventsOf(trace)).toHaveLength(10000)
  })

  test('-x leaves out, -l keeps what is severe enough', () => {
    const names = (...flags: string[]) => {
      const trace = freshTrace()
      record(trace, ...flags, '--', process.execPath, program, '1')
      return eventsOf(trace).map(({ event }) => event)
    }
    expect(names()).toEqual(['request', 'mapped'])
    expect(names('-x', 'blockstore:req*')).toEqual(['mapped'])
    expect(names('-l', 'info')).toEqual(['request'])
  })

  test('a pattern that nothing matched is told, with an exit code of its own', () => {
    const { code, err } = blkin('record', '-o', freshTrace(), '-e', 'disk:*', '--', process.execPath, program)
    expect(code).toBe(3)
    expect(err).toBe(
      `blkin: no tracepoint matches disk:*; there are blockstore:*
blkin: recorded nothing: no tracepoint that disk:* covers was declared and hit\n`,
    )
  })

  test('a pattern with a slip in it is told what is near, whether others recorded something or not', () => {
    const near = 'blkin: no tracepoint matches blokstore:*; nearest: blockstore:mapped, blockstore:request\n'
    const nothing = 'blkin: recorded nothing: no tracepoint that blokstore:* covers was declared and hit\n'
    const { code, err } = blkin(
      'record',
      '-o',
      freshTrace(),
      '-e',
      'blokstore:*',
      '--',
      process.execPath,
      program,
    )
    expect({ code, err }).toEqual({ code: 3, err: near + nothing })
    const both = record(freshTrace(), '-e', 'blokstore:*', '--', process.execPath, program, '1')
    expect(both.code).toBe(0)
    expect(both.err).toMatch(new RegExp(`^${near.replaceAll('*', '\\*')}blkin: recorded 2 events`))
  })

  test('what was lost is told with its reason and with what keeps it', () => {
    const burst = join(root, 'test/programs/burst.mjs')
    const { err } = record(freshTrace(), '-e', '*:*', '-b', '2x8K', '--', process.execPath, burst, '200000')
    expect(err).toMatch(
      /, [\d,]+ lost \(no room: [\d,]+\)\nlost for no room: a ring was full; --buffer 8x8K \(BLKIN_BUFFER\) has room/,
    )
  })

  test('what is wrong with the command line is said, with exit code 2', () => {
    const trace = freshTrace()
    record(trace, '--', process.execPath, program)
    const refused: [string[], RegExp][] = [
      [['-e', 'blockstore', '--', 'true'], /-e: pattern "blockstore": expected provider:event/],
      [['--', 'true'], /-e is missing; expected a pattern/],
      [['-e', 'a:*', '-b', '3x1M', '--', 'true'], /--buffer: "3x1M": expected COUNTxSIZE such as 4x1M/],
      [['-e', 'a:*', '-l', 'loud', '--', 'true'], /'loud' is invalid. Allowed choices are emerg, alert/],
      [['-e', 'a:*', '-o', trace, '--', 'true'], /the folder is not empty; expected a new one/],
      [['-e', 'a:*'], /expected -p TARGET for processes that run already, or a command behind --/],
    ]
    for (const [args, words] of refused) {
      const { code, err } = blkin('record', ...args)
      expect(err).toMatch(words)
      expect(code).toBe(2)
    }
  })

  test('a command that does not exist gives 127, as in a shell', () => {
    const { code, err } = blkin('record', '-o', freshTrace(), '-e', 'a:*', '--', 'no-such-command')
    expect(code).toBe(127)
    expect(err).toContain('blkin: no-such-command: no such command\n')
  })
})

describe('blkin relay', () => {
  test('takes what a killed program left, while it runs', async () => {
    const trace = freshTrace()
    const args = [cli, 'relay', '--listen', '127.0.0.1:0', '-o', trace]
    const relay = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    const lines = createInterface({ input: relay.stderr })[Symbol.asyncIterator]()
    const [, address = ''] = /listening on (\S+),/.exec((await lines.next()).value) ?? []
    const env = { ...process.env, BLKIN_RELAY: address, BLKIN_ENABLE: 'blockstore:*' }
    const { signal } = spawnSync(process.execPath, [program, '20000', 'kill'], { env })
    expect(signal).toBe('SIGKILL')
    let line = ''
    while (!/events came from what a dead process left$/.test(line)) line = (await lines.next()).value
    expect(eventsOf(trace)).toHaveLength(40000)
    expect(await end(relay, 'SIGTERM')).toBe(0)
  })

  test('collects many processes that were pointed to it by their environment', async () => {
    const output = freshTrace()
    const relay = spawn(process.execPath, [cli, 'relay', '--listen', '127.0.0.1:0', '-o', output])
    const [line] = (await once(createInterface({ input: relay.stderr }), 'line')) as [string]
    const [, address] = /listening on (\S+), traces go to/.exec(line) ?? []
    const env = { ...process.env, BLKIN_RELAY: address, BLKIN_ENABLE: 'blockstore:*' }
    const args = ['--import', join(root, 'dist/register.js'), program, '500']
    const children = Array.from({ length: 6 }, () => spawn(process.execPath, args, { env, stdio: 'ignore' }))
    await Promise.all(children.map((child) => once(child, 'exit')))
    expect(await end(relay, 'SIGTERM')).toBe(0)
    expect(readdirSync(output)).toHaveLength(6)
    expect(eventsOf(output)).toHaveLength(6 * 1000)
  })

  test('anything but loopback needs a token', () => {
    const { code, err } = blkin('relay', '--listen', '0.0.0.0:0', '-o', freshTrace())
    expect(err).toMatch(
      /listen is "0.0.0.0:0" and token is missing; expected a token on anything but loopback/,
    )
    expect(code).toBe(2)
  })
})

describe('blkin relay --scribe-listen', () => {
  const args = ['relay', '--listen', '127.0.0.1:0', '--scribe-listen', '127.0.0.1:0', '--json']

  test('takes messages, tells where, and what came', async () => {
    const output = freshTrace()
    const categories = ['--category', 'app*=app,*=other']
    const relay = spawn(process.execPath, [cli, ...args, ...categories, '-o', output])
    const lines = createInterface({ input: relay.stdout })[Symbol.asyncIterator]()
    const { scribe } = JSON.parse((await lines.next()).value) as { scribe: string }
    // Log([LogEntry('app.1', 'hello')]) in the protocol that is not strict, in a frame
    const text = (words: string) => Buffer.concat([Buffer.of(0, 0, 0, words.length), Buffer.from(words)])
    const entry = [Buffer.of(11, 0, 1), text('app.1'), Buffer.of(11, 0, 2), text('hello'), Buffer.of(0)]
    const call = [text('Log'), Buffer.of(1, 0, 0, 0, 1, 15, 0, 1, 12, 0, 0, 0, 1), ...entry, Buffer.of(0)]
    const socket = connect(Number(scribe.split(':')[1]), '127.0.0.1')
    socket.write(Buffer.concat([Buffer.of(0, 0, 0, Buffer.concat(call).length), ...call]))
    await once(socket, 'data')
    socket.destroy()
    expect(await end(relay, 'SIGTERM')).toBe(0)
    expect(JSON.parse((await lines.next()).value).scribe).toMatchObject({ good: 1, bad: 0, bytes: 5 })
    expect(readFileSync(join(output, 'scribe/app/app_00000'), 'utf8')).toBe('hello')
  })

  test('refuses what it cannot mean', () => {
    const alone = blkin('relay', '--category', 'a=b', '-o', freshTrace())
    expect(alone).toMatchObject({
      code: 2,
      err: "blkin: --category is about Scribe's messages; expected --scribe-listen with it\n",
    })
    const wrong = blkin(...args, '--category', 'a', '-o', freshTrace())
    expect(wrong).toMatchObject({
      code: 2,
      err: expect.stringMatching(/--category: "a"; expected PATTERN=FOLDER/),
    })
  })

  test.each([
    [['--category', 'a=../b'], /"a" goes to "..\/b"; expected "spans"/],
    [['--scribe-listen', '0.0.0.0:1'], /scribe.listen is "0.0.0.0:1"; expected a loopback address/],
    [['--scribe-listen', '127.0.0.1:9', '--scribe', '127.0.0.1:9'], /expected another server than itself/],
    [['--http', '127.0.0.1:9', '--zipkin', 'http://127.0.0.1:9'], /expected another server than itself/],
    [['--http', '127.0.0.1:0', '--zipkin', 'ftp://x'], /sink "ftp:\/\/x": expected a URL/],
    [['--http', '0.0.0.0:0'], /http is "0.0.0.0:0" and token is missing; expected a token on anything but/],
    [['--http', 'here'], /http is "here"; expected host:port/],
  ])("the value of %s is the user's, and nothing is changed", (wrong, words) => {
    const output = freshTrace()
    const given = ['--listen', '127.0.0.1:0', '-o', output, '--scribe-listen', '127.0.0.1:0']
    const asked = blkin('relay', ...given, ...wrong)
    expect(asked).toMatchObject({ code: 2, err: expect.stringMatching(words) })
    expect(existsSync(output)).toBe(false)
  })
})

describe('blkin relay --sample', () => {
  test('is about spans, and is a share or a number a second', () => {
    const relay = (...args: string[]) =>
      blkin('relay', '--listen', '127.0.0.1:0', '-o', freshTrace(), ...args)
    const alone = relay('--sample', '50/s')
    expect(alone).toMatchObject({
      code: 2,
      err: 'blkin: --sample is about spans; expected --http, --zipkin, --scribe, --otlp, --alerts or --scribe-listen with it\n',
    })
    const wrong = relay('--http', '127.0.0.1:0', '--sample', '2')
    expect(wrong).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^blkin: --sample: sample "2": expected/),
    })
  })

  test('is no variable: BLKIN_SAMPLE, which programs read, is not about it', async () => {
    const args = [cli, 'relay', '--listen', '127.0.0.1:0', '-o', freshTrace()]
    const relay = await start(process.execPath, args, /listening on/, { BLKIN_SAMPLE: '1%' })
    expect(await end(relay, 'SIGTERM')).toBe(0)
  })
})

describe('blkin view', () => {
  test('prints what babeltrace2 prints, when that is here', ({ skip }) => {
    const trace = freshTrace()
    record(trace, '--', process.execPath, program, '50')
    const theirs = spawnSync('babeltrace2', [trace], { encoding: 'utf8' })
    skip(theirs.error !== undefined, 'babeltrace2 is not here')
    expect(blkin('view', trace).out).toBe(theirs.stdout)
  })

  test('ids of spans are in hexadecimal, as babeltrace2 prints them and `blkin trace` takes them', ({
    skip,
  }) => {
    const trace = freshTrace()
    record(trace, '-e', 'blkin:*', '--', process.execPath, join(root, 'test/programs/spans.mjs'))
    const { out } = blkin('view', trace, '-e', 'blkin:span_begin')
    const [, shown = ''] = /trace_low = (0x[0-9A-F]+), span = 0x[0-9A-F]+, parent = 0x0,/.exec(out) ?? []
    const given = eventsOf(trace, '-e', 'blkin:span_begin').map(({ fields }) => fields.trace_low as string)
    expect(given).toContain(checkId(shown).padStart(16, '0'))
    for (const id of given) expect(id).toMatch(/^[0-9a-f]{16}$/)
    const theirs = spawnSync('babeltrace2', [trace], { encoding: 'utf8' })
    skip(theirs.error !== undefined, 'babeltrace2 is not here')
    expect(blkin('view', trace).out).toBe(theirs.stdout)
  })

  test('patterns and times choose; nothing chosen is exit code 3', () => {
    const trace = freshTrace()
    record(trace, '--', process.execPath, program, '50')
    expect(eventsOf(trace, '-e', 'blockstore:map*')).toHaveLength(50)
    expect(eventsOf(trace, '--until', '+100s')).toHaveLength(100)
    expect(blkin('view', trace, '--since', '+100s')).toEqual({ code: 3, out: '', err: '' })
  })

  test('a foreign folder, a missing one and a bad time get one clear line', () => {
    for (const [args, words, expected] of [
      [
        [folder, '--since', 'soon'],
        /^blkin: --since is "soon"; expected a day and time that there is.*\n$/,
        2,
      ],
      [[folder, '--until', '2026-02-30T00:00:00Z'], /^blkin: --until is "2026-02-30T00:00:00Z"; .*\n$/, 2],
      [[join(folder, 'nowhere')], /^blkin: .*nowhere: no such folder\n$/, 3],
      [[join(root, 'docs')], /^blkin: .*docs.*\n$/, 3],
    ] as [string[], RegExp, number][]) {
      const { code, err } = blkin('view', ...args)
      expect(err).toMatch(words)
      expect(code).toBe(expected)
    }
  })

  test('a trace of LTTng beside ours is passed over with a line, and one that is broken fails', () => {
    const trace = freshTrace()
    record(join(trace, 'ours'), '--', process.execPath, program, '1')
    mkdirSync(join(trace, 'lttng'))
    writeFileSync(join(trace, 'lttng/metadata'), 'env { tracer_name = "lttng-ust"; };')
    const { code, out, err } = blkin('view', trace)
    expect({ code, lines: out.trim().split('\n').length }).toEqual({ code: 0, lines: 2 })
    expect(err).toMatch(
      /^blkin: .*\/lttng: not a blkin trace \(tracer_name is "lttng-ust"\); .*; passed over\n$/,
    )
    writeFileSync(join(trace, 'lttng/metadata'), 'env { tracer_name = "blkin"; };')
    mkdirSync(join(trace, 'broken/metadata'), { recursive: true })
    expect(blkin('view', trace)).toMatchObject({ code: 1, out })
  })
})

/** What the tracer reads, as the head of its file lists it. */
const tracerVariables = [
  ...readFileSync(join(root, 'lib/environment.ts'), 'utf8').matchAll(/^\/\/ {3}(.*)$/gm),
].flatMap(([, line]) => [...line!.matchAll(/BLKIN_\w+/g)].map(([name]) => name))

/** URLs that may hold a password. */
const secrets = ['BLKIN_ZIPKIN', 'BLKIN_OTLP', 'BLKIN_WEBHOOK', 'BLKIN_ALERTMANAGER']

test('the table in docs/cli.md has every flag, and its variable, which a tracer reads too or is a secret', () => {
  const table = readFileSync(join(root, 'docs/cli.md'), 'utf8').split('\n')
  const flags = makeProgram().commands.flatMap((verb) =>
    verb.options.map(({ long, envVar }) => ({ verb: verb.name(), flag: long!, variable: envVar })),
  )
  expect(flags.length).toBeGreaterThan(60)
  for (const { verb, flag, variable } of flags) {
    if (variable !== undefined)
      expect([...tracerVariables, ...secrets], `${verb} ${flag}`).toContain(variable)
    const row = table.find((one) => {
      const [, names = '', , variables = ''] = one.split('|')
      const isSame = variable === undefined ? !variables.includes('BLKIN_') : variables.includes(variable)
      return new RegExp(`${flag}\\b(?!-)`).test(names) && isSame
    })
    expect(row, `${verb} ${flag} ${variable}`).toBeDefined()
  }
})

test('record passes its flags on to the command by its variables, and says it in JSON on stderr', () => {
  const trace = freshTrace()
  const names = ['EXACTLY', 'FILTER', 'SAMPLE', 'BUFFER', 'MODE', 'CONTEXT', 'EXCLUDE'].map(
    (name) => `process.env.BLKIN_${name}`,
  )
  const flags = [
    '--exactly',
    'info',
    '-f',
    'length > 1',
    '--sample',
    '50%',
    '-b',
    '2x64K',
    '--mode',
    'block:7',
    '-c',
    'tid,cpu',
    '-x',
    'a:b',
  ]
  const { out, err } = record(
    trace,
    ...flags,
    '--json',
    '--',
    process.execPath,
    '-p',
    `JSON.stringify([${names}])`,
  )
  expect(JSON.parse(out)).toEqual(['info', 'length > 1', '1/2', '2x65536', 'block:7', 'tid,cpu', 'a:b'])
  expect(JSON.parse(err)).toMatchObject({ events: 0, lost: 0, output: trace, exit: 0 })
})

test('what the environment says is recorded where no flag says else', () => {
  const trace = freshTrace()
  const env = {
    ...process.env,
    BLKIN_ENABLE: 'blockstore:*',
    BLKIN_LEVEL: 'info',
    BLKIN_RELAY: '127.0.0.1:1',
  }
  const done = spawnSync(
    process.execPath,
    [cli, 'record', '-o', trace, '--', process.execPath, program, '3'],
    {
      encoding: 'utf8',
      env,
    },
  )
  expect(done.stderr).toMatch(/recorded 3 events from 1 process/)
  expect(eventsOf(trace).map(({ event }) => event)).toEqual(['request', 'request', 'request'])
})
