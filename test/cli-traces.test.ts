// test/cli-traces.test.ts: `blkin traces` and `blkin trace` as a user types them: at a relay, with spans of two processes,
// and at servers that are away, refuse, or answer with what is no trace.
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { blkin, cli, type Done, json, startBlkin } from './support/cli.js'
import { freeAddress, relay, until } from './support/relays.js'
import { program, result } from './support/run.js'
import { terminal } from './support/tmux.js'
import { describeWith } from './support/tools.js'

interface Listed {
  traceId: string
  spans: number
  services: { service: string; spans: number }[]
}

/** A relay that has one trace of two processes. */
async function traced() {
  const to = await relay({ tracing: { listen: '127.0.0.1:0' } })
  const http = to.httpAddress!
  const { traceId, stored } = await result<{ traceId: string; stored: boolean }>(
    program('two-processes.mjs'),
    { env: { ...to.env, BLKIN_NAME: 'front' } },
  )
  expect(stored).toBe(true)
  const at = (...args: string[]) => blkin(...args, '--http', http)
  await until(async () => json<Listed>(await at('traces', '--json'))[0]?.spans === 5)
  return { http, traceId, at, address: to.address }
}

/** What a test may say of what it drew: times are another each time, and columns as wide as they. */
const drawn = ({ out }: Done): string[] =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}/, 'WHEN'))
    .map((line) => line.replace(/[+-]?\b\d+(\.\d+)?(ns|us|ms|s)\b/g, 'TIME').replace(/(?<=\S) {2,}/g, ' '))

