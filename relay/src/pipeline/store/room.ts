// relay/src/pipeline/store/room.ts: how many spans may wait to be written. The writer goes by it, and so does the thread that hands it some. Pure.

const MOST_WAITING = 100_000
const MOST_WAITING_BYTES = 256 * 2 ** 20

/** What waits, and is being written. */
export interface Waiting {
  spans: number
  /** Of JSON. */
  bytes: number
}

/** For so many spans; and for more than half of what may wait as soon as half is free, so that none is left out for ever. */
export const hasRoom = ({ spans, bytes }: Waiting, count: number): boolean =>
  spans + Math.min(count, MOST_WAITING / 2) <= MOST_WAITING && bytes < MOST_WAITING_BYTES
