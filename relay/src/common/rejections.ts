// relay/src/common/rejections.ts: what the relay turned away or could not keep, counted by what it was and why. Whoever turns something
// away says so here. The first of a kind is logged at once with its message, those behind it are summed up once a minute.
// It holds a bounded number of kinds, however many reasons somebody makes up. Other lines of the log pass here too: all of them have a
// rate, and are safe to print.

import { LogRate } from './log-rate.js'
import { visible } from './visible.js'

/** Everything that can be turned away, and how several of it are called. */
const subjects = {
  post: 'posts',
  request: 'requests',
  connection: 'connections',
  hello: 'hellos',
  declaration: 'declarations',
  put: 'puts',
  message: 'messages',
  batch: 'batches',
  span: 'spans',
  'span event': 'span events',
} as const
export type Subject = keyof typeof subjects

export interface Rejection {
  what: Subject
  /** Few, and short: "413", "ENOSPC", "TOKEN". */
  reason: string
  /** False where its sender still has it, and tries again. */
  isLost: boolean
  count: number
  /** When the last was, milliseconds since the epoch; and whose it was and why, in words. */
  last: number
  message: string
}

/** Where others say what they turned away, and log what is none. */
export type RejectionLog = Pick<Rejections, 'log' | 'reject'>

export type Reject = (what: Subject, reason: string, message: string, more?: RejectOptions) => void

export interface RejectOptions {
  isLost?: boolean
  count?: number
  /** Somebody else logs it. */
  isLogged?: boolean
}

const SUMMARY_MS = 60_000
const MOST_KINDS = 100
const OTHER = 'other'
const MOST_LETTERS = 300

export class Rejections {
  readonly #kinds = new Map<string, Rejection & { unlogged: number }>()
  readonly #write: (line: string) => void
  readonly #rate: LogRate
  #timer: NodeJS.Timeout | undefined

  constructor(write: (line: string) => void) {
    this.#write = (line) => write(visible(line))
    this.#rate = new LogRate(this.#write)
  }

  /** `kind` where somebody outside decides how often there is such a line. */
  readonly log = (line: string, kind?: string): void => this.#rate.line(line, kind)

  readonly reject: Reject = (what, reason, message, { isLost = true, count = 1, isLogged = false } = {}) => {
    const words = visible(message.slice(0, MOST_LETTERS).replace(/\s+/g, ' '))
    const kind = this.#find(what, reason, isLost)
    Object.assign(kind, { count: kind.count + count, last: Date.now(), message: words })
    if (isLogged) return
    if (kind.count === count) return this.#write(`${named(what, count)} refused (${kind.reason}): ${words}`)
    kind.unlogged += count
    this.#timer ??= setTimeout(() => this.#summarize(), SUMMARY_MS).unref()
  }

  all(): Rejection[] {
    return [...this.#kinds.values()].map(({ unlogged, ...kind }) => kind)
  }

  /** What is not logged yet is. */
  close(): void {
    clearTimeout(this.#timer)
    this.#summarize()
    this.#rate.flush()
  }

  #find(what: Subject, reason: string, isLost: boolean): Rejection & { unlogged: number } {
    const key = `${what} ${reason} ${isLost}`
    const known = this.#kinds.get(key)
    if (known) return known
    if (reason !== OTHER && this.#kinds.size >= MOST_KINDS) return this.#find(what, OTHER, isLost)
    const kind = { what, reason, isLost, count: 0, last: 0, message: '', unlogged: 0 }
    this.#kinds.set(key, kind)
    return kind
  }

  #summarize(): void {
    this.#timer = undefined
    for (const kind of this.#kinds.values()) {
      const { what, reason, unlogged, message } = kind
      if (unlogged > 0)
        this.#write(`${named(what, unlogged, ' more')} refused (${reason}), the last: ${message}`)
      kind.unlogged = 0
    }
  }
}

const named = (what: Subject, count: number, more = ''): string =>
  `${count}${more} ${count === 1 ? what : subjects[what]}`
