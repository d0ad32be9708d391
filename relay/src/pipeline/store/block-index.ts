// relay/src/pipeline/store/block-index.ts: which blocks of rows have a term, a trace, a time: what a search for something rare
// reads instead of all rows. A block is BLOCK rows in the order in which they came. row.ts tells of each span, batch.ts
// takes what is to be written. A term or a trace is told once a block, so what is common takes next to nothing.

export const BLOCK = 128

/** Tables of the file, and of what waits for it. Hashes are those of row.ts; a trace's is the lower half of its id's. */
export const INDEX_TABLES = {
  terms: 'hash UINTEGER NOT NULL, block UINTEGER NOT NULL',
  traces: 'hash UINTEGER NOT NULL, block UINTEGER NOT NULL',
  /** Of those spans that have a time. A block that was written in pieces has a row for each. */
  blocks: 'block UINTEGER NOT NULL, oldest BIGINT NOT NULL, newest BIGINT NOT NULL',
}

export class BlockIndex {
  readonly terms = new Postings()
  readonly traces = new Postings()
  readonly times = new Times()
  /** In the block. */
  place = -1

  /** `block` is the first. */
  constructor(public block = 0) {}

  /** To where a span goes that has this time (microseconds; 0: none). */
  next(time: number): void {
    if (++this.place === BLOCK) this.startBlock()
    this.times.add(this.block, time)
  }

  addTerm(hash: number): void {
    this.terms.add(hash, this.block)
  }

  addTrace(hash: number): void {
    this.traces.add(hash, this.block)
  }

  /** After rows were lost, since what this block is known to have may have gone with them. */
  startBlock(): void {
    this.block++
    this.place = 0
    this.terms.forget()
    this.traces.forget()
  }
}

/** Pairs of a hash and a block, each once, in columns that grow and are used again. */
class Postings {
  hashes = new Uint32Array(4096)
  blocks = new Uint32Array(4096)
  length = 0
  /** Of this block: an open table of hashes; a slot counts where its stamp is that of now. */
  #slots = new Uint32Array(4096)
  #stamps = new Uint32Array(4096)
  #stamp = 1
  #known = 0

  add(hash: number, block: number): void {
    const mask = this.#slots.length - 1
    let at = Math.imul(hash, 0x9e3779b1) >>> 7
    for (at &= mask; this.#stamps[at] === this.#stamp; at = (at + 1) & mask) {
      if (this.#slots[at] === hash) return
    }
    this.#slots[at] = hash
    this.#stamps[at] = this.#stamp
    if (++this.#known * 2 > mask) this.#widen()
    if (this.length === this.hashes.length) {
      this.hashes = doubled(this.hashes)
      this.blocks = doubled(this.blocks)
    }
    this.hashes[this.length] = hash
    this.blocks[this.length++] = block
  }

  /** A new block begins. */
  forget(): void {
    this.#known = 0
    this.#stamp = (this.#stamp + 1) >>> 0
  }

  #widen(): void {
    const [slots, stamps] = [this.#slots, this.#stamps]
    const mask = slots.length * 2 - 1
    this.#slots = new Uint32Array(mask + 1)
    this.#stamps = new Uint32Array(mask + 1)
    for (const [i, hash] of slots.entries()) {
      if (stamps[i] !== this.#stamp) continue
      let at = (Math.imul(hash, 0x9e3779b1) >>> 7) & mask
      while (this.#stamps[at] === this.#stamp) at = (at + 1) & mask
      this.#slots[at] = hash
      this.#stamps[at] = this.#stamp
    }
  }
}

class Times {
  blocks = new Uint32Array(256)
  oldest = new BigInt64Array(256)
  newest = new BigInt64Array(256)
  length = 0
  #block = -1
  #oldest = 0
  #newest = 0

  add(block: number, time: number): void {
    if (block !== this.#block) this.close()
    this.#block = block
    if (time <= 0) return
    if (this.#newest === 0 || time < this.#oldest) this.#oldest = time
    if (time > this.#newest) this.#newest = time
  }

  /** What is known of the current block becomes a row. */
  close(): void {
    if (this.#newest === 0) return
    if (this.length === this.blocks.length) {
      this.blocks = doubled(this.blocks)
      this.oldest = doubled(this.oldest)
      this.newest = doubled(this.newest)
    }
    this.blocks[this.length] = this.#block
    this.oldest[this.length] = BigInt(this.#oldest)
    this.newest[this.length++] = BigInt(this.#newest)
    this.#oldest = this.#newest = 0
  }
}

function doubled<Column extends Uint32Array | BigInt64Array>(column: Column): Column {
  const larger = new (column.constructor as new (length: number) => Column)(column.length * 2)
  larger.set(column as never)
  return larger
}
