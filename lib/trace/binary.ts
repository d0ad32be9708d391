// lib/trace/binary.ts: BlkKin's trace_info in the header of a binary protocol: 24 bytes, big-endian.
//
//   0  trace    the id's low 64 bits; 0: this request is in no trace
//   8  span
//   16 parent   0 for a root
//
// The form has no place for a decision. A trace that is recorded has an id; where the root decided against, trace is 0
// and span is all ones, which BlkKin's own readers take for "no trace" too; where nobody said anything, all is 0.
import { isUint8Array } from 'node:util/types'
import { hexOf, wordAt } from './hex.js'
import { type WireContext, zeros } from './wire.js'

export const packedBytes = 24
const against = 'ffffffffffffffff'

/** The place for the bytes; undefined where they do not fit. */
export function placeIn(buffer: unknown, offset: unknown): DataView | undefined {
  if (!isUint8Array(buffer) || !Number.isInteger(offset)) return undefined // instanceof asks proxies, and believes them
  const at = offset as number
  if (at < 0 || at + packedBytes > buffer.byteLength) return undefined
  return new DataView(buffer.buffer, buffer.byteOffset + at, packedBytes)
}

export function readBinary(place: DataView): WireContext | undefined {
  const id = (at: number) => hexOf(place.getUint32(at), place.getUint32(at + 4))
  const [trace, spanId, parent] = [id(0), id(8), id(16)]
  if (trace === zeros) {
    const decision = spanId === against ? 'no' : 'unsaid'
    return decision === 'no' ? { traceId: '', spanId: '', parentId: '', decision, state: '' } : undefined
  }
  if (spanId === zeros) return undefined
  return {
    traceId: zeros + trace,
    spanId,
    parentId: parent === zeros ? '' : parent,
    decision: 'yes',
    state: '',
  }
}

export function writeBinary(context: WireContext | undefined, place: DataView): void {
  const put = (at: number, hex: string) => {
    place.setInt32(at, wordAt(hex, 0))
    place.setInt32(at + 4, wordAt(hex, 8))
  }
  const recorded = context !== undefined && context.traceId !== '' && context.decision !== 'no'
  put(0, recorded ? context.traceId.slice(16) : zeros)
  put(8, recorded ? context.spanId : context?.decision === 'no' ? against : zeros)
  put(16, recorded && context.parentId !== '' ? context.parentId : zeros)
}