describe('at a relay', () => {
  test('a trace of two processes is found, and drawn with the server below its client', async () => {
    const { traceId, at } = await traced()
    expect(drawn(await at('traces'))).toEqual([
      'TRACE WHEN DURATION SPANS ERRORS SERVICES ROOT',
      `${traceId} WHEN TIME 5 1 front 3, store 2 front: write`,
    ])
    const { code, err, ...rest } = await at('trace', traceId)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(drawn({ code, err, ...rest })).toEqual([
      `trace ${traceId}: 5 spans, 2 services, TIME, WHEN, 1 error`,
      'SPAN START DURATION',
      'front: write [server] 0 TIME',
      '│  remote qemu 10.0.0.9:4711'.replace('  ', ' '),
      '│ bytes = 4096',
      '│ evil = a\\x1b[31mred\\x9b2J\\nnext',
      '│ TIME queued',
      '├─ front: lookup TIME TIME',
      '└─ front: put [client] TIME TIME',
      '   └─ store: put [server] TIME TIME',
      '      │ error = disk full',
      '      └─ store: sync TIME TIME',
    ])
  })

  test('--json: a trace a line, a span a line, and no mark that a terminal would obey', async () => {
    const { traceId, at } = await traced()
    const [found, ...others] = json<object>(await at('traces', '--json'))
    expect(others).toEqual([])
    expect(found).toEqual({
      ...{ traceId, spans: 5, errors: 1, withoutEnd: 0 },
      ...{ timestamp: expect.any(Number), duration: expect.any(Number) },
      services: [
        { service: 'front', spans: 3 },
        { service: 'store', spans: 2 },
      ],
      root: { service: 'front', name: 'write' },
    })
    const shown = await at('trace', traceId.toUpperCase(), '--json')
    expect(shown.out).not.toMatch(/[^\P{Cc}\n]/u)
    const spans = json<{ name: string; shared?: true; tags?: Record<string, string> }>(shown)
    expect(spans).toHaveLength(5)
    expect(spans.find(({ name }) => name === 'write')?.tags?.evil).toBe('a\u001b[31mred\u009b2J\nnext')
    expect(spans.filter(({ shared }) => shared)).toHaveLength(1)
  })

  test('each flag is a condition, by itself and with others', async () => {
    const { at } = await traced()
    const finds: [boolean, string[]][] = [
      [true, ['--service', 'FRONT', '--span', 'write', '--remote', 'qemu']],
      [true, ['--tag', 'bytes=4096', '--tag', 'queued']],
      [true, ['--tag', 'queued and bytes=4096', '--last', '1h', '--limit', '1']],
      [true, ['--min', '1us', '--max', '1h']],
      [true, ['--max', '1h']],
      [false, ['--min', '1h']],
      [false, ['--service', 'store', '--span', 'write']],
      [false, ['--tag', 'bytes=4096', '--tag', 'bytes=1']],
      [false, ['--tag', 'bytes=4096', '--tag', 'dropped']],
      [false, ['--remote', 'nobody']],
    ]
    for (const [isFound, flags] of finds) {
      const { code, err } = await at('traces', ...flags)
      expect({ flags, code, err }).toEqual(
        isFound
          ? { flags, code: 0, err: '' }
          : { flags, code: 3, err: expect.stringMatching(/^blkin: no such trace at http.*--last looks/) },
      )
    }
  })

  test('what is not there is told, with what is', async () => {
    const { at } = await traced()
    const unknown = await at('trace', 'fff')
    expect(unknown.err).toMatch(
      /^blkin: 0000000000000fff not found at http:.*; blkin traces lists what is there\n$/,
    )
    expect(unknown).toMatchObject({ code: 3, out: '' })
    const misspelt = await at('traces', '--service', 'stor')
    expect(misspelt.err).toMatch(/no service "stor" at http:\S+; there is store\n$/)
    expect(misspelt.code).toBe(3)
  })

  test('the Tab key offers services, names and ids that are there', async () => {
    const { http, traceId } = await traced()
    const words = async (...line: string[]) =>
      (await blkin('complete', '--', ...line)).out.split('\n').map((one) => one.split('\t')[0])
    expect(await words('traces', '--http', http, '--service', '')).toEqual(['front', 'store', ''])
    expect(await words('traces', '--http', http, '--service', 'store', '--span', 's')).toEqual(['sync', ''])
    expect(await words('traces', '--http', http, '--service', 'front', '--remote', '')).toContain('qemu')
    expect(await words('trace', '--http', http, traceId.slice(0, 3))).toEqual([traceId, ''])
    expect(await words('traces', '--li')).toEqual(['--limit', ''])
    expect(await words('trace', '--http', await freeAddress(), '')).toEqual([''])
  })

  describeWith(['tmux'], 'in a terminal', () => {
    test('there are bars where there is room, and none where there is not', async () => {
      const { http, traceId } = await traced()
      const screen = terminal(100, 24)
      screen.type(`${process.execPath} ${cli} trace ${traceId} --http ${http}`, 'Enter')
      await screen.shows(/^front: write \[server\] +0 +\S+ +█+$/m)
      await screen.shows(/^└─ front: put \[client\] .*█+$/m)
      screen.resize(70, 24)
      screen.type('clear', 'Enter', `${process.execPath} ${cli} trace ${traceId} --http ${http}`, 'Enter')
      await screen.shows(/^front: write \[server\] +0 +\S+$/m)
      expect(screen.screen().join('\n')).not.toContain('█')
    })
  })
})

/** An HTTP server that answers everything in one way. */
async function server(answer: RequestListener): Promise<string> {
  const made = createServer(answer).listen(0, '127.0.0.1')
  await once(made, 'listening')
  onTestFinished(() => void made.close().closeAllConnections())
  return `127.0.0.1:${(made.address() as AddressInfo).port}`
}

const says = (status: number, body: string, headers = {}): Promise<string> =>
  server((_, response) => response.writeHead(status, headers).end(body))

