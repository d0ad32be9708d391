// relay/src/ports/scribe/intake.ts: what one Log() brings, taken whole or left with its sender: spans to the store, the rest to files.
// What nobody could ever take, such as a span that cannot be read, is counted and left out: it must not hold up the rest for ever.

import { setImmediate as turn } from 'node:timers/promises'
import type { Reject } from '../../common/rejections.js'
import { v1FromBytes } from '../../spans/formats/from-v1.js'
import type { V1Span } from '../../spans/formats/v1-span.js'
import { type Routes, SPANS } from './categories.js'
import type { Counters, What } from './counters.js'
import type { Files } from './files.js'

/** A message as it came. */
export interface Entry {
  category: string | null
  message: Buffer | null
}

/** Where spans go. False where there is no room now. */
export type TakeSpans = (spans: V1Span[]) => boolean

/** Messages that are looked at before others have their turn. */
const AT_ONCE = 500

interface Batch {
  spans: V1Span[]
  files: Map<string, Buffer[]>
  /** By category, '' where it has no place, and by what became of them. */
  counts: Map<string, Map<What, number>>
}

export class Intake {
  /** Nothing is taken any more. */
  isClosing = false

  constructor(
    readonly routes: Routes,
    readonly files: Files,
    readonly counters: Counters,
    readonly takeSpans: TakeSpans,
    readonly reject: Reject,
  ) {}

  /** False where nothing of it was taken, and it may come again. */
  async log(entries: readonly Entry[]): Promise<boolean> {
    const batch: Batch = { spans: [], files: new Map(), counts: new Map() }
    for (const [i, entry] of entries.entries()) {
      if (i % AT_ONCE === AT_ONCE - 1) await turn()
      this.#sort(entry, batch)
    }
    const isTaken = !this.isClosing && (await this.#take(batch))
    if (isTaken) this.#count(batch)
    else this.#deny(batch, entries.length)
    return isTaken
  }

  #count({ counts }: Batch): void {
    for (const [category, of] of counts) {
      for (const [what, count] of of) {
        this.counters.add(what, count, category || undefined)
        if (what === 'received good') continue
        const why =
          what === 'received bad' && this.routes.placeOf(category) === SPANS ? 'no span' : 'no category'
        this.reject('message', why, `Scribe's category ${JSON.stringify(category)}`, { count })
      }
    }
  }

  #deny({ files }: Batch, messages: number): void {
    this.counters.add('denied for queue size', 1)
    if (this.isClosing) return
    const trouble = files.size > 0 ? this.files.trouble : undefined
    const why = trouble ?? 'too many spans wait to be stored'
    const reason = trouble === undefined ? 'no room' : 'files'
    this.reject('batch', reason, `one of ${messages} by Scribe: ${why}`, {
      isLost: false,
      isLogged: trouble !== undefined,
    })
  }

  #sort({ category, message }: Entry, batch: Batch): void {
    const name = category ?? ''
    const place = this.routes.placeOf(name)
    const bytes = message ?? Buffer.alloc(0)
    const isGood = place === SPANS ? addSpan(batch.spans, bytes) : place !== undefined
    if (isGood && place !== SPANS && bytes.length > 0) {
      const parts = batch.files.get(place!)
      if (parts) parts.push(bytes)
      else batch.files.set(place!, [bytes])
    }
    const what = name === '' ? 'received blank category' : isGood ? 'received good' : 'received bad'
    const counted = place === undefined ? '' : name
    const counts = batch.counts.get(counted) ?? new Map<What, number>()
    batch.counts.set(counted, counts.set(what, (counts.get(what) ?? 0) + 1))
  }

  async #take({ spans, files }: Batch): Promise<boolean> {
    const takeSpans = () => spans.length === 0 || this.takeSpans(spans)
    if (files.size === 0) return takeSpans()
    const whole = new Map<string, Buffer>()
    for (const [folder, parts] of files) whole.set(folder, Buffer.concat(parts))
    return this.files.append(whole, takeSpans)
  }
}

/** False where the message is no span in base64. */
function addSpan(spans: V1Span[], message: Buffer): boolean {
  const text = message.toString('latin1').trimEnd() // not by the pattern, which would try blanks in the middle one by one
  if (!/^[A-Za-z0-9+/\s]*={0,2}$/.test(text)) return false
  try {
    spans.push(v1FromBytes(Buffer.from(text, 'base64')))
    return true
  } catch {
    return false
  }
}
