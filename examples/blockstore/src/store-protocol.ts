// store-protocol.ts: the messages between the block server and a store process. All numbers big-endian.
//
// request:  0 u32 magic "BKSQ"     16 u64 id       the block request this serves
//           4 u8  op               24 u32 offset   within the object
//           5 u8  zero             28 u32 length   wanted by read
//           6 u16 name length      32 u64 trace id   \
//           8 u32 tag              40 u64 span id     > trace_info, as trace.pack() writes it; zero means no trace
//          12 u32 data length      48 u64 parent id  /
//          56 name, then data (of put and write; for copy, the new name)
//
// reply:    0 u32 magic "BKSR"      8 u64 id
//           4 u32 tag              16 u32 errno    0 for success
//                                  20 u32 data length
//          24 data (of get and read)
//
// A connection carries many requests at once; replies come in any order and are matched by tag.

import { type Remote, type Span, trace } from 'blkin'
import { ProtocolError, readU64, writeU64 } from './bytes.js'
import { OBJECT_SIZE } from './object-store.js'

export const STORE_OPS = ['put', 'get', 'write', 'read', 'copy', 'delete', 'flush'] as const
export type StoreOp = (typeof STORE_OPS)[number]

export const REQUEST_HEADER = 56
export const REPLY_HEADER = 24
const REQUEST_MAGIC = 0x424b5351
const REPLY_MAGIC = 0x424b5352
const MAX_NAME = 255
const TRACE_AT = 32

const numberOf: Record<StoreOp, number> = { put: 0, get: 1, write: 2, read: 3, copy: 4, delete: 5, flush: 6 }

export interface StoreRequest {
  readonly op: StoreOp
  readonly id: number
  /** The span of whoever sent this. */
  readonly sender: Remote
  readonly tag: number
  readonly offset: number
  readonly length: number
  readonly nameLength: number
  readonly dataLength: number
}

/** The header and the name; the data follow in a buffer of their own. */
export function packRequest(
  op: StoreOp,
  tag: number,
  id: number,
  span: Span,
  name: string,
  offset: number,
  length: number,
  dataLength: number,
): Buffer {
  const head = Buffer.allocUnsafe(REQUEST_HEADER + name.length)
  head.writeUInt32BE(REQUEST_MAGIC, 0)
  head[4] = numberOf[op]
  head[5] = 0
  head.writeUInt16BE(name.length, 6)
  head.writeUInt32BE(tag, 8)
  head.writeUInt32BE(dataLength, 12)
  writeU64(head, id, 16)
  head.writeUInt32BE(offset, 24)
  head.writeUInt32BE(length, 28)
  span.pack(head, TRACE_AT)
  head.write(name, REQUEST_HEADER, 'latin1')
  return head
}

export function unpackRequest(head: Buffer): StoreRequest {
  if (head.readUInt32BE(0) !== REQUEST_MAGIC) throw new ProtocolError('request: bad magic')
  const op = STORE_OPS[head[4]!]
  if (op === undefined) throw new ProtocolError(`request: unknown op ${head[4]}`)
  const request: StoreRequest = {
    op,
    nameLength: head.readUInt16BE(6),
    tag: head.readUInt32BE(8),
    dataLength: head.readUInt32BE(12),
    id: readU64(head, 16),
    offset: head.readUInt32BE(24),
    length: head.readUInt32BE(28),
    sender: trace.unpack(head, TRACE_AT),
  }
  // Beyond these the stream cannot be trusted any more; an offset out of range is answered with EINVAL instead.
  if (request.nameLength > MAX_NAME) throw new ProtocolError(`request: name of ${request.nameLength} bytes`)
  if (request.dataLength > OBJECT_SIZE)
    throw new ProtocolError(`request: ${request.dataLength} bytes of data`)
  return request
}

/** Header and data in one buffer: `data` bytes from REPLY_HEADER on are the caller's to fill. */
export function packReply(request: { tag: number; id: number }, errno: number, dataLength: number): Buffer {
  const reply = Buffer.allocUnsafe(REPLY_HEADER + dataLength)
  reply.writeUInt32BE(REPLY_MAGIC, 0)
  reply.writeUInt32BE(request.tag, 4)
  writeU64(reply, request.id, 8)
  reply.writeUInt32BE(errno, 16)
  reply.writeUInt32BE(dataLength, 20)
  return reply
}

export function unpackReply(head: Buffer): { tag: number; errno: number; dataLength: number } {
  if (head.readUInt32BE(0) !== REPLY_MAGIC) throw new ProtocolError('reply: bad magic')
  const dataLength = head.readUInt32BE(20)
  if (dataLength > OBJECT_SIZE) throw new ProtocolError(`reply: ${dataLength} bytes of data`)
  return { tag: head.readUInt32BE(4), errno: head.readUInt32BE(16), dataLength }
}
