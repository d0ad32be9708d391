// relay/test/ctf-writer.ts: a second, plain encoder of docs/ctf.md, to test the relay and the reader against.
// Tests use it in place of a traced process. It shares no code with the relay and cares nothing for speed.

const PAGE = 4096
const HEADER = 84

export type Kind = 'u8' | 'u16' | 'u32' | 'u64' | 'i8' | 'i16' | 'i32' | 'i64' | 'f32' | 'f64'
export type Value = number | bigint | string | Buffer | Value[]
export type FieldType = Kind | 'string' | 'bytes' | { array: FieldType } | { sequence: FieldType }

export function encode(type: FieldType, value: Value): Buffer {
  if (typeof type === 'object') {
    const items = value as Value[]
    if ('array' in type) return Buffer.concat(items.map((item) => encode(type.array, item)))
    return Buffer.concat([encode('u32', items.length), ...items.map((item) => encode(type.sequence, item))])
  }
  if (type === 'string') return Buffer.from(`${value}\0`)
  if (type === 'bytes') return Buffer.concat([encode('u32', (value as Buffer).length), value as Buffer])
  const view = new DataView(new ArrayBuffer(8))
  const set = {
    u8: [1, view.setUint8],
    u16: [2, view.setUint16],
    u32: [4, view.setUint32],
    u64: [8, view.setBigUint64],
    i8: [1, view.setInt8],
    i16: [2, view.setInt16],
    i32: [4, view.setInt32],
    i64: [8, view.setBigInt64],
    f32: [4, view.setFloat32],
    f64: [8, view.setFloat64],
  } as unknown as Record<Kind, [number, (at: number, value: Value, little: boolean) => void]>
  const [size, write] = set[type]
  write.call(view, 0, type.endsWith('64') && type[0] !== 'f' ? BigInt(value as bigint) : value, true)
  return Buffer.from(view.buffer, 0, size)
}

export class StreamWriter {
  /** Length of the file so far. */
  position = 0
  packets = 0
  lost = 0n
  lastTime = 0n
  #out: Buffer[] = []
  #all: Buffer[] = []
  #open: { begin: bigint; last: bigint; events: Buffer[]; used: number } | undefined

  constructor(
    readonly uuid: Buffer,
    readonly stream: number,
    readonly cpu = stream % 262144 < 65536 ? stream % 262144 : 0xffffffff,
  ) {}

  /** The packet of no events that a stream opens with. */
  start(time: bigint): void {
    this.#begin(time)
    this.#end(time)
  }

  event(id: number, time: bigint, payload: Buffer): void {
    if (this.#open && this.#open.used + 13 + payload.length > this.#room()) this.#end(this.#open.last, true)
    if (!this.#open) {
      if (HEADER + 13 + payload.length > this.#room()) {
        this.#begin(this.lastTime)
        this.#end(this.lastTime, true)
      }
      this.#begin(time)
    }
    const open = this.#open!
    const compact = id < 31 && time - open.last < 1n << 27n
    const header = Buffer.alloc(compact ? 4 : 13)
    if (compact) {
      header.writeUInt32LE(Number(BigInt(id) | ((time & 0x7ffffffn) << 5n)))
    } else {
      header[0] = 31
      header.writeUInt32LE(id, 1)
      header.writeBigUInt64LE(time, 5)
    }
    open.events.push(header, payload)
    open.used += header.length + payload.length
    open.last = time
  }

  /** What was packed since the last take. `lost` is what the last packet will say. */
  take(lost = this.lost): Buffer {
    if (lost !== this.lost && !this.#open) this.#begin(this.lastTime)
    this.lost = lost
    if (this.#open) this.#end(this.#open.last)
    const out = Buffer.concat(this.#out)
    this.#out = []
    this.#all.push(out)
    return out
  }

  /** The whole file, as far as it was taken. */
  all(): Buffer {
    return Buffer.concat(this.#all)
  }

  #room(): number {
    return PAGE - (this.position % PAGE)
  }

  #begin(time: bigint): void {
    this.#open = { begin: time, last: time, events: [], used: HEADER }
  }

  #end(time: bigint, fill = false): void {
    const { begin, events, used } = this.#open!
    this.#open = undefined
    let size = Math.ceil(used / 8) * 8
    if (fill || this.#room() - size < HEADER + 44) size = this.#room()
    const packet = Buffer.alloc(size)
    packet.writeUInt32LE(0xc1fc1fc1, 0)
    this.uuid.copy(packet, 4)
    packet.writeBigUInt64LE(BigInt(this.stream), 24)
    packet.writeBigUInt64LE(begin, 32)
    packet.writeBigUInt64LE(time, 40)
    packet.writeBigUInt64LE(BigInt(used * 8), 48)
    packet.writeBigUInt64LE(BigInt(size * 8), 56)
    packet.writeBigUInt64LE(BigInt(this.packets++), 64)
    packet.writeBigUInt64LE(this.lost, 72)
    packet.writeUInt32LE(this.cpu, 80)
    Buffer.concat(events).copy(packet, HEADER)
    this.#out.push(packet)
    this.position += size
    this.lastTime = time
  }
}
