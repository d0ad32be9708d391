// lib/trace/peer-left.ts: which side of a connection ended it.
import type { Socket } from 'node:net'

/** Whether the other side closed it or reset it, and not this one. Errors of the system have the call that failed. */
export function peerLeft(socket: Socket | null | undefined): boolean {
  const error = socket?.errored as NodeJS.ErrnoException | null | undefined
  return socket?.readableEnded === true || typeof error?.syscall === 'string'
}
