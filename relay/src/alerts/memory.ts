// relay/src/alerts/memory.ts: what a receiver must hear of, in a file that outlives the relay: alerts that fire, and those that were
// resolved and may not have been heard of. alerts.ts notes each change here before it tells it. Changes are rare and the file
// is small: it is written at once, whole, and put in the place of the one before.

import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { parseAlerts } from './parse.js'
import type { Told } from './payload.js'
import { alertName } from './rule.js'

/** Resolved ones that are kept while their receiver is away; the oldest go. */
const MOST_RESOLVED = 1000

/** A rule is kept as it was written, which parseAlerts() checks. */
type Kept = Omit<Told, 'rule' | 'value' | 'api'> & { rule: string; value?: string }

export class Memory {
  readonly #told = new Map<string, Told>()
  #resolved = 0
  #isWritten = true

  constructor(
    readonly file: string,
    readonly log: (line: string) => void,
  ) {}

  /** What an earlier relay noted: nothing where there was none, or its file cannot be read, which is told. */
  recall(): Told[] {
    try {
      return (JSON.parse(readFileSync(this.file, 'utf8')) as Kept[]).map(toldOf)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code !== 'ENOENT') this.log(`${this.file}: ${message}: which alerts fired before is not known`)
      return []
    }
  }

  note(told: Told): void {
    const name = alertName(told.rule, told.value)
    this.#forget(name)
    this.#told.set(name, told)
    if (!told.isFiring && ++this.#resolved > MOST_RESOLVED)
      this.#forget([...this.#told].find(([, { isFiring }]) => !isFiring)![0])
    this.#isWritten = false
  }

  /** Forgets what was resolved, if all that was told has arrived, and writes what there is now. */
  settle(hasArrived: boolean): void {
    if (hasArrived && this.#resolved > 0) {
      for (const [name, { isFiring }] of this.#told) if (!isFiring) this.#forget(name)
      this.#isWritten = false
    }
    if (!this.#isWritten) this.#write()
  }

  #forget(name: string): void {
    if (this.#told.get(name)?.isFiring === false) this.#resolved--
    this.#told.delete(name)
  }

  #write(): void {
    this.#isWritten = true
    const unborn = `${this.file}.new`
    try {
      writeFileSync(unborn, JSON.stringify([...this.#told.values()].map(keptOf)), {
        mode: 0o600,
        flush: true,
      })
      renameSync(unborn, this.file)
    } catch (error) {
      this.log(`${(error as Error).message}: which alerts fire will not be known to the next relay`)
    }
  }
}

const keptOf = ({ rule, value, api: _, ...rest }: Told): Kept => ({
  ...rest,
  rule: `${rule.name}: ${rule.text}`,
  ...(value === undefined ? {} : { value }),
})

/** @throws TypeError where it is not what keptOf() made */
function toldOf({ rule: line, value, isFiring, amount, count, startsAt, endsAt, traces }: Kept): Told {
  const [rule] = parseAlerts(line)
  const isKnown =
    rule !== undefined &&
    (rule.by === undefined ? value === undefined : typeof value === 'string') &&
    typeof isFiring === 'boolean' &&
    [amount, count, startsAt, endsAt].every(Number.isFinite) &&
    Array.isArray(traces) &&
    traces.every((trace) => typeof trace === 'string')
  if (!isKnown) throw new TypeError(`${JSON.stringify(line)} is not as a relay writes it`)
  return { rule, value, isFiring, amount, count, startsAt, endsAt, traces, api: undefined }
}
