// relay/src/ports/scribe/server.ts: the relay as a Scribe server: a port of its own, for clients that log messages of categories.
// startRelay() owns one where it was asked to. Scribe has no token, so only this machine may speak to it.

import type { Socket } from 'node:net'
import { join } from 'node:path'
import { MemoryBudget } from '../../common/memory-budget.js'
import type { Rejections } from '../../common/rejections.js'
import { Semaphore } from '../../common/semaphore.js'
import { type Address, isLoopback, isSame, parseAddress } from '../../protocol/address.js'
import { THRIFT_FRAME } from '../../protocol/frames.js'
import { Connection } from '../connection.js'
import { type ConnectionCounts, type Listener, startListener } from '../listener.js'
import { ScribeCalls } from './calls.js'
import { type Categories, Routes } from './categories.js'
import { Counters } from './counters.js'
import { Files } from './files.js'
import { Intake, type TakeSpans } from './intake.js'
import { ScribeSession } from './session.js'

export interface ScribeOptions {
  /** host:port, of this machine only; port 0 takes any that is free. */
  listen: string
  /** Where messages go, by their categories. That of `zipkin` are spans, any other has a folder of its own, where it is not said. */
  categories?: Categories
}

export interface ScribeStats {
  connections: ConnectionCounts
  /** Messages taken. */
  good: number
  /** Messages left out: no span could be read, or the category's name is empty or too long. */
  bad: number
  /** Batches of which nothing was taken: TRY_LATER. */
  denied: number
  /** Written to files. */
  bytes: number
  /** Why files did not take the last batch that was for them; absent while they do. */
  trouble?: string
}

/** Clients that have logged, and as many that have not yet. Those keep connections open, and make room after so long. */
const PLACES = { most: 128, idleMs: 60_000, strangers: 128 }
/** Calls that are worked on at once: more would be no faster, files are written one batch after the other. */
const AT_ONCE = 4
/** Frames that are not whole, of all clients that have logged, and of all that have not. */
const MOST_FRAMES = 192 * 2 ** 20
const MOST_STRANGE_FRAMES = 64 * 2 ** 20

/** What was asked for, checked: nothing is open yet. */
export interface ScribePlan {
  where: Address
  routes: Routes
}

/**
 * `sendsTo` is where spans go on to by Scribe.
 *
 * @throws TypeError naming what was given
 */
export function planScribe({ listen, categories }: ScribeOptions, sendsTo: string | undefined): ScribePlan {
  const where = parseAddress(listen, 'scribe.listen')
  if (!isLoopback(where.host))
    throw new TypeError(
      `scribe.listen is "${listen}"; expected a loopback address: Scribe's clients can show no token`,
    )
  if (sendsTo !== undefined && isSame(where, parseAddress(sendsTo, 'scribe')))
    throw new TypeError(
      `scribe listens on "${listen}" and sends to "${sendsTo}"; expected another server than itself`,
    )
  return { where, routes: new Routes(categories) }
}

export class ScribeServer {
  private constructor(
    readonly listener: Listener,
    readonly intake: Intake,
  ) {}

  static async start(
    output: string,
    { where, routes }: ScribePlan,
    takeSpans: TakeSpans,
    version: string,
    rejections: Rejections,
  ): Promise<ScribeServer> {
    const files = new Files(join(output, 'scribe'), rejections.log)
    const intake = new Intake(routes, files, new Counters(), takeSpans, rejections.reject)
    const since = Math.floor(Date.now() / 1000)
    const turns = new Semaphore(AT_ONCE)
    const options = {
      speakerOf: () => new ScribeCalls(new ScribeSession(intake, version, since), turns),
      rejections,
      belonging: { most: THRIFT_FRAME, room: new MemoryBudget(MOST_FRAMES) },
      strangers: { most: THRIFT_FRAME, room: new MemoryBudget(MOST_STRANGE_FRAMES) },
    }
    const connect = (socket: Socket) => new Connection(socket, options)
    const listener = await startListener(where, PLACES, connect, rejections)
    return new ScribeServer(listener, intake)
  }

  get address(): string {
    return this.listener.address
  }

  stats(): ScribeStats {
    const { counters, files } = this.intake
    return {
      connections: this.listener.counts(),
      good: counters.of('received good'),
      bad: counters.of('received bad') + counters.of('received blank category'),
      denied: counters.of('denied for queue size'),
      bytes: files.bytes,
      ...(files.trouble === undefined ? {} : { trouble: files.trouble }),
    }
  }

  /** What was taken is on the disk, or in the store's hands, when it resolves. */
  async close(): Promise<void> {
    this.intake.isClosing = true
    await this.listener.close()
    await this.intake.files.close()
  }
}
