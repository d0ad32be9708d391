// relay/src/control/connect.ts: the two connections that a controller makes: to a traced process, and to a relay.
// The CLI calls these. Each call of the IDL is one line here; caller.ts keeps its time, convert.ts its types.

import { tracepoint } from '../ctf/from-wire.js'
import { parseAddress } from '../protocol/address.js'
import { Caller } from '../protocol/caller.js'
import { ConnectionError } from '../protocol/errors.js'
import { socketPath } from '../protocol/socket-file.js'
import { control, fleet, types } from '../protocol/wire.js'
import * as from from './convert.js'
import { whyNotOwn } from './own-folder.js'
import type { Control, Fleet, TracepointState } from './types.js'

/**
 * `address`: what errors call it.
 *
 * @throws ConnectionError where no process of this user listens there
 */
export async function connectControl(socketPath: string, address = socketPath): Promise<Control> {
  const caller = await openSocket(address, socketPath, control.Client)
  return {
    closed: caller.closed,
    close: () => caller.close(),
    process: () => caller.call((client) => client.process().then(from.processState)),
    tracepoints: () => allTracepoints(caller),
    openSession: (spec) =>
      caller.call((client) => client.openSession(from.wireSpec(spec)).then(from.sessionState)),
    changeSession: (spec) =>
      caller.call((client) => client.changeSession(from.wireSpec(spec)).then(from.sessionState)),
    closeSession: (name, timeoutMs) =>
      caller.call((client) => client.closeSession(name, timeoutMs).then(from.closed), timeoutMs),
    enable: (session, rule, misfits = []) =>
      caller.call((client) =>
        client.enable(session, from.wireRule(rule, 'control'), from.wireMisfits(misfits)).then(from.changed),
      ),
    disable: (session, pattern) =>
      caller.call((client) => client.disable(session, pattern).then(from.changed)),
    flush: (session, timeoutMs) => caller.call((client) => client.flush(session, timeoutMs), timeoutMs),
  }
}

/** What is said there is for this user's eyes, a token among it: so nobody else may be behind the socket. */
async function openSocket<Client extends object>(
  address: string,
  path: string,
  Client: new (output: never, protocol: never) => Client,
): Promise<Caller<Client>> {
  const why = await whyNotOwn(path)
  if (why !== undefined) throw new ConnectionError('ERR_BLKIN_DENIED', address, why)
  return Caller.open(address, { path }, Client)
}

/** Page by page: `total` may grow while they come. */
async function allTracepoints(
  caller: Caller<InstanceType<typeof control.Client>>,
): Promise<TracepointState[]> {
  const all: TracepointState[] = []
  for (;;) {
    const { states, total } = await caller.call(async (client) => {
      const { tracepoints, total } = await client.tracepoints(all.length)
      return { states: tracepoints.map(from.tracepointState), total }
    })
    for (const state of states) all.push(state)
    if (all.length >= total) return all
    if (states.length === 0) {
      const what = `${total} tracepoints were promised and only ${all.length} came`
      throw new ConnectionError('ERR_BLKIN_ANSWER', caller.address, what)
    }
  }
}

/** What a connection that stands and does not answer as a relay's is; a refusal is a relay's. */
function noRelay(address: string, error: Error): Error {
  if (!(error instanceof ConnectionError)) return error
  const why =
    error.code === 'ERR_BLKIN_AWAY'
      ? 'it closed the connection unanswered; it is no relay, or has as many connections as it takes'
      : `${error.message.slice(address.length + 2)}; expected a relay's --listen address`
  return new ConnectionError('ERR_BLKIN_ANSWER', address, why)
}

/** @throws ConnectionError where no relay listens there; Refusal where the token is not the relay's */
export async function connectFleet(address: string, token = ''): Promise<Fleet> {
  const path = socketPath(address, 'address')
  const caller = await (path === undefined
    ? Caller.open(address, parseAddress(address), fleet.Client)
    : openSocket(address, path, fleet.Client))
  try {
    await caller.call((client) => client.greet(types.PROTOCOL_VERSION, token))
  } catch (error) {
    caller.close()
    throw noRelay(address, error as Error)
  }
  const all =
    <One, Made>(convert: (one: One) => Made) =>
    (ones: One[]) =>
      ones.map(convert)
  const rules = all(from.rule)
  return {
    closed: caller.closed,
    close: () => caller.close(),
    processes: () => caller.call((client) => client.processes().then(all(from.fleetProcess))),
    tracepoints: (uuid) =>
      caller.call((client) => client.tracepoints(from.undashed(uuid)).then(all(tracepoint))),
    enabled: (uuid) => caller.call((client) => client.enabled(from.undashed(uuid)).then(from.enabled)),
    rules: () => caller.call((client) => client.rules().then(rules)),
    enable: (rule) => caller.call((client) => client.enable(from.wireRule(rule, 'relay')).then(rules)),
    disable: (target, pattern) => caller.call((client) => client.disable(target, pattern).then(rules)),
    follow: (target, patterns) => caller.call((client) => client.follow(target, patterns)),
    take: (waitMs) => caller.call((client) => client.take(waitMs).then(from.followed), waitMs),
  }
}
