// lib/trace/gap.ts: how many of the traces that begin in this thread are passed over until the next one is recorded. That is
// drawn once a recorded trace, with the chances that a die for each of them would give, so that a trace which is passed over
// costs one decrement: no random number, no id, no count of its own.
import { gapBefore } from '../sample.js'
import { randomFraction } from './ids.js'

const most = 2 ** 30

/** Still to be passed over: an int32, which V8 keeps without allocating. */
const left = new Int32Array(1)
/** What it was at first, and what it could not hold of the gap. */
let drawn = 0
let beyond = 0
/** In the gaps before. */
let passed = 0
let share = 1

/** From the next root on. A die has no memory: the gap that was going on is drawn anew. */
export function setGapShare(wanted: number): void {
  passed += drawn - left[0]!
  share = wanted
  draw()
}

/** Once a root: whether it is passed over. */
export function passesOver(): boolean {
  const now = left[0]!
  if (now === 0) return share !== 1 && goesOn()
  left[0] = now - 1
  return true
}

/** Since the thread began. */
export function passedOver(): number {
  return passed + drawn - left[0]!
}

function goesOn(): boolean {
  passed += drawn
  if (beyond === 0) {
    draw()
    return false
  }
  hold(beyond)
  left[0]!--
  return true
}

function draw(): void {
  hold(share === 1 ? 0 : gapBefore(share, randomFraction()))
}

function hold(gap: number): void {
  drawn = Math.min(gap, most)
  beyond = gap - drawn
  left[0] = drawn
}
