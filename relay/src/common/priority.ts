// relay/src/common/priority.ts: how nice the relay is to the programs beside it: the system's number, from 0 to 19, that says who has the
// processor where several want it. A relay that has its machine for itself loses nothing by it. Linux has one for each thread.

import { readdirSync, readlinkSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'

export const NICEST = 19

/** Of all threads that the process has by now, and so of those that they make. Never less nice than it is. */
export function beNice(nice: number): void {
  for (const thread of threads()) if (niceOf(thread) < nice) set(thread, nice)
}

/** Of the thread that calls. False where the system does not let it be less nice than it is. */
export function beNiceHere(nice: number): boolean {
  const thread = here()
  return thread !== undefined && (niceOf(thread) === nice || set(thread, nice))
}

export function niceHere(): number {
  const thread = here()
  return thread === undefined ? 0 : niceOf(thread)
}

function threads(): number[] {
  try {
    return readdirSync('/proc/self/task').map(Number)
  } catch {
    return [0]
  }
}

function here(): number | undefined {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1))
  } catch {
    return undefined // not Linux: there is one number for the whole process
  }
}

function niceOf(thread: number): number {
  try {
    return getPriority(thread)
  } catch {
    return 0 // it has ended
  }
}

function set(thread: number, nice: number): boolean {
  try {
    setPriority(thread, nice)
    return true
  } catch {
    return false
  }
}
