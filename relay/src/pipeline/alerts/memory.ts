// relay/src/pipeline/alerts/memory.ts: what the next relay must know, in a file that outlives this one: which alerts fire, and the changes that
// the receiver has not taken yet, in their order. alerts.ts notes each change here before it tells it. Changes are rare and the
// file is small: it is written at once, whole, and put in the place of the one before.

import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { parseRule } from './parse.js'
import type { AlertChange } from './payload.js'
import { alertName } from './rule.js'

/** Changes that are kept for a receiver that is away; the oldest go. */
const MOST_UNTOLD = 1000
/** After one that failed, the next write. */
const PAUSE_MS = 1000
/** No date is further away from the epoch. */
const FARTHEST_MS = 8.64e15

export interface Recalled {
  firing: AlertChange[]
  /** In the order in which they came; of those that fire the newest is in `firing` as well. */
  untold: AlertChange[]
}

/** A rule is kept as it was written, which parseRule() checks. */
type Kept = Omit<AlertChange, 'rule' | 'value' | 'isGone'> & { rule: string; value?: string }

export class Memory {
  readonly #firing = new Map<string, AlertChange>()
  readonly #untold: AlertChange[] = []
  #isWritten = true
  #failedAt = Number.NEGATIVE_INFINITY

  constructor(
    readonly file: string,
    readonly log: (line: string) => void,
  ) {}

  /** What an earlier relay noted: nothing where there was none. What cannot be read is told, and left out. */
  recall(): Recalled {
    try {
      const { firing, untold } = Object(JSON.parse(readFileSync(this.file, 'utf8')))
      if (!Array.isArray(firing) || !Array.isArray(untold)) throw new TypeError('it has no lists of alerts')
      return { firing: this.#read(firing), untold: this.#read(untold) }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code !== 'ENOENT') this.log(`${this.file}: ${message}: which alerts fired before is not known`)
      return { firing: [], untold: [] }
    }
  }

  note(change: AlertChange): void {
    const name = alertName(change.rule, change.value)
    if (change.isFiring) this.#firing.set(name, change)
    else this.#firing.delete(name)
    this.#untold.push(change)
    this.#isWritten = false
  }

  /** The last `waiting` of the changes have not been taken, the others have: in order, as they were noted. */
  settle(waiting: number, now: number): void {
    const most = Math.min(waiting, MOST_UNTOLD)
    if (this.#untold.length > most) {
      this.#untold.splice(0, this.#untold.length - most)
      // A change that was taken and is still in the file is told twice at worst, and the next write has it no more.
      if (most === 0) this.#isWritten = false
    }
    if (!this.#isWritten && now - this.#failedAt >= PAUSE_MS) this.#write(now)
  }

  #write(now: number): void {
    const unborn = `${this.file}.new`
    const text = JSON.stringify({
      firing: [...this.#firing.values()].map(keptOf),
      untold: this.#untold.map(keptOf),
    })
    try {
      writeFileSync(unborn, text, { mode: 0o600, flush: true })
      renameSync(unborn, this.file)
      this.#isWritten = true
      this.#failedAt = Number.NEGATIVE_INFINITY
    } catch (error) {
      if (this.#failedAt === Number.NEGATIVE_INFINITY)
        this.log(`${(error as Error).message}: which alerts fire would not be known to the next relay`)
      this.#failedAt = now
    }
  }

  #read(list: Kept[]): AlertChange[] {
    return list.flatMap((kept) => {
      try {
        return changeOf(Object(kept))
      } catch (error) {
        this.log(`${this.file}: ${(error as Error).message}: what is told of that alert is not known`)
        return []
      }
    })
  }
}

const keptOf = ({ rule, value, isFiring, amount, count, startsAt, endsAt, traces }: AlertChange): Kept => ({
  ...{ rule: `${rule.name}: ${rule.text}`, isFiring, amount, count, startsAt, endsAt, traces },
  ...(value === undefined ? {} : { value }),
})

/** @throws TypeError where it is not what keptOf() made */
function changeOf({
  rule: line,
  value,
  isFiring,
  amount,
  count,
  startsAt,
  endsAt,
  traces,
}: Kept): AlertChange {
  const rule = parseRule(String(line))
  const isKnown =
    rule !== undefined &&
    (rule.by === undefined ? value === undefined : typeof value === 'string') &&
    typeof isFiring === 'boolean' &&
    [amount, count].every(Number.isFinite) &&
    [startsAt, endsAt].every((time) => Math.abs(time) <= FARTHEST_MS) &&
    Array.isArray(traces) &&
    traces.every((trace) => typeof trace === 'string')
  if (!isKnown) throw new TypeError(`${JSON.stringify(line)} is not as a relay writes it`)
  return { rule, value, isFiring, amount, count, startsAt, endsAt, traces }
}
