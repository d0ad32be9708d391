// relay/src/ctf/streams.ts: what the number of a stream says, as docs/ctf.md has it: the channel, and the file's name.
// In each channel: CPUs, then rings leased by threads; behind those of `events` the stream that has no ring. Pure.

import { NO_CPU } from './packet.js'

/** Of `events`; it holds losses only. */
const RINGLESS = 131072
/** From here on the streams of `spans`, numbered as those of `events` are. */
const SPANS = 262144

/** Whether a traced process can have such a stream. */
export const isStream = (stream: number): boolean =>
  (stream >= 0 && stream <= RINGLESS) || (stream >= SPANS && stream < SPANS + RINGLESS)

export const STREAMS = `0 to ${RINGLESS}, or ${SPANS} to ${SPANS + RINGLESS - 1}`

/** Of the channel `spans`: it holds the events of the provider `blkin`, and `events` holds none of them. */
export const isSpanStream = (stream: number): boolean => stream >= SPANS

/** Where threads lease rings: no one CPU. */
const LEASED = 65536

/** The CPU whose ring it is, as its packets say it. */
export function cpuOf(stream: number): number {
  const inChannel = stream % SPANS
  return inChannel < LEASED ? inChannel : NO_CPU
}

export function streamFile(stream: number): string {
  return isSpanStream(stream) ? `spans_${stream - SPANS}` : `events_${stream}`
}

/** Undefined where the file is none. */
export function streamOf(file: string): number | undefined {
  const [, channel, number] = /^(events|spans)_(\d{1,6})$/.exec(file) ?? []
  if (channel === undefined || Number(number) > RINGLESS) return undefined
  return Number(number) + (channel === 'spans' ? SPANS : 0)
}
