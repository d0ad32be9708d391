// relay/src/spans/formats/amount.ts: how much a post may bring, beside its bytes: spans, and what is in them. A small body that unpacks to
// millions of nothings would hold the relay's thread for seconds, and its memory, once it is made into objects: so JSON is
// counted before it is parsed (json-text.ts), and protobuf and thrift while they are read. Pure.

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
