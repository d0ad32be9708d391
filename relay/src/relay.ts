// relay/src/relay.ts: a running relay: it listens, counts and closes. The CLI and embedders call startRelay().
// It never prints: what happens to a connection goes to `log`, and everything it counts is in stats().

import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { isLoopback, parseAddress } from './intake/address.js'
import { Connection } from './intake/connection.js'
import { Feed } from './live/feed.js'
import { Followers } from './live/followers.js'
import { LiveTraces } from './live/live-traces.js'
import type { TraceItem } from './read/merge.js'
import { RuleBook } from './rules/rule-book.js'
import { Tap } from './spans/tap.js'
import { Tracing, type TracingOptions, type TracingStats } from './spans/tracing.js'
import { Processes, type ProcessStats } from './store/processes.js'
import { TraceFiles } from './store/trace.js'

export interface RelayOptions {
  /** host:port; port 0 takes any that is free. */
  listen: string
  /** The folder under which each process gets its trace. Either this or `live`. */
  output?: string
  /**
   * Takes events and losses as they come, in the order of time, instead of files: nothing is kept. Called at most
   * every 20 ms or so, with what came 0.1 s ago; it must not throw, and while it runs the relay takes nothing.
   */
  live?: (items: TraceItem[]) => void
  /** Assembles spans, keeps them under `output` and answers Zipkin's API. */
  http?: TracingOptions
  /** What every client must say; needed to listen on anything but loopback. */
  token?: string
  log?: (line: string) => void
}

export interface RelayStats {
  processes: ProcessStats[]
  connections: {
    open: number
    /** Turned away because MAX_CONNECTIONS were open. */
    refused: number
    /** Ended by the relay: bad bytes, a wrong token, a limit of time. */
    ended: number
  }
  /** Where `http` was given. */
  tracing?: TracingStats
}

export interface Relay {
  address: string
  /** Where the API listens, where it does. */
  httpAddress: string | undefined
  stats(): RelayStats
  /** Finishes the calls that are being stored, ends every connection and stops listening. */
  close(): Promise<void>
}

const VERSION: string = createRequire(import.meta.url)('../package.json').version

const MAX_CONNECTIONS = 1024
const CLOSE_MS = 5_000

export async function startRelay(options: RelayOptions): Promise<Relay> {
  const { host, port } = parseAddress(options.listen)
  const token = options.token || undefined
  if (token === undefined && !isLoopback(host)) {
    throw new Error(
      `listen is "${options.listen}" and token is missing; expected a token on anything but loopback`,
    )
  }
  const log = options.log ?? (() => {})
  if ((options.output === undefined) === (options.live === undefined)) {
    throw new TypeError('output and live are both given or both missing; expected one of them')
  }
  if (options.http && options.output === undefined) {
    throw new TypeError('http is given and output is missing; expected a folder for the spans')
  }
  const output = options.output === undefined ? undefined : resolve(options.output)
  if (output !== undefined) await mkdir(output, { recursive: true, mode: 0o700 })

  const feed = new Feed(options.live ?? (() => {}))
  const recorder = output === undefined ? new LiveTraces(feed) : new TraceFiles(output)
  const processes = new Processes()
  const lent = { token, version: VERSION, log, processes: () => processes.stats() }
  const tracing =
    options.http && output !== undefined ? await Tracing.open(output, options.http, lent) : undefined
  const followers = new Followers(tracing ? new Tap(recorder, tracing, log) : recorder, log)
  const rules = await RuleBook.open(output && join(output, '.rules'))
  const house = { token, processes, recorder: followers, followers, rules }
  const open = new Set<Connection>()
  const counts = { refused: 0, ended: 0 }
  const server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    if (open.size >= MAX_CONNECTIONS) {
      counts.refused++
      log(`${socket.remoteAddress}:${socket.remotePort}: refused: ${MAX_CONNECTIONS} connections are open`)
      socket.on('error', () => {}).destroy()
      return
    }
    const connection = new Connection(socket, house, log)
    open.add(connection)
    void connection.over.then(() => {
      open.delete(connection)
      if (connection.failed) counts.ended++
    })
  })
  server.listen(port, host, 511)
  try {
    await once(server, 'listening')
  } catch (error) {
    await tracing?.close()
    throw error
  }
  const bound = server.address() as AddressInfo
  const shown = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address

  return {
    address: `${shown}:${bound.port}`,
    httpAddress: tracing?.http?.address,
    stats: () => ({
      processes: house.processes.stats(),
      connections: { open: open.size, ...counts },
      ...(tracing ? { tracing: tracing.stats() } : {}),
    }),
    async close() {
      server.close()
      const all = [...open].map((connection) => connection.end('the relay is closing'))
      let timer: NodeJS.Timeout | undefined
      const late = new Promise((done) => {
        timer = setTimeout(done, CLOSE_MS)
      })
      await Promise.race([Promise.allSettled(all), late])
      clearTimeout(timer)
      feed.flush()
      await tracing?.close()
    },
  }
}
