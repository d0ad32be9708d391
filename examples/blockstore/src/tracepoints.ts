// tracepoints.ts: every tracepoint of the block store, in the order a write meets them.
// `id` is the block request's number. The server draws it, the store protocol carries it, and all that is done
// for one request, in any process, bears it: so request/reply, wait/proceed, copyup/copied, client_send/
// client_receive and server_receive/server_done pair up by it (and by `tag` where one request sends several).
// Behind them the spans of a request, in the same order: declared, so that the beginning of one is one event with its tags.

import { provider, spans, t } from 'blkin'

const op = t.enum(['read', 'write', 'flush', 'trim', 'write_zeroes'])
const storeOp = t.enum(['put', 'get', 'write', 'read', 'copy', 'delete', 'flush'])
const why = t.enum(['snapshot', 'copyup'])

export const blk = provider('blockstore', {
  /** A client has finished its handshake. */
  connect: { level: 'notice', fields: { connection: t.u32, export: t.string } },
  disconnect: { level: 'notice', fields: { connection: t.u32, export: t.string, reason: t.string } },

  /** The header has been read; a write's data may still be on its way. */
  request: {
    level: 'info',
    fields: { id: t.u64, connection: t.u32, export: t.string, op, offset: t.u64, length: t.u32 },
  },
  /** The reply has been handed to the socket. `error` is NBD's number, 0 for success. */
  reply: {
    level: 'info',
    fields: {
      id: t.u64,
      connection: t.u32,
      export: t.string,
      op,
      offset: t.u64,
      length: t.u32,
      error: t.u32,
    },
  },

  /** The connection has too much in flight: nothing more is read from it until `resume`. */
  pause: { level: 'debug_system', fields: { connection: t.u32, requests: t.u32, bytes: t.u64 } },
  resume: { level: 'debug_system', fields: { connection: t.u32, requests: t.u32, bytes: t.u64 } },

  /** The request stands still: behind a snapshot of its volume, or behind a copy-up of its object. */
  wait: { level: 'debug_program', fields: { id: t.u64, volume: t.string, why } },
  proceed: { level: 'debug_program', fields: { id: t.u64, volume: t.string, why } },

  /** Volume and index have become an object. `object` is empty for a hole. */
  mapped: {
    level: 'debug_module',
    fields: {
      id: t.u64,
      volume: t.string,
      index: t.u32,
      object: t.string,
      offset: t.u32,
      length: t.u32,
    },
  },

  /** A shared object is about to be written: it is copied first. */
  copyup: {
    level: 'debug_module',
    fields: { id: t.u64, volume: t.string, index: t.u32, from: t.string, to: t.string },
  },
  copied: {
    level: 'debug_module',
    fields: { id: t.u64, volume: t.string, index: t.u32, to: t.string, error: t.u32 },
  },

  /** Map changes go to the catalog's journal. `id` is that of the request that started this commit. */
  commit: { level: 'debug_module', fields: { id: t.u64, changes: t.u32 } },
  committed: { level: 'debug_module', fields: { id: t.u64, changes: t.u32, error: t.u32 } },
})

export const obj = provider('objstore', {
  /** In the block server. `store` is the store process, `tag` the message on its connection. */
  client_send: {
    level: 'info',
    fields: {
      id: t.u64,
      store: t.u32,
      tag: t.u32,
      op: storeOp,
      object: t.string,
      offset: t.u32,
      length: t.u32,
    },
  },
  client_receive: {
    level: 'info',
    fields: { id: t.u64, store: t.u32, tag: t.u32, op: storeOp, errno: t.u32, bytes: t.u32 },
  },

  /** In the store process. `bytes` is what was written or what is sent back. */
  server_receive: {
    level: 'info',
    fields: { id: t.u64, tag: t.u32, op: storeOp, object: t.string, offset: t.u32, length: t.u32 },
  },
  server_done: {
    level: 'info',
    fields: { id: t.u64, tag: t.u32, op: storeOp, errno: t.u32, bytes: t.u32 },
  },
})

const asked = { export: t.string, request: t.u64 }
const askedRange = { ...asked, offset: t.u64, length: t.u32 }
/** `received` once all of a request is here, `done` when its answer is queued. The span ends when that is sent. */
const annotations = { received: {}, done: {} }

/** A request of a client: the root of a trace, since NBD has no room for what a client might know of one. */
export const requests = spans('blockstore', {
  read: { kind: 'server', tags: askedRange, annotations },
  write: { kind: 'server', tags: askedRange, annotations },
  flush: { kind: 'server', tags: asked, annotations },
  trim: { kind: 'server', tags: askedRange, annotations },
  write_zeroes: { kind: 'server', tags: askedRange, annotations },
})

/** What a request does. */
export const parts = spans('blockstore.part', {
  object: {},
  map: { end: { index: t.u32, object: t.string } },
  'copy-up': {},
  commit: {},
})

const call = { kind: 'client', tags: { object: t.string }, annotations: { sent: {} } } as const

/** A call to a store, begun when it queues behind what else goes there; `sent` once it has left. */
export const calls = spans('objstore.client', {
  put: call,
  get: call,
  write: call,
  read: call,
  copy: call,
  delete: call,
  flush: call, // of one object, or of 'all'
})

const served = { kind: 'server', end: { bytes: t.u32 }, annotations } as const

/** The same in the store. */
export const serves = spans('objstore.server', {
  put: served,
  get: served,
  write: served,
  read: served,
  copy: served,
  delete: served,
  flush: served,
})
