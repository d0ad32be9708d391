// bench/chain/path.mjs: where the annotations of a write stand: the functions that it goes through in the block store, in its order.
// BlkKin's Archipelago and RADOS wrote 113 annotations a write; the store's own seven tracepoints and those of weave.mjs, one before
// each statement of these functions, are as many. `id` is how a function knows the number of the request. A table and nothing else.

/** What BlkKin counted for one write, over all processes. */
export const annotations = 113

export const path = [
  // In the block server, from the client's request to the message to a store.
  { file: 'nbd-server', in: 'begin', id: 'id' },
  { file: 'nbd-server', in: 'transmission', id: 'request.id' },
  { file: 'nbd-server', in: 'refusal', id: 'request.id' },
  { file: 'nbd-server', in: 'perform', id: 'request.id' },
  { file: 'volume', in: 'write', id: 'origin.id' },
  { file: 'volume', in: 'begin', id: 'origin.id' },
  { file: 'object-store', in: 'ended', id: 'origin.id' },
  { file: 'volume', in: 'writeObject', id: 'origin.id' },
  { file: 'store-client', in: 'call', id: 'origin.id' },
  { file: 'store-protocol', in: 'packRequest', id: 'id' },
  // In the store process.
  { file: 'store-protocol', in: 'unpackRequest', id: 'request.id' },
  { file: 'store-server', in: 'protocol', id: 'request.id' },
  { file: 'store-server', in: 'perform', id: 'request.id' },
  { file: 'store-server', in: 'done', id: 'request.id' },
  { file: 'store-protocol', in: 'packReply', id: 'request.id' },
  // In the block server again, to the reply.
  { file: 'store-client', in: 'replies', id: 'call?.id ?? 0' },
  { file: 'nbd-server', in: 'finish', id: 'request.id' },
  // In its stead, where the objects are in a RADOS cluster.
  { file: 'rados-store', in: 'writeRange', id: 'origin.id' },
  { file: 'rados-store', in: 'call', id: 'origin.id' },
]
