// lib/trace/binary.ts: BlkKin's trace_info in the header of a binary protocol: 24 bytes, big-endian.
//
//   0  trace    the id's low 64 bits; 0: this request is in no trace
//   8  span
//   16 parent   0 for a root
//
// The form has no place for a decision. A trace that is recorded has an id; where the root decided against, trace is 0
// and span is all ones, which BlkKin's own readers take for "no trace" too; where nobody said anything, all is 0.
//
// A message of each request passes here, recorded or not: words are put and taken byte by byte, and no object is made but
// the context of a trace that is recorded.
import { isUint8Array } from 'node:util/types'
import { decisionAlone, WireContext } from './wire.js'

const packedBytes = 24

/** Whether there is a place for the bytes. */
export function fits(buffer: unknown, offset: unknown): buffer is Uint8Array {
  if (!isUint8Array(buffer) || !Number.isInteger(offset)) return false // instanceof asks proxies, and believes them
  const at = offset as number
  return at >= 0 && at + packedBytes <= buffer.length
}

function take(buffer: Uint8Array, at: number): number {
  return (buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!
}

function put(buffer: Uint8Array, at: number, word: number): void {
  buffer[at] = word >>> 24
  buffer[at + 1] = word >>> 16
  buffer[at + 2] = word >>> 8
  buffer[at + 3] = word
}

export function readBinary(buffer: Uint8Array, at: number): WireContext | undefined {
  const traceHigh = take(buffer, at)
  const traceLow = take(buffer, at + 4)
  const spanHigh = take(buffer, at + 8)
  const spanLow = take(buffer, at + 12)
  if ((traceHigh | traceLow) === 0) return (spanHigh & spanLow) === -1 ? decisionAlone.no : undefined
  if ((spanHigh | spanLow) === 0) return undefined
  const [parentHigh, parentLow] = [take(buffer, at + 16), take(buffer, at + 20)]
  return new WireContext(0, 0, traceHigh, traceLow, spanHigh, spanLow, parentHigh, parentLow, 'yes', '')
}

export function writeBinary(context: WireContext | undefined, buffer: Uint8Array, at: number): void {
  if (context === undefined) writeIds(buffer, at, 0, 0, 0, 0, 0, 0)
  else if (context.decision === 'no') writeIds(buffer, at, 0, 0, -1, -1, 0, 0)
  else {
    const { traceHigh, traceLow, spanHigh, spanLow, parentHigh, parentLow } = context
    writeIds(buffer, at, traceHigh, traceLow, spanHigh, spanLow, parentHigh, parentLow)
  }
}

/** Of a trace that is recorded. */
export function writeIds(
  buffer: Uint8Array,
  at: number,
  traceHigh: number,
  traceLow: number,
  spanHigh: number,
  spanLow: number,
  parentHigh: number,
  parentLow: number,
): void {
  put(buffer, at, traceHigh)
  put(buffer, at + 4, traceLow)
  put(buffer, at + 8, spanHigh)
  put(buffer, at + 12, spanLow)
  put(buffer, at + 16, parentHigh)
  put(buffer, at + 20, parentLow)
}
