// relay/src/thread/snapshot.ts: what one thread counts, for another that asks at any moment and is not kept waiting: JSON in shared
// memory. The worker writes one after each change; stats() of the relay's own thread reads it. Neither ever waits for the other.

const SLOT_BYTES = 64 * 1024
const MOST_BYTES = 16 * 2 ** 20

/** Two slots: the one that was not written last is written next, and then it is the one that counts. */
export class Snapshot<Value extends object> {
  /** How many were written: its lowest bit says in which slot the last one is. */
  readonly #count: Int32Array
  readonly #lengths: Int32Array
  #last = ''

  private constructor(readonly buffers: readonly SharedArrayBuffer[]) {
    const [head] = buffers
    this.#count = new Int32Array(head!, 0, 1)
    this.#lengths = new Int32Array(head!, 4, 2)
  }

  static make<Value extends object>(): Snapshot<Value> {
    // they grow in place, up to what is reserved for them and takes nothing until then
    const slot = () => Reflect.construct(SharedArrayBuffer, [SLOT_BYTES, { maxByteLength: MOST_BYTES }])
    return new Snapshot([new SharedArrayBuffer(12), slot(), slot()])
  }

  /** In the other thread. */
  static of<Value extends object>(buffers: readonly SharedArrayBuffer[]): Snapshot<Value> {
    return new Snapshot(buffers)
  }

  /** Nothing where it would not fit: then the one before stands. */
  write(value: Value): void {
    const text = JSON.stringify(value)
    if (text === this.#last) return
    const bytes = Buffer.from(text)
    const next = Atomics.load(this.#count, 0) + 1
    const slot = this.buffers[1 + (next & 1)] as SharedArrayBuffer & { grow(length: number): void }
    if (bytes.length > MOST_BYTES) return
    if (bytes.length > slot.byteLength) slot.grow(Math.min(MOST_BYTES, bytes.length * 2))
    bytes.copy(new Uint8Array(slot))
    this.#lengths[next & 1] = bytes.length
    Atomics.store(this.#count, 0, next)
    this.#last = text
  }

  /** Undefined before the first. */
  read(): Value | undefined {
    for (;;) {
      const count = Atomics.load(this.#count, 0)
      if (count === 0) return undefined
      const bytes = Buffer.from(new Uint8Array(this.buffers[1 + (count & 1)]!, 0, this.#lengths[count & 1]!))
      // a write goes into the other slot: this one changes only once that has been counted
      if (Atomics.load(this.#count, 0) === count) return JSON.parse(bytes.toString()) as Value
    }
  }
}
