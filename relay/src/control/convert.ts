// relay/src/control/convert.ts: the wire's structs to the plain objects of types.ts, and back. Pure.
// The only place that knows both, with ctf/from-wire.ts for tracepoints. What came over a wire is trusted to have its
// shape (the runtime read it by the IDL), but not to be complete: a missing number is 0, a missing list empty.

import { tracepoint } from '../ctf/from-wire.js'
import { dashed } from '../ctf/metadata.js'
import { big, type Int64, i64, types } from '../protocol/wire.js'
import type * as plain from './types.js'

type Wire = typeof types
type WireRule = InstanceType<Wire['Rule']>
type WireSpec = InstanceType<Wire['SessionSpec']>

const ORIGINS = table<plain.Origin>(types.Origin)
const MODES = table<plain.Mode>(types.Mode)
const ACKS = table<plain.Ack>(types.Ack)

/** What a number of the enum is called, in small letters. */
function table<Name extends string>(from: object): Record<number, Name> {
  const names = Object.entries(from).filter(([, value]) => typeof value === 'number')
  return Object.fromEntries(names.map(([name, value]) => [value, name.toLowerCase() as Name]))
}

const numberOf = (name: string, from: object): number =>
  (from as Record<string, number>)[name.toUpperCase()] as number

const long = (value: Int64 | null | undefined): bigint => (value ? big(value) : 0n)
const count = (value: Int64 | null | undefined): number => Number(long(value))
const list = <T>(values: T[] | null | undefined): T[] => values ?? []
const optional = <Key extends string, T>(key: Key, value: T | null | undefined) =>
  (value === null || value === undefined ? {} : { [key]: value }) as { [K in Key]?: T }

export function rule(from: WireRule): plain.Rule {
  const { id, on, pattern, level, exactly, sample, filter, target, origin } = from
  return {
    ...{ id, on, pattern, exclude: list(from.exclude), level, exactly, origin: ORIGINS[origin]! },
    ...optional('sample', sample && { keep: sample.keep, of: sample.of }),
    ...optional('filter', filter?.text),
    ...optional('target', target),
  }
}

export function wireRule(from: plain.RuleRequest, origin: plain.Origin, id = 0): WireRule {
  return new types.Rule({
    id,
    on: from.on ?? true,
    pattern: from.pattern,
    exclude: [...(from.exclude ?? [])],
    level: from.level ?? 14,
    exactly: from.exactly ?? false,
    ...optional('sample', from.sample && new types.Sample(from.sample)),
    ...optional('filter', from.filter === undefined ? undefined : new types.Filter({ text: from.filter })),
    origin: numberOf(origin, types.Origin),
    ...optional('target', from.target),
  })
}

function spec(from: WireSpec): plain.SessionSpec {
  const { name, relay, token, attached, channel } = from
  return {
    ...{ name, ack: ACKS[from.ack]!, contexts: list(from.contexts), attached },
    channel: {
      subBufferBytes: count(channel.subBufferBytes),
      subBuffers: channel.subBuffers,
      mode: MODES[channel.mode]!,
      ...optional('blockMs', channel.blockMs),
    },
    ...optional('relay', relay),
    ...optional('token', token),
  }
}

export function wireSpec(from: plain.SessionSpec): WireSpec {
  const { channel, ack, contexts, ...same } = from
  return new types.SessionSpec({
    ...same,
    ack: numberOf(ack, types.Ack),
    contexts: [...contexts],
    channel: new types.Channel({
      ...channel,
      subBufferBytes: i64(channel.subBufferBytes),
      mode: numberOf(channel.mode, types.Mode),
    }),
  })
}

function lost(from: InstanceType<Wire['Lost']>): plain.Lost {
  return {
    noRoom: count(from.noRoom),
    tooBig: count(from.tooBig),
    badValue: count(from.badValue),
    noRing: count(from.noRing),
    overwritten: count(from.overwritten),
    unstored: count(from.unstored),
  }
}

export function sessionState(from: InstanceType<Wire['SessionState']>): plain.SessionState {
  return {
    spec: spec(from.spec),
    uuid: dashed(from.uuid),
    relayState: from.relayState as plain.SessionState['relayState'],
    relayError: from.relayError,
    events: count(from.events),
    bytesSent: count(from.bytesSent),
    lost: lost(from.lost),
    rules: list(from.rules).map(rule),
    enabled: from.enabled,
    ringBytes: count(from.ringBytes),
  }
}

export function processState(from: InstanceType<Wire['ProcessState']>): plain.ProcessState {
  const { pid, program, hostname, version, tracepoints } = from
  return {
    ...{ pid, program, startedAt: long(from.startedAt), hostname, version, tracepoints },
    sessions: list(from.sessions).map(sessionState),
    ...optional(
      'contexts',
      from.contexts?.map(({ name, type }) => ({ name, type })),
    ),
  }
}

export const wireMisfits = (from: readonly plain.Misfit[]): InstanceType<Wire['Misfit']>[] =>
  from.map((one) => new types.Misfit(one))

export function tracepointState(from: InstanceType<Wire['TracepointState']>): plain.TracepointState {
  const on = list(from.on).map(({ session, rule }) => ({ session, rule }))
  return { tracepoint: tracepoint(from.tracepoint), on }
}

export function enabled(from: InstanceType<Wire['Enabled']>): plain.Enabled {
  const tracepoints = list(from.tracepoints).map(({ tracepoint, rule }) => ({ tracepoint, rule }))
  return { rules: list(from.rules).map(rule), tracepoints }
}

export function changed(from: InstanceType<Wire['Changed']>): plain.Changed {
  return { rule: from.rule, covered: from.covered, enabled: from.enabled, unfit: list(from.unfit) }
}

export function closed(from: InstanceType<Wire['Closed']>): plain.Closed {
  return { last: sessionState(from.last), delivered: from.delivered }
}

export function fleetProcess(from: InstanceType<Wire['FleetProcess']>): plain.FleetProcess {
  const { pid, program, hostname } = from
  const sessions = list(from.sessions).map((one) => ({
    ...{ uuid: dashed(one.uuid), name: one.name, connected: one.connected },
    ...{ events: count(one.events), bytes: count(one.bytes), lost: lost(one.lost) },
  }))
  return { ...{ pid, program, hostname, startedAt: long(from.startedAt) }, sessions }
}

export function followed(from: InstanceType<Wire['Followed']>): plain.Followed {
  return { events: list(from.events), dropped: count(from.dropped) }
}

/** 8-4-4-4-12 hexadecimal digits to 16 bytes. */
export const undashed = (uuid: string): Buffer => Buffer.from(uuid.replaceAll('-', ''), 'hex')
