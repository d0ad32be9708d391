// relay/src/protocol/check/hello.ts: is this hello one we can take? The session calls it first on every connection.
// It decides about the version and the token before anything else of the hello is looked at. It touches no disk.

import { big, type Field, type Hello, type Int64, type Put, types } from '../wire.js'
import { bytes16, int, malformed, plainText, refuse } from './refuse.js'
import type { Right, RightsOf } from './rights.js'
import { digestOf } from './secrets.js'
import { checkFields } from './tracepoint.js'

const MAX_CONTEXTS = 32
const SESSION = /^[A-Za-z0-9_.-]{1,64}$/

export interface Process {
  uuid: Buffer
  pid: number
  /** Nanoseconds since the epoch. */
  startedAt: bigint
  hostname: string
  program: string
  bootId: Buffer
  /** Nanoseconds from CLOCK_MONOTONIC to CLOCK_REALTIME, in the first epoch. */
  clockOffset: bigint
  synced: boolean
  /** Which of the process's sessions. */
  session: string
  contexts: Field[]
  /** Of the session's secret; missing where it has none, as of older tracers. */
  secretDigest?: string
}

/** What everyone says first: nothing else of it is looked at before. */
export function checkGreeting(
  call: string,
  version: number | null,
  given: string | null,
  rightsOf: RightsOf,
  right: Right,
): readonly Right[] {
  if (version !== types.PROTOCOL_VERSION) {
    refuse('VERSION', `${call}.version is ${version}; this relay speaks ${types.PROTOCOL_VERSION}`)
  }
  const rights = rightsOf(given ?? '')
  if (rights.length === 0)
    refuse('TOKEN', `${call}.token is ${given ? 'not the one this relay was given' : 'missing'}`)
  if (!rights.includes(right)) {
    const who = given ? 'this token' : 'no token'
    refuse(
      'TOKEN',
      `${call}: with ${who} a client may ${rights.join(' and ')} here; expected one that may ${right}`,
    )
  }
  return rights
}

export function checkHello(hello: Hello | null, rightsOf: RightsOf): Process {
  if (hello === null) return malformed('hello', null, 'a Hello')
  checkGreeting('hello', hello.version, hello.token ?? null, rightsOf, 'write')
  if (hello.clock === null) malformed('hello.clock', null, 'a Clock')
  if (hello.startedAt === null || big(hello.startedAt) < 0n) {
    malformed('hello.startedAt', hello.startedAt && big(hello.startedAt), 'nanoseconds since the epoch')
  }
  if (hello.ack !== types.Ack.WRITTEN && hello.ack !== types.Ack.SYNCED) {
    malformed('hello.ack', hello.ack, 'WRITTEN (1) or SYNCED (2)')
  }
  return {
    uuid: bytes16('hello.uuid', hello.uuid),
    startedAt: big(hello.startedAt),
    pid: int('hello.pid', hello.pid, 1, 2 ** 31 - 1),
    hostname: plainText('hello.hostname', hello.hostname, 1, 255),
    program: plainText('hello.program', hello.program, 1, 255),
    bootId: bytes16('hello.clock.bootId', hello.clock.bootId),
    clockOffset: offset('hello.clock.offset', hello.clock.offset),
    synced: hello.ack === types.Ack.SYNCED,
    session: checkSession(hello.session ?? 'default'),
    contexts: checkContexts(hello.contexts ?? []),
    ...(hello.secret ? { secretDigest: digestOf(bytes16('hello.secret', hello.secret)) } : {}),
  }
}

/** By what the times of a put are those of day: an Epoch, as ctf/epochs.ts has it. */
export function checkEpoch(put: Put, { clockOffset }: Process): { number: number; offset: bigint } {
  const number = int('put.epoch', put.epoch ?? 0, 0, 2 ** 31 - 1)
  return { number, offset: number === 0 ? clockOffset : offset('put.offset', put.offset ?? null) }
}

function offset(where: string, value: Int64 | null): bigint {
  const nanoseconds = value === null ? -1n : big(value)
  if (nanoseconds < 0n) malformed(where, value === null ? null : nanoseconds, 'nanoseconds, 0 or more')
  return nanoseconds
}

function checkSession(session: string): string {
  if (!SESSION.test(session)) malformed('hello.session', session, '1 to 64 letters, digits and _.-')
  return session
}

function checkContexts(contexts: Field[]): Field[] {
  if (contexts.length > MAX_CONTEXTS) {
    malformed('hello.contexts', `${contexts.length} long`, `at most ${MAX_CONTEXTS}`)
  }
  checkFields('hello.contexts:', contexts)
  for (const { name, type, shape } of contexts) {
    if (shape !== types.Shape.SCALAR) malformed(`hello.contexts: ${name}: shape`, shape, 'SCALAR (0)')
    if (type === types.Type.BYTES) malformed(`hello.contexts: ${name}: type`, 'BYTES', 'a scalar type')
  }
  return contexts
}

/** A session comes again with the secret that it began with, or it is another that has only heard of the uuid. */
export function checkSecret(began: string | undefined, process: Process): void {
  if (began === process.secretDigest) return
  const what = process.secretDigest === undefined ? 'missing' : 'not the one this session began with'
  refuse('TOKEN', `hello.secret is ${what}; expected that of the process whose session it is`)
}
