// test/wrong-ports.test.ts: programs, commands and sinks that are pointed at the port of something else: each says what it
// met there, and C++ and TypeScript say it in the same words. The relay's own ports are real; so are HTTP and TLS.
import { createServer as createHttp } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTls } from 'node:tls'
import { connectFleet } from '@blkin/relay'
import { expect, onTestFinished, test } from 'vitest'
import { blkin, ticking } from './support/cli.js'
import { freeAddress, relay, until } from './support/relays.js'
import { run } from './support/run.js'

function listening(server: Server): Promise<string> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  server.on('tlsClientError', () => {})
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(`127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`)
    })
  })
}

/** A server that says that to whoever connects, or to whoever said something first. */
const banner = (said: string, when: 'at once' | 'when asked' = 'at once') =>
  listening(
    createServer((socket) => {
      socket.on('error', () => {})
      const say = () => void socket.write(said, 'latin1')
      if (when === 'at once') say()
      socket.on('data', say)
    }),
  )

const http = 'it speaks HTTP, as a relay does at its --http address'

const foreign: [what: string, at: () => Promise<string>, words: string][] = [
  ['an HTTP server', () => listening(createHttp((_, answer) => answer.end())), http],
  ["a relay's --http", async () => (await relay({ tracing: { listen: '127.0.0.1:0' } })).httpAddress!, http],
  [
    'a TLS server',
    () => banner('\x15\x03\x01\x00\x02\x02\x46', 'when asked'), // an alert, as OpenSSL's s_server sends it
    'it speaks TLS, and this is plain TCP',
  ],
  ['sshd', () => banner('SSH-2.0-OpenSSH_9.2\r\n'), 'it speaks SSH'],
  ['Redis', () => banner('-ERR unknown command\r\n', 'when asked'), 'it speaks text that begins with "-ERR"'],
  ['a mail server', () => banner('220 mail ESMTP\r\n'), 'it speaks text that begins with "220 "'],
]

test.each(foreign)('%s is named, by a program and by a command', async (_, at, words) => {
  const address = await at()
  const { stderr } = await run(
    "import { flush, provider } from 'blkin'; provider('p', { e: {} }).e(); await flush(1000)",
    { env: { BLKIN_RELAY: address, BLKIN_ENABLE: '*:*' } },
  )
  expect(stderr).toBe(
    `blkin: relay ${address}: ${words}; expected a relay's --listen address; events wait in the rings, and those that find no room are counted as lost\n`,
  )
  const done = await blkin('ps', '--relay', address)
  expect(done.err).toBe(
    `blkin: ${address}: what came is no answer: ${words}; expected a relay's --listen address\n`,
  )
  expect(done.code).toBe(1)
})

test('one that closes the connection unanswered, as a TLS server of Node.js does, is no relay', async () => {
  const address = await listening(createTls())
  const { output } = await ticking({ env: { BLKIN_RELAY: address, BLKIN_ENABLE: '*:*' } })
  const words = 'it closed the connection unanswered; it is no relay, or has as many connections as it takes'
  await until(() => output().stderr.startsWith(`blkin: relay ${address}: ${words}; events wait`))
  expect((await blkin('ps', '--relay', address)).err).toBe(`blkin: ${address}: ${words}\n`)
})

test("a relay's Scribe port is named too", async () => {
  const { scribeAddress = '' } = await relay({ scribe: { listen: '127.0.0.1:0' } })
  const { pid } = await ticking({ env: { BLKIN_RELAY: scribeAddress, BLKIN_ENABLE: '*:*' } })
  const words =
    /it is a Thrift server of another kind, such as Scribe's \(Unknown function hello\); expected a relay's --listen/
  await until(async () => words.test((await blkin('ps', '-p', pid)).out))
  await expect(connectFleet(scribeAddress)).rejects.toThrow(
    `${scribeAddress}: it is a Thrift server of another kind (Unknown function greet); expected a relay's --listen`,
  )
})

test('nobody: the relay to start is named', async () => {
  const address = await freeAddress()
  const { pid, output } = await ticking({ env: { BLKIN_RELAY: address, BLKIN_ENABLE: '*:*' } })
  const words = `connect: Connection refused; start a relay there: blkin relay --listen ${address}`
  await until(() => output().stderr.includes(`blkin: relay ${address}: ${words}; events wait`))
  expect((await blkin('ps', '-p', pid)).out).toContain(words)
  expect((await blkin('ps', '--relay', address)).err).toContain(
    `nobody listens there; start one there: blkin relay --listen ${address}`,
  )
})

test('one that takes the connection and says nothing: that is said, and it is tried again', async () => {
  const address = await listening(createServer((socket) => socket.on('error', () => {}).resume()))
  const { pid, output } = await ticking({ env: { BLKIN_RELAY: address, BLKIN_ENABLE: '*:*' } })
  const words = "it took the connection and has not answered for 5 s; expected a relay's --listen address"
  await until(() => output().stderr.startsWith(`blkin: relay ${address}: ${words}; events wait`))
  expect((await blkin('ps', '-p', pid)).out).toContain(`connecting ${address}: ${words}`)
})

test('a sink at the wrong port says what it met', async () => {
  const { address: listens, httpAddress = '' } = await relay({ tracing: { listen: '127.0.0.1:0' } })
  const sshd = await banner('SSH-2.0-OpenSSH_9.2\r\n')
  const span = {
    traceId: '00000000000000ab',
    id: '00000000000000ab',
    name: 'x',
    localEndpoint: { serviceName: 's' },
  }
  const cases: [sink: Record<string, string>, words: string][] = [
    [{ zipkin: `http://${listens}` }, 'it ended the connection without an answer of HTTP (UND_ERR_SOCKET)'],
    [{ zipkin: `http://${sshd}` }, 'it does not speak HTTP (HPE_INVALID_CONSTANT)'],
    [
      { otlp: `https://${httpAddress}` },
      'it does not speak TLS; expected http:// (ERR_SSL_WRONG_VERSION_NUMBER)',
    ],
    [{ scribe: httpAddress }, http],
    [{ scribe: listens }, 'it is a Thrift server of another kind (Unknown function Log)'],
  ]
  for (const [sink, words] of cases) {
    const { httpAddress: at, lines } = await relay({ tracing: { listen: '127.0.0.1:0', sinks: sink } })
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify([{ ...span, timestamp: Date.now() * 1000, duration: 5 }])
    await fetch(`http://${at}/api/v2/spans`, { method: 'POST', headers, body })
    await until(() => lines.some((line) => line.endsWith(words)))
  }
})

test('what comes to a relay that is no call of ours is told in its log', async () => {
  const { address, lines } = await relay()
  await fetch(`http://${address}/api/v2/spans`).catch(() => {})
  await until(() => lines.some((line) => line.includes(http)))
  await fetch(`https://${address}/`).catch(() => {})
  await until(() => lines.some((line) => line.includes('it speaks TLS')))
})
