// relay/src/pipeline/delivery/outbox.ts: spans on their way to another server: they wait here while it is away, in the order in which they
// came, and go in batches, one at a time. sinks.ts has one for each sink, alerts one with what they tell a webhook. Every
// span is delivered, refused by the other side, dropped for want of room, or waits; each is counted, and what goes wrong is
// told once.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Span } from '../../spans/span.js'

/** What knows how to hand a batch to the other side. */
export interface Transport {
  /** Where to, for people: "zipkin http://127.0.0.1:9411". */
  readonly name: string
  /** What it carries, for people, where that is not spans. */
  readonly words?: { one: string; many: string }
  /**
   * Resolves when the other side has taken it.
   *
   * @returns how many of the spans it refused while it took the others
   * @throws NotTaken where it never will take the batch; anything else means: not now
   */
  send(batch: Batch, signal: AbortSignal): Promise<number>
  close?(): void
}

/** The other side has looked at it and wants none of it. */
export class NotTaken extends Error {}

/**
 * What is made of a batch before it goes.
 *
 * @throws NotTaken where it cannot be made: that is the batch's fault, and no later attempt can either
 */
export function made<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw error instanceof NotTaken
      ? error
      : new NotTaken(`it cannot be written: ${(error as Error).message}`)
  }
}

export interface Batch {
  count: number
  /** Spans as Zipkin's JSON, comma between. */
  json: Buffer
}

export function spansOf({ json }: Batch): Span[] {
  return JSON.parse(`[${json}]`) as Span[]
}

/** At every moment offered = delivered + refused + dropped + waiting, and when the outbox is closed nothing waits. */
export interface OutboxStats {
  name: string
  offered: number
  delivered: number
  refused: number
  dropped: number
  waiting: number
  /** Why the last attempt failed or was refused, and since when they are (milliseconds since the epoch); absent while all is well. */
  error?: string
  failingSince?: number
}

export interface OutboxLimits {
  /** Bytes of JSON that may wait. */
  most: number
  /** Bytes of JSON of a batch, but for one span that is larger. */
  batch: number
  /** Milliseconds until what has come is sent, full or not. */
  linger: number
  /** Milliseconds before the first new attempt, and the longest; each is 1.5 times the one before. */
  pause: [first: number, longest: number]
  /** Milliseconds for one attempt, and for all that is left at the end. */
  patience: number
  farewell: number
}

export const usualLimits: OutboxLimits = {
  most: 256 * 2 ** 20,
  batch: 2 ** 20,
  linger: 200,
  pause: [500, 30_000],
  patience: 30_000,
  farewell: 5_000,
}

const growth = 1.5

export class Outbox<Item extends object = Span> {
  readonly #words: { one: string; many: string }
  readonly #stats: OutboxStats
  /** The oldest first; the last one may still grow. */
  readonly #batches: { lines: string[]; bytes: number }[] = []
  #bytes = 0
  /** As the log has it. */
  #isAway = false
  /** Nothing more will come; and: there is no more time. */
  readonly #closing = new AbortController()
  readonly #end = new AbortController()
  #wake = () => {}
  readonly #loop: Promise<void>

  constructor(
    readonly transport: Transport,
    readonly log: (line: string) => void,
    readonly limits: OutboxLimits = usualLimits,
  ) {
    this.#stats = { name: transport.name, offered: 0, delivered: 0, refused: 0, dropped: 0, waiting: 0 }
    this.#words = transport.words ?? { one: 'a span', many: 'spans' }
    this.#loop = this.#run()
  }

