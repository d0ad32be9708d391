// librados.ts: the calls of librados that rados-pool.ts needs, declared for koffi as librados.h declares them. Loads the
// library when the first pool is opened, so that a block store without RADOS needs none.

import koffi from 'koffi'

const LIBRARY = 'librados.so.2'

/** From librados.h. */
export const CMPXATTR_OP_EQ = 1
export const OP_FLAG_FAILOK = 2

export type Pointer = bigint
/** Where a call puts a pointer that it makes. */
export type Out = [Pointer | null]

/** Each returns a negative errno where it fails. `later` runs one that blocks in another thread. */
export type Librados = ReturnType<typeof declare>

let loaded: Librados | undefined

/** @throws Error where librados is not installed */
export function librados(): Librados {
  loaded ??= declare()
  return loaded
}

function declare() {
  const library = open()
  const done = koffi.proto('void rados_done(void *completion, uintptr_t tag)')
  const call = (prototype: string) => library.func(prototype)
  const inThread = (prototype: string) => {
    const blocking = call(prototype)
    return (...args: unknown[]): Promise<number> =>
      new Promise((resolve, reject) =>
        blocking.async(...args, (error: Error | null, result: number) =>
          error ? reject(error) : resolve(result),
        ),
      )
  }
  return {
    onDone: (told: (completion: Pointer, tag: number) => void) => koffi.register(told, koffi.pointer(done)),
    forget: (callback: bigint) => koffi.unregister(callback),

    create: call('int rados_create(_Out_ void **cluster, const char *id)'),
    readConf: call('int rados_conf_read_file(void *cluster, const char *path)'),
    setConf: call('int rados_conf_set(void *cluster, const char *option, const char *value)'),
    connect: inThread('int rados_connect(void *cluster)'),
    shutdown: inThread('void rados_shutdown(void *cluster)'),
    fsid: call('int rados_cluster_fsid(void *cluster, _Out_ uint8_t *text, size_t length)'),
    openPool: inThread('int rados_ioctx_create(void *cluster, const char *pool, _Out_ void **io)'),
    closePool: call('void rados_ioctx_destroy(void *io)'),

    completion: call(
      'int rados_aio_create_completion2(uintptr_t tag, rados_done *complete, _Out_ void **completion)',
    ),
    result: call('int rados_aio_get_return_value(void *completion)'),
    release: call('void rados_aio_release(void *completion)'),

    writeOp: call('void *rados_create_write_op()'),
    releaseWriteOp: call('void rados_release_write_op(void *op)'),
    addRemoveAttribute: call('void rados_write_op_rmxattr(void *op, const char *name)'),
    writeFlags: call('void rados_write_op_set_flags(void *op, int flags)'),
    addWrite: call(
      'void rados_write_op_write(void *op, const uint8_t *data, size_t length, uint64_t offset)',
    ),
    addWriteFull: call('void rados_write_op_write_full(void *op, const uint8_t *data, size_t length)'),
    addRemove: call('void rados_write_op_remove(void *op)'),
    startWrite: call(
      'int rados_aio_write_op_operate(void *op, void *io, void *completion, const char *name, void *mtime, int flags)',
    ),

    readOp: call('void *rados_create_read_op()'),
    releaseReadOp: call('void rados_release_read_op(void *op)'),
    readCompare: call(
      'void rados_read_op_cmpxattr(void *op, const char *name, uint8_t comparison, const char *value, size_t length)',
    ),
    readFlags: call('void rados_read_op_set_flags(void *op, int flags)'),
    addRead: call(
      'void rados_read_op_read(void *op, uint64_t offset, size_t length, uint8_t *data, void *bytes, void *errno)',
    ),
    startRead: call(
      'int rados_aio_read_op_operate(void *op, void *io, void *completion, const char *name, int flags)',
    ),
  }
}

function open() {
  try {
    return koffi.load(LIBRARY)
  } catch (error) {
    throw new Error(
      `RADOS needs ${LIBRARY}, which is not here (Debian: librados2): ${(error as Error).message}`,
    )
  }
}
