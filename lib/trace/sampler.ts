// lib/trace/sampler.ts: whether a trace that begins here is recorded. Decided by its id's lowest 32 bits against a limit,
// so that every process that has the same share decides alike. BLKIN_TRACE_SAMPLE sets it:
//
//   1/100, 1%, 0.01     this share of the traces
//   50/s                that many a second, of this thread: the share follows the load
//
// A trace that begins here and is recorded gets an id below the limit; which ones those are is drawn in gap.ts. A trace that
// comes from elsewhere with nothing said has its id already, and is asked about it.
//
// An adaptive limit is worked out four times a second from how many traces began. No clock is read when one begins; a
// burst that comes faster than the timer halves the limit each time the traces of two turns are used up.
import { parseSample } from '../sample.js'
import { passedOver, passesOver, setGapShare } from './gap.js'
import { randomFraction, randomWord } from './ids.js'

const words = 2 ** 32
const turnsPerSecond = 4
const perSecondMost = 1_000_000

/** A fixed share of all, or a number a second. */
export type TraceSample = { readonly share: number } | { readonly perSecond: number }

/** @throws TypeError (ERR_BLKIN_SAMPLE) naming what was given. */
export function parseTraceSample(text: string): TraceSample {
  const [, number] = /^\s*(\d*\.?\d+)\/s\s*$/.exec(text) ?? []
  if (number === undefined) {
    const { keep, of } = parseSample(text)
    return { share: keep / of }
  }
  const perSecond = Number(number)
  if (perSecond > 0 && perSecond <= perSecondMost) return { perSecond }
  const error = new TypeError(
    `sample ${JSON.stringify(text)}: expected above 0 and at most ${perSecondMost} a second`,
  )
  throw Object.assign(error, { code: 'ERR_BLKIN_SAMPLE' })
}

/** Of uint32 lowest words: those up to this one are recorded. Typed arrays, since numbers above 2^31 are objects. */
const limit = Uint32Array.of(words - 1)
/** This turn's: roots asked about or kept, roots kept. */
const turn = new Uint32Array(2)
/** Passed over before this turn. */
let passedBefore = 0
/** What a turn may keep; 0: the share is fixed. */
let budget = 0
let smoothed = 0
let timer: NodeJS.Timeout | undefined

function setShare(share: number): void {
  limit[0] = Math.min(words - 1, Math.max(0, Math.round(share * words) - 1))
  setGapShare(currentShare())
}

export function setTraceSample(sample: TraceSample): void {
  clearInterval(timer)
  timer = undefined
  const adaptive = 'perSecond' in sample
  budget = adaptive ? sample.perSecond / turnsPerSecond : 0
  smoothed = 0
  beginTurn()
  setShare(adaptive ? 1 : sample.share)
}

/** The share that is kept now, from just above 0 to 1. */
export function currentShare(): number {
  return ((limit[0] as number) + 1) / words
}

/** The same as a word: whoever keeps something of a share sees by it, without a division, that it is another. */
export function currentLimit(): number {
  return limit[0]!
}

/** Once a root of this thread's: whether it is recorded. */
export function keepsNext(): boolean {
  if (passesOver()) return false
  if (budget !== 0) count(true)
  return true
}

/** The lowest word of the id of such a trace: below the limit, so that whoever is asked about it keeps it too. */
export function keptWord(): number {
  const most = limit[0]!
  return most === words - 1 ? randomWord() : Math.floor(randomFraction() * (most + 1)) | 0
}

/** Once a trace that comes from elsewhere undecided: whether the one whose id ends in this word is recorded. */
export function keeps(lowest: number): boolean {
  const keep = lowest >>> 0 <= limit[0]!
  if (budget !== 0) count(keep)
  return keep
}

/** Whether a share that is not that of all keeps this trace. */
export function shareKeeps(share: number, lowest: number): boolean {
  return lowest >>> 0 < Math.round(share * words)
}

function count(keep: boolean): void {
  timer ??= setInterval(endTurn, 1000 / turnsPerSecond).unref()
  turn[0]!++
  if (!keep) return
  turn[1]!++
  if (turn[1]! % Math.ceil(2 * budget) === 0) setShare(currentShare() / 2)
}

function beginTurn(): void {
  turn.fill(0)
  passedBefore = passedOver()
}

function endTurn(): void {
  const seen = turn[0]! + passedOver() - passedBefore
  smoothed = smoothed === 0 ? seen : (smoothed + seen) / 2
  beginTurn()
  setShare(Math.min(1, budget / Math.max(smoothed, budget)))
  if (seen !== 0 || currentShare() !== 1) return
  clearInterval(timer) // nothing begins here now; the next root is kept, and starts it again
  timer = undefined
}
