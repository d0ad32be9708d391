// relay/src/relay.ts: a running relay: it listens, counts and closes. The CLI and embedders call startRelay().
// It never prints: what happens to a connection goes to `log`, and everything it counts is in stats().

import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { join, resolve } from 'node:path'
import { beNice, NICEST } from './common/priority.js'
import { Rejections } from './common/rejections.js'
import type { TraceItem } from './ctf/read/merge.js'
import { checkTracing } from './pipeline/options.js'
import { checkStore } from './pipeline/store/load.js'
import type { RelayCounts, TracingOptions, TracingStats } from './pipeline/tracing.js'
import { Connection } from './ports/connection.js'
import { FrameRoom } from './ports/frame-room.js'
import { type ConnectionCounts, type Listener, startListener } from './ports/listener.js'
import { Calls } from './ports/relay/calls.js'
import { planScribe, type ScribeOptions, ScribeServer } from './ports/scribe/server.js'
import { type Address, guardedAddress } from './protocol/address.js'
import { givenTokens, ownRights, type RightsOf, rightsBy, type Tokens } from './protocol/check/rights.js'
import { MAX_FIRST_FRAME, MAX_FRAME } from './protocol/frames.js'
import { type SocketFile, socketAddress, socketPath } from './protocol/socket-file.js'
import { makeOutput } from './recording/files/output.js'
import { checkRetention, type TraceRetention } from './recording/files/trace-retention.js'
import { TraceStore } from './recording/files/trace-store.js'
import { Feed } from './recording/live/feed.js'
import { Followers } from './recording/live/followers.js'
import { LiveTraces } from './recording/live/live-traces.js'
import { ObservedRecorder } from './recording/observed.js'
import { type Owner, Processes } from './recording/processes.js'
import { RuleBook } from './recording/rules/rule-book.js'
import type { V1Span } from './spans/formats/v1-span.js'
import { SpanObserver } from './thread/span-observer.js'
import { TracingThread } from './thread/tracing-thread.js'

export interface RelayOptions extends Tokens {
  /**
   * host:port, where port 0 takes any that is free; or unix: and the path of a socket. A socket is for the relay's own user
   * and root, who have every right there; where there is a token it is for everybody who shows that.
   */
  listen: string
  /** The folder under which each process gets its trace. Either this or `live`. */
  output?: string
  /**
   * Takes events and losses as they come, in the order of time, instead of files: nothing is kept. Called at most
   * every 20 ms or so, with what came 0.1 s ago; it must not throw, and while it runs the relay takes nothing.
   */
  live?: (items: TraceItem[]) => void
  /** Assembles spans, keeps them under `output`, answers Zipkin's API, and what else there is to do with them. */
  tracing?: TracingOptions
  /** Takes what Scribe's clients log: spans where `tracing` has them, the rest into files under `output`. */
  scribe?: ScribeOptions
  /** Which traces below `output` stay; all, where nothing is said. */
  retention?: TraceRetention
  log?: (line: string) => void
  /**
   * From 0 to 19, as the system has it: who has the processor where others want it too. It is that of all threads of the process, so
   * it is for a process that is a relay. Left as it is where it is not said.
   */
  nice?: number
}

export interface RelayStats extends RelayCounts {
  /** Where `tracing` or `scribe` was given. */
  tracing?: TracingStats
}

export interface Relay {
  address: string
  /** "provider:event" of all that processes declared to it, each once. */
  tracepoints(): string[]
  /** Where the API listens, where it does. */
  httpAddress: string | undefined
  scribeAddress: string | undefined
  stats(): RelayStats
  /** Listens at a socket too: for the relay's own user and root, who need no token there. Resolves to its address. */
  listenAtSocket(path: string): Promise<string>
  /** Finishes the calls that are being stored, ends every connection and stops listening. */
  close(): Promise<void>
}

const require = createRequire(import.meta.url)
const VERSION: string = require('../package.json').version

/** Connections that said hello or greet, and those that have not yet. Who belongs never goes because another comes. */
const PLACES = { most: 1024, idleMs: Number.POSITIVE_INFINITY, strangers: 256 }
/** Frames that are not whole, of all who belong. */
const MOST_FRAMES = 256 * 2 ** 20
/** Of sockets: for who is this user or root, and for whoever has the token. */
const OWN_MODE = 0o600
const OPEN_MODE = 0o666