describe('elsewhere', () => {
  test('what cannot be asked is told, with what to do', async () => {
    const away = await freeAddress()
    const { address } = await relay()
    const trace = (more: object) => JSON.stringify([{ traceId: 'a', id: 'b', ...more }])
    const refused: [string, RegExp][] = [
      [away, /nobody answers at \S+ \(ECONNREFUSED\); start a relay there: blkin relay --http 127/],
      [address, /does not speak HTTP .*; a relay does where its --http says, not where its --listen says/],
      [await says(404, '<html>'), /no Zipkin API at http\S+; --http says where one is/],
      [await says(200, '<html>'), /no Zipkin API at http\S+: what it answers is no JSON/],
      [
        await says(302, '', { location: 'http://x/' }),
        /sends elsewhere, to http:\/\/x\/: say that with --http/,
      ],
      [await says(500, 'so\x1b[31msorry'), /answered 500: so\\x1b\[31msorry\n/],
      [await says(200, trace({ id: 'zz' })), /no trace of Zipkin's: zz should be lower-hex/],
      [await says(200, trace({ tags: { a: {} } })), /no trace of Zipkin's: .*\$\[0\]\.tags\.a/],
    ]
    for (const [http, words] of refused) {
      const { code, out, err } = await blkin('trace', 'a', '--http', http)
      expect({ code, out, err }).toEqual({ code: 1, out: '', err: expect.stringMatching(words) })
    }
    const { err } = await blkin('traces', '--http', await says(200, '{}'))
    expect(err).toMatch(/no trace of Zipkin's: Expected an array at path \$/)
  })

  test('a token is shown where it is asked for, and to nobody else', async () => {
    const to = await relay({ tracing: { listen: '127.0.0.1:0' }, token: 'secret' })
    const http = to.httpAddress!
    expect((await blkin('traces', '--http', http)).err).toMatch(
      /missing or wrong; set BLKIN_TOKEN to the relay/,
    )
    const shown = await startBlkin(['traces', '--http', http], { BLKIN_TOKEN: 'secret' }).done
    expect(shown.err).toMatch(/has no spans yet; programs send them with BLKIN_ENABLE='blkin:\*'/)
    expect(shown.code).toBe(3)
    const heard: (string | undefined)[] = []
    const other = await server((request, response) => {
      heard.push(request.headers.authorization)
      response.end('[]')
    })
    const sending = await says(302, '', { location: `http://${other}/` })
    await startBlkin(['traces', '--http', sending], { BLKIN_TOKEN: 'secret' }).done
    expect(heard).toEqual([])
  })

  test('a URL with a path is asked below that path', async () => {
    const asked: (string | undefined)[] = []
    const http = await server(({ url }, response) => {
      asked.push(url)
      response.end(JSON.stringify([{ traceId: 'a', id: 'b' }]))
    })
    const { code, out } = await blkin('trace', 'a', '--http', `http://${http}/zipkin/`)
    expect({ code, asked }).toEqual({ code: 0, asked: ['/zipkin/api/v2/trace/a'] })
    expect(out).toBe(
      'trace 000000000000000a: 1 span, 0 services, 1 without an end\n' +
        'SPAN      START   DURATION\n' +
        '?: ?          ?     no end\n',
    )
  })

  test('a wrong command line is told before anybody is asked', async () => {
    const refused: [string[], RegExp][] = [
      [['trace', 'zz'], /ID: "zz": expected 1 to 32 hex digits that are not all 0, such as 463a/],
      [['trace', '000'], /ID: "000": expected 1 to 32 hex digits that are not all 0/],
      [['trace', 'a', '--http', 'x'], /--http: "x": expected HOST:PORT such as 127.0.0.1:4651, or a URL/],
      [['trace', 'a', '--http', 'http://u:p@x/'], /--http: "http:\/\/u:p@x\/": expected HOST:PORT/],
      [['traces', '--min', '20'], /--min: "20": expected a time such as 500us, 20ms/],
      [['traces', '--min', '2s', '--max', '20ms'], /--max is 20.0ms; expected no less than --min, 2.00s/],
      [['traces', '--limit', '0'], /--limit: "0": expected a whole number from 1 to 10000/],
      [['traces', '--tag', '=x'], /--tag: "=x": expected KEY=VALUE, or KEY for any value/],
    ]
    for (const [args, words] of refused) {
      const { code, out, err } = await blkin(...args)
      expect({ args, code, out, err }).toEqual({ args, code: 2, out: '', err: expect.stringMatching(words) })
    }
  })
})
