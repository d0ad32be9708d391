// relay/src/spans/amount.ts: how much a post may bring, beside its bytes: spans, and what is in them. A small body that unpacks to
// millions of nothings would hold the relay's thread for seconds, and its memory, once it is made into objects: so JSON is
// counted before it is parsed, and protobuf while it is read. The HTTP API asks. Pure.

/** A batch of our own sinks has fewer, however small its spans are, and so have those of tracers. */
const MOST_SPANS = 25_000
/** Objects, lists and what is in them, or fields. A span of a tracer has 30 or 40. */
const MOST_VALUES = 500_000
/** 10,000 annotations and 10,000 tags, as the largest span has them that comes in another way. */
const MOST_OF_ONE = 60_000

/** More than may come at once. */
export class TooMuch extends RangeError {}

export class Amount {
  #spans = 0
  #values = 0
  #ofOne = 0

  /** @throws TooMuch */
  span(): void {
    this.#ofOne = 0
    if (++this.#spans > MOST_SPANS) throw tooMuch(this.#spans, 'spans', MOST_SPANS)
  }

  /** @throws TooMuch */
  value(): void {
    if (++this.#ofOne > MOST_OF_ONE) throw tooMuch(this.#ofOne, 'values in one span', MOST_OF_ONE)
    if (++this.#values > MOST_VALUES) throw tooMuch(this.#values, 'values', MOST_VALUES)
  }
}

const tooMuch = (count: number, what: string, most: number): TooMuch =>
  new TooMuch(`the body has ${count} ${what} or more; expected at most ${most}`)

/**
 * Counts a list of spans as JSON. Whether it is JSON at all is for the parser to say.
 *
 * @throws TooMuch
 */
export function checkJson(bytes: Uint8Array): void {
  const amount = new Amount()
  let depth = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) {
      for (at++; at < bytes.length && bytes[at] !== QUOTE; at++) if (bytes[at] === BACKSLASH) at++
    } else if (byte === OBJECT || byte === LIST) {
      if (depth++ === 1) amount.span()
      amount.value()
    } else if (byte === COMMA) {
      amount.value() // but for the first in an object or a list, which is counted with that
    } else if (byte === OBJECT_END || byte === LIST_END) depth--
  }
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const [OBJECT, OBJECT_END, LIST, LIST_END] = [0x7b, 0x7d, 0x5b, 0x5d]
