// relay/src/protocol/wire.ts: the part of Apache's runtime that is needed, and the classes it generated from idl/*.thrift, typed for the rest.
// Everything that touches the wire imports from here; nobody else knows that these are CommonJS.
// i64s come as 8 bytes in an object; big() and i64() are the only two ways in and out of it.

import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

export const thrift = require('../../gen/runtime.js') as Pick<
  typeof import('thrift'),
  'Thrift' | 'TBinaryProtocol' | 'TFramedTransport' | 'Int64'
>
// Of what went wrong the runtime writes `code`, and sets `type`: so others learn that a call is unknown, not just that it failed.
Object.defineProperty(thrift.Thrift.TApplicationException.prototype, 'code', {
  get(this: { type: number }) {
    return this.type
  },
})

export const types = require('../../gen/blkin_types.js') as typeof import('../../gen/blkin_types.js')
export const service = require('../../gen/Relay.js') as typeof import('../../gen/Relay.js')
export const control = require('../../gen/Control.js') as typeof import('../../gen/Control.js')
export const scribe = require('../../gen/scribe.js') as typeof import('../../gen/scribe.js')
export const scribeTypes = require('../../gen/scribe_types.js') as typeof import('../../gen/scribe_types.js')
export const fb303 = require('../../gen/fb303_types.js') as typeof import('../../gen/fb303_types.js')
export const zipkin = require('../../gen/zipkin_types.js') as typeof import('../../gen/zipkin_types.js')
export const fleet = require('../../gen/Fleet.js') as typeof import('../../gen/Fleet.js')

export type Int64 = import('thrift').Int64
export type Hello = import('../../gen/blkin_types.js').Hello
export type Tracepoint = import('../../gen/blkin_types.js').Tracepoint
export type Field = import('../../gen/blkin_types.js').Field
export type Put = import('../../gen/blkin_types.js').Put
export type Held = import('../../gen/blkin_types.js').Held

export function big(value: Int64): bigint {
  return value.buffer.readBigInt64BE(value.offset)
}

export function i64(value: bigint | number): Int64 {
  const buffer = Buffer.allocUnsafe(8)
  buffer.writeBigInt64BE(BigInt.asIntN(64, BigInt(value)))
  return new thrift.Int64(buffer)
}