export async function startRelay(options: RelayOptions): Promise<Relay> {
  const tokens = givenTokens(options)
  const { token } = tokens
  const path = socketPath(options.listen, 'listen')
  const isOwn = path !== undefined && token === undefined
  const where =
    path === undefined
      ? guardedAddress(options.listen, 'listen', token)
      : { path, mode: isOwn ? OWN_MODE : OPEN_MODE }
  const rejections = new Rejections(options.log ?? (() => {}))
  const { reject } = rejections
  if ((options.output === undefined) === (options.live === undefined)) {
    throw new TypeError('output and live are both given or both missing; expected one of them')
  }
  for (const name of ['tracing', 'scribe'] as const) {
    if (options[name] && options.output === undefined)
      throw new TypeError(
        `${name} is given and output is missing; expected a folder for ${name === 'tracing' ? 'the spans' : 'what comes'}`,
      )
  }
  const { nice } = options
  if (nice !== undefined && !(Number.isInteger(nice) && nice >= 0 && nice <= NICEST))
    throw new RangeError(`nice is ${nice}; expected a whole number from 0 to ${NICEST}`)
  const output = options.output === undefined ? undefined : resolve(options.output)
  const retention = checkRetention(options.retention ?? {})
  if (options.retention !== undefined && output === undefined)
    throw new TypeError('retention is given and output is missing; expected a folder for the traces')
  if (options.tracing !== undefined) checkTracing(options.tracing)
  const spans = options.tracing ?? (options.scribe && {})
  const plan = options.scribe && planScribe(options.scribe, spans?.sinks?.scribe)

  const feed = new Feed(options.live ?? (() => {}))
  const traces =
    output === undefined
      ? undefined
      : new TraceStore(output, { retention, log: rejections.log, behindMs: () => tracing?.behind.ms ?? 0 })
  const processes = new Processes()
  let scribe: ScribeServer | undefined
  const listeners: Listener[] = []
  const counts = (): RelayCounts => ({
    ...{ processes: processes.stats(), totals: processes.totals, rejections: rejections.all() },
    connections: sumOf(listeners.map((one) => one.counts())),
    ...(tracing ? { behind: tracing.behind } : {}),
    ...(scribe ? { scribe: scribe.stats() } : {}),
    ...(traces ? { traces: traces.counts } : {}),
  })
  const lent = { tokens, version: VERSION, rejections, counts }
  if (nice !== undefined) beNice(nice)
  let tracing: TracingThread | undefined
  if (spans && output !== undefined) {
    checkStore()
    tracing = await TracingThread.start(output, spans, lent)
  }
  let address: string
  let listen: (at: Address | SocketFile, rightsOf: RightsOf) => Promise<string>
  const followers = new Followers(reject)
  const observers = [...(tracing ? [new SpanObserver(output!, tracing)] : []), followers]
  try {
    // only now: who was refused for what was given finds nothing changed
    if (output !== undefined) await makeOutput(output)
    await traces?.begin()
    const rules = await RuleBook.open(output && join(output, '.rules'))
    const recorder = new ObservedRecorder(traces?.files ?? new LiveTraces(feed), observers)
    const context = { processes, recorder, followers, rules, reject }
    const belonging = { most: MAX_FRAME, room: new FrameRoom(MOST_FRAMES) }
    listen = async (at, rightsOf) => {
      const connections = {
        ...{ speakerOf: (owner: Owner) => new Calls({ ...context, rightsOf }, owner), rejections, belonging },
        strangers: { most: MAX_FIRST_FRAME, room: new FrameRoom(PLACES.strangers * MAX_FIRST_FRAME) },
      }
      const connect = (socket: Socket) => new Connection(socket, connections)
      const listener = await startListener(at, PLACES, connect, rejections)
      listeners.push(listener)
      return listener.address
    }
    const takeSpans = (given: V1Span[]) => tracing!.takeScribed(given)
    if (plan) scribe = await ScribeServer.start(output!, plan, takeSpans, VERSION, rejections)
    address = await listen(where, isOwn ? ownRights : rightsBy(tokens))
  } catch (error) {
    await scribe?.close()
    await tracing?.close()
    await traces?.close()
    throw error
  }

  return {
    address,
    tracepoints: () => [...processes.declared],
    httpAddress: tracing?.httpAddress,
    scribeAddress: scribe?.address,
    stats() {
      const stats = tracing?.stats() // first: what it turned away is counted here
      return { ...counts(), ...(stats ? { tracing: stats } : {}) }
    },
    listenAtSocket: (path) =>
      listen({ path: socketPath(socketAddress(path), 'listen')!, mode: OWN_MODE }, ownRights),
    async close() {
      await Promise.all([...listeners.map((one) => one.close()), scribe?.close()])
      feed.flush()
      await tracing?.close()
      await traces?.close()
      rejections.close()
    },
  }
}

const sumOf = (all: ConnectionCounts[]): ConnectionCounts =>
  all.reduce(
    (sum, one) => ({
      open: sum.open + one.open,
      refused: sum.refused + one.refused,
      ended: sum.ended + one.ended,
    }),
    { open: 0, refused: 0, ended: 0 },
  )
