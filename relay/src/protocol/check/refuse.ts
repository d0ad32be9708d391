// relay/src/protocol/check/refuse.ts: how a call is refused, and the checks of single values that all the others are made of.
// Used by the checks and the session. A refusal says where, what came and what may come; it never ends a connection.

import { big, type Int64, types } from '../wire.js'

export type Reason = keyof typeof types.Refusal & string

/** `code` is the system's, where that is the reason: "ENOSPC". It stays here, and is not told to the caller. */
export function refuse(reason: Reason, message: string, code?: string): never {
  const refused = new types.Refused({ reason: types.Refusal[reason], message })
  throw code === undefined ? refused : Object.assign(refused, { code })
}

/** For what the disk said. */
export function storage(path: string, error: unknown): never {
  const { code, message } = error as NodeJS.ErrnoException
  return refuse('STORAGE', `${path}: ${code ?? message}; try again later`, code)
}

/** Of what a call failed with, in a word: "ENOSPC", "MALFORMED". */
export function reasonOf(error: unknown): string {
  const { code, reason } = error as { code?: unknown; reason?: number }
  if (typeof code === 'string') return code
  return Object.keys(types.Refusal).find((name) => types.Refusal[name as Reason] === reason) ?? 'failed'
}

export function malformed(where: string, came: unknown, expected: string): never {
  return refuse('MALFORMED', `${where} is ${show(came)}; expected ${expected}`)
}

function show(value: unknown): string {
  if (value === null || value === undefined) return 'missing'
  if (Buffer.isBuffer(value)) return `${value.length} bytes`
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > 120 ? `${text.slice(0, 120)}...` : text
}

export function bytes16(where: string, value: Buffer | null): Buffer {
  if (!Buffer.isBuffer(value) || value.length !== 16) return malformed(where, value, '16 bytes')
  return Buffer.from(value)
}

export function int(where: string, value: number | null, low: number, high: number): number {
  if (value === null || value < low || value > high) return malformed(where, value, `${low} to ${high}`)
  return value
}

export function counter(where: string, value: Int64 | null): number {
  const count = value === null ? -1n : big(value)
  if (count < 0n || count > BigInt(Number.MAX_SAFE_INTEGER)) {
    return malformed(where, value === null ? null : count, '0 to 9007199254740991')
  }
  return Number(count)
}

/** Text that may stand in a file of text and on a terminal. */
export function plainText(where: string, value: string | null, low: number, high: number): string {
  if (
    value === null ||
    Buffer.byteLength(value) < low ||
    Buffer.byteLength(value) > high ||
    hasControl(value) ||
    value.includes('\ufffd')
  ) {
    return malformed(where, value, `${low} to ${high} bytes of UTF-8 with no control characters`)
  }
  return value
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 32 || code === 127) return true
  }
  return false
}
