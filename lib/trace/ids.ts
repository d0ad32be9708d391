// lib/trace/ids.ts: random words for ids, and how wide those of traces are: xoshiro128++, a state a thread, seeded by the system. Fast and uniform, and no
// secret: whoever sees some ids can work out the next. All numbers are int32, which V8 keeps without allocating.
import { getRandomValues } from 'node:crypto'

const state = new Int32Array(4)
do getRandomValues(state)
while ((state[0]! | state[1]! | state[2]! | state[3]!) === 0) // the one state that it never leaves

/** Words are made many at a time: while the state stays in registers, one costs a third. */
const pool = new Int32Array(256)
let left = 0

/** 32 random bits. */
export function randomWord(): number {
  if (left === 0) fill()
  return pool[--left]!
}

function fill(): void {
  let s0 = state[0]!
  let s1 = state[1]!
  let s2 = state[2]!
  let s3 = state[3]!
  for (let i = 0; i < pool.length; i++) {
    const sum = (s0 + s3) | 0
    pool[i] = (((sum << 7) | (sum >>> 25)) + s0) | 0
    const shifted = s1 << 9
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = (s3 << 11) | (s3 >>> 21)
  }
  state[0] = s0
  state[1] = s1
  state[2] = s2
  state[3] = s3
  left = pool.length
}

/** From 0 to just below 1, by 53 random bits. */
export function randomFraction(): number {
  return ((randomWord() >>> 0) * 2 ** 21 + (randomWord() >>> 11)) / 2 ** 53
}

/** Bits of the ids of traces that begin in this thread. */
export type TraceIdBits = 64 | 128

let wide = false

export function setTraceIdBits(bits: TraceIdBits): void {
  wide = bits === 128
}

export const idsAreWide = (): boolean => wide
