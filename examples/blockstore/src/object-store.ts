// object-store.ts: what the mapper asks of an object store. cluster.ts answers it with processes of our own,
// rados-store.ts with a pool of a RADOS cluster.

import { constants } from 'node:os'
import { type Span, trace } from 'blkin'
import { parts } from './tracepoints.js'

/** Largest object, and the grain in which a volume is cut: 4 MiB. */
export const OBJECT_SIZE = 4 * 1024 * 1024

/** For whom something is done. It travels with every call, and in every message to a store. */
export interface Origin {
  /** The block request's number; 0 for the server's own housekeeping. */
  readonly id: number
  /** What is done is a part of this span. */
  readonly span: Span
}
export const HOUSEKEEPING: Origin = { id: 0, span: trace.current() }

/** A part of what `origin` asks for, with a span of its own. What is not recorded has no parts either: then `origin` itself. */
export function part(origin: Origin, name: 'object' | 'copy-up' | 'commit'): Origin {
  const { id, span } = origin
  return span.enabled ? { id, span: parts[name](undefined, { parent: span }) } : origin
}

/** What `work` gives, once the span of that part has ended with it and told its error. */
export function ended<T>(origin: Origin, work: Promise<T>): Promise<T> {
  return origin.span.enabled ? endedWith(origin.span, work) : work
}

async function endedWith<T>(span: Span, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    span.tag('error', (error as Error).message)
    throw error
  } finally {
    span.end()
  }
}

/** Every method rejects with a StoreError. A name is letters, digits, dot, dash, underscore and at sign. */
export interface ObjectStore {
  /** Replaces the whole object at once: a reader sees the old or the new, and so does the next start. */
  put(origin: Origin, name: string, data: Buffer): Promise<void>
  get(origin: Origin, name: string): Promise<Buffer>
  /** Creates the object where it is absent. What was never written reads as zeros. */
  writeRange(origin: Origin, name: string, offset: number, data: Buffer): Promise<void>
  /** Always `length` bytes. ENOENT for an absent object. */
  readRange(origin: Origin, name: string, offset: number, length: number): Promise<Buffer>
  /** Both names must have one placementKey, so that the copy need not leave its store. */
  copy(origin: Origin, from: string, to: string): Promise<void>
  /** Deleting an absent object succeeds. */
  delete(origin: Origin, name: string): Promise<void>
  /** Makes durable all that was answered before, in one object or in all. */
  flush(origin: Origin, name?: string): Promise<void>
}

/** Objects with one key live on the same stores: the name short of its last dot. */
export function placementKey(name: string): string {
  const dot = name.lastIndexOf('.')
  return dot < 0 ? name : name.slice(0, dot)
}

export class StoreError extends Error {
  override readonly name = 'StoreError'
  /** Linux's number, such as 2 for ENOENT. */
  readonly errno: number

  constructor(errno: number, message: string) {
    super(message)
    this.errno = errno
  }
}

/** The errno of anything thrown: that of a StoreError or of node:fs, else EIO. */
export function errnoOf(error: unknown): number {
  const errno = (error as { errno?: unknown } | null)?.errno
  return typeof errno === 'number' && errno !== 0 ? Math.abs(errno) : constants.errno.EIO
}