  stats(): OutboxStats {
    return { ...this.#stats }
  }

  add(items: readonly Item[]): void {
    for (const item of items) this.#push(JSON.stringify(item))
    this.#stats.offered += items.length
    this.#stats.waiting += items.length
    while (this.#bytes > this.limits.most) {
      if (this.#stats.dropped === 0)
        this.log(`${this.transport.name}: too much waits; the oldest ${this.#words.many} are dropped`)
      this.#count('dropped', this.#take().length)
    }
    this.#wake()
  }

  /** Sends what it can within the time for that. What is left is dropped, and counted. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#wake()
    const timer = setTimeout(() => this.#end.abort(), this.limits.farewell)
    await this.#loop
    clearTimeout(timer)
    this.transport.close?.()
  }

  #push(line: string): void {
    const bytes = Buffer.byteLength(line) + 1
    let last = this.#batches.at(-1)
    if (last === undefined || last.bytes + bytes > this.limits.batch) {
      last = { lines: [], bytes: 0 }
      this.#batches.push(last)
    }
    last.lines.push(line)
    last.bytes += bytes
    this.#bytes += bytes
  }

  #take(): string[] {
    const { lines, bytes } = this.#batches.shift()!
    this.#bytes -= bytes
    return lines
  }

  #count(what: 'delivered' | 'refused' | 'dropped', spans: number): void {
    this.#stats[what] += spans
    this.#stats.waiting -= spans
  }

  async #run(): Promise<void> {
    const closing = this.#closing.signal
    for (;;) {
      if (this.#batches.length > 0) await this.#deliver(this.#take())
      else if (closing.aborted) return
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        await pause(this.limits.linger, closing) // more of it may come
      }
    }
  }

  /** Tries until it is taken, refused, or there is no more time. */
  async #deliver(lines: string[]): Promise<void> {
    const batch = { count: lines.length, json: Buffer.from(lines.join(',')) }
    let [ms, longest] = this.limits.pause
    for (; !this.#end.signal.aborted; ms = Math.min(longest, ms * growth)) {
      try {
        const refused = within(await this.#attempt(batch), lines.length)
        this.#count('delivered', lines.length - refused)
        this.#count('refused', refused)
        return this.#answered(undefined)
      } catch (error) {
        if (error instanceof NotTaken) return this.#refused(lines, error)
        this.#answered(error as Error)
      }
      await pause(ms, this.#end.signal)
    }
    this.#count('dropped', lines.length)
  }

  async #attempt(batch: Batch): Promise<number> {
    const attempt = new AbortController()
    const { patience, farewell } = this.limits
    const stop = () => attempt.abort(new Error(`no answer within ${patience / 1000} s`))
    const end = () =>
      attempt.abort(new Error(`no answer within the ${farewell / 1000} s for what is left at the end`))
    const timer = setTimeout(stop, patience)
    this.#end.signal.addEventListener('abort', end, { once: true })
    try {
      return await this.transport.send(batch, attempt.signal)
    } finally {
      clearTimeout(timer)
      this.#end.signal.removeEventListener('abort', end)
    }
  }

  /** One bad span does not take others with it: halves are tried until it is found. */
  async #refused(lines: string[], error: NotTaken): Promise<void> {
    if (lines.length > 1) {
      const half = lines.length >> 1
      await this.#deliver(lines.slice(0, half))
      return this.#deliver(lines.slice(half))
    }
    if (this.#stats.refused === 0)
      this.log(`${this.transport.name}: refuses ${this.#words.one}: ${error.message}`)
    this.#answered(error)
    this.#count('refused', 1)
  }

  /** The last answer says how the other side is. A change of weather is logged, not each drop of rain, nor a span that is refused. */
  #answered(error: Error | undefined): void {
    if (error === undefined) {
      delete this.#stats.error
      delete this.#stats.failingSince
    } else {
      this.#stats.error = error.message
      this.#stats.failingSince ??= Date.now()
    }
    const isAway = error !== undefined
    if (error instanceof NotTaken || isAway === this.#isAway) return
    this.#isAway = isAway
    this.log(`${this.transport.name}: ${error?.message ?? `takes ${this.#words.many} again`}`)
  }
}

/** The other side's own count, as far as it can be: a whole number of 0 to `most`. */
const within = (count: number, most: number): number => Math.min(most, Math.max(0, Math.trunc(count) || 0))

/** Cut short by the signal. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {})
}
