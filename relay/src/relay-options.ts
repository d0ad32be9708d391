// relay/src/relay-options.ts: what startRelay() is given, checked before anything is opened or changed.

import { resolve } from 'node:path'
import { NICEST } from './common/priority.js'
import type { TraceItem } from './ctf/read/merge.js'
import { checkTracing, type TracingOptions } from './pipeline/options.js'
import { planScribe, type ScribeOptions, type ScribePlan } from './ports/scribe/server.js'
import { type Address, guardedAddress } from './protocol/address.js'
import { givenTokens, ownRights, type RightsOf, rightsBy, type Tokens } from './protocol/check/rights.js'
import { type SocketFile, socketPath } from './protocol/socket-file.js'
import { checkRetention, type TraceRetention } from './recording/files/trace-retention.js'

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

/** Of sockets: for who is this user or root, and for whoever has the token. */
export const OWN_MODE = 0o600
const OPEN_MODE = 0o666

export interface RelayPlan {
  where: Address | SocketFile
  rightsOf: RightsOf
  tokens: Tokens
  /** Whole. Missing where events are handed on live. */
  output: string | undefined
  retention: TraceRetention
  /** Spans are kept where `tracing` or `scribe` was given. */
  spans: TracingOptions | undefined
  scribe: ScribePlan | undefined
}

/** @throws TypeError, RangeError naming what was given */
export function checkRelay(options: RelayOptions): RelayPlan {
  const { listen, live, nice, tracing, scribe } = options
  const tokens = givenTokens(options)
  const path = socketPath(listen, 'listen')
  const isOwn = path !== undefined && tokens.token === undefined
  const where =
    path === undefined
      ? guardedAddress(listen, 'listen', tokens.token)
      : { path, mode: isOwn ? OWN_MODE : OPEN_MODE }
  if ((options.output === undefined) === (live === undefined))
    throw new TypeError('output and live are both given or both missing; expected one of them')
  const needs = { tracing: 'the spans', scribe: 'what comes' }
  for (const name of ['tracing', 'scribe'] as const) {
    if (options[name] && options.output === undefined)
      throw new TypeError(`${name} is given and output is missing; expected a folder for ${needs[name]}`)
  }
  if (nice !== undefined && !(Number.isInteger(nice) && nice >= 0 && nice <= NICEST))
    throw new RangeError(`nice is ${nice}; expected a whole number from 0 to ${NICEST}`)
  const retention = checkRetention(options.retention ?? {})
  if (options.retention !== undefined && options.output === undefined)
    throw new TypeError('retention is given and output is missing; expected a folder for the traces')
  if (tracing !== undefined) checkTracing(tracing)
  const spans = tracing ?? (scribe && {})
  return {
    ...{ where, rightsOf: isOwn ? ownRights : rightsBy(tokens), tokens, retention, spans },
    output: options.output === undefined ? undefined : resolve(options.output),
    scribe: scribe && planScribe(scribe, spans?.sinks?.scribe),
  }
}
