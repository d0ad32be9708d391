// relay/src/relay.ts: a running relay, put together of its parts: the only place that knows them all. The CLI and embedders call startRelay().
// It never prints: what happens to a connection goes to `log`, and everything it counts is in stats().

import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { MemoryBudget } from './common/memory-budget.js'
import { beNice } from './common/priority.js'
import { Rejections } from './common/rejections.js'
import type { TracingStats } from './pipeline/stats.js'
import { checkStore } from './pipeline/store/load.js'
import { Connection } from './ports/connection.js'
import type { SessionContext } from './ports/context.js'
import { startListener } from './ports/listener.js'
import { Calls } from './ports/relay/calls.js'
import { ScribeServer } from './ports/scribe/server.js'
import type { Address } from './protocol/address.js'
import { ownRights, type RightsOf } from './protocol/check/rights.js'
import { MAX_FIRST_FRAME, MAX_FRAME } from './protocol/frames.js'
import { type SocketFile, socketAddress, socketPath } from './protocol/socket-file.js'
import { makeOutput } from './recording/files/output.js'
import { TraceStore } from './recording/files/trace-store.js'
import { Feed } from './recording/live/feed.js'
import { Followers } from './recording/live/followers.js'
import { LiveTraces } from './recording/live/live-traces.js'
import { ObservedRecorder } from './recording/observed.js'
import { type Owner, Processes } from './recording/processes.js'
import { RuleBook } from './recording/rules/rule-book.js'
import { checkRelay, OWN_MODE, type RelayOptions } from './relay-options.js'
import { RelayCounters, type RelayCounts } from './report/counts.js'
import { SpanObserver } from './thread/span-observer.js'
import { TracingThread } from './thread/tracing-thread.js'

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

export async function startRelay(options: RelayOptions): Promise<Relay> {
  const rejections = new Rejections(options.log ?? (() => {}))
  const { log, reject } = rejections
  const { where, rightsOf, tokens, output, retention, spans, scribe: plan } = checkRelay(options)
  if (spans !== undefined) checkStore()
  if (options.nice !== undefined) beNice(options.nice)
  const processes = new Processes()
  const counters = new RelayCounters(processes, rejections)
  const feed = new Feed(options.live ?? (() => {}))
  const traces = output === undefined ? undefined : new TraceStore(output, { retention, log })
  counters.traces = traces
  const own = { tokens, version: VERSION, rejections, counts: () => counters.counts() }
  const tracing = spans && (await TracingThread.start(output!, spans, own))
  counters.tracing = tracing
  let scribe: ScribeServer | undefined
  const close = async () => {
    await Promise.all([...counters.listeners.map((one) => one.close()), scribe?.close()])
    feed.flush()
    await tracing?.close()
    await traces?.close()
  }
  try {
    // only now: who was refused for what was given finds nothing changed
    if (output !== undefined) await makeOutput(output)
    await traces?.begin(() => tracing?.behind.ms ?? 0)
    const rules = await RuleBook.open(output && join(output, '.rules'))
    const followers = new Followers(reject)
    const observers = [...(tracing ? [new SpanObserver(output!, tracing)] : []), followers]
    const recorder = new ObservedRecorder(traces?.files ?? new LiveTraces(feed), observers)
    const listen = listening({ processes, recorder, followers, rules, reject }, counters)
    if (plan && tracing)
      scribe = await ScribeServer.start(
        output!,
        plan,
        (taken) => tracing.takeScribed(taken),
        VERSION,
        rejections,
      )
    counters.scribe = scribe
    const address = await listen(where, rightsOf)
    return {
      address,
      tracepoints: () => [...processes.declared],
      httpAddress: tracing?.httpAddress,
      scribeAddress: scribe?.address,
      stats() {
        const stats = tracing?.stats() // first: what it turned away is counted here
        return { ...counters.counts(), ...(stats ? { tracing: stats } : {}) }
      },
      listenAtSocket: (path) =>
        listen({ path: socketPath(socketAddress(path), 'listen')!, mode: OWN_MODE }, ownRights),
      async close() {
        await close()
        rejections.close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Listens for traced processes and controllers, at one address after the other, and counts what comes there. */
function listening(context: Omit<SessionContext, 'rightsOf'>, { listeners, rejections }: RelayCounters) {
  const belonging = { most: MAX_FRAME, room: new MemoryBudget(MOST_FRAMES) }
  return async (at: Address | SocketFile, rightsOf: RightsOf): Promise<string> => {
    const connections = {
      ...{ speakerOf: (owner: Owner) => new Calls({ ...context, rightsOf }, owner), rejections, belonging },
      strangers: { most: MAX_FIRST_FRAME, room: new MemoryBudget(PLACES.strangers * MAX_FIRST_FRAME) },
    }
    const connect = (socket: Socket) => new Connection(socket, connections)
    const listener = await startListener(at, PLACES, connect, rejections)
    listeners.push(listener)
    return listener.address
  }
}
