// bench/js/senders.mjs ADDRESS SENDERS PER_SECOND SECONDS: as many traced processes as a relay sees them: connections of their own, each
// with a stream of packets that hold what came within 60 ms, as a consumer sends them. PER_SECOND is of all together. Their events are
// made up; a relay checks packets by their headers and decodes no event that nobody follows. Says what came of it as JSON.
import { randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { i64, service, types } from '../../relay/dist/protocol/wire.js'

const thrift = createRequire(import.meta.url)('thrift')
const [address, ...numbers] = process.argv.slice(2)
const [senders, perSecond, seconds] = numbers.map(Number)
const putEveryMs = 60
const page = 4096
const headerBytes = 84
const eventBytes = 16 // a compact header and three u32
const putMost = 256 * 1024
const now = () => process.hrtime.bigint()

class Sender {
  #uuid = randomBytes(16)
  #calls
  #position = 0
  #packets = 0
  #sequence = 0
  #last = now()
  sent = 0
  bytes = 0

  async open(i) {
    const [host, port] = address.split(':')
    const connection = thrift.createConnection(host, Number(port), {
      transport: thrift.TFramedTransport,
      protocol: thrift.TBinaryProtocol,
    })
    connection.on('error', (error) => {
      throw error
    })
    this.#calls = thrift.createClient(service.Client, connection)
    const clock = new types.Clock({
      bootId: Buffer.alloc(16, 7),
      offset: i64(BigInt(Date.now()) * 1_000_000n),
    })
    const process_ = { pid: 1000 + i, startedAt: i64(1), hostname: `host-${i}`, program: 'sender' }
    const hello = { version: 1, uuid: this.#uuid, ...process_, clock, ack: types.Ack.WRITTEN }
    await this.#calls.hello(new types.Hello(hello))
    const fields = ['a', 'b', 'c'].map(
      (name) => new types.Field({ name, type: types.Type.U32, shape: types.Shape.SCALAR }),
    )
    const ints = new types.Tracepoint({ id: 0, provider: 'bench', event: 'ints', level: 6, fields })
    await this.#calls.declareTracepoints([ints])
  }

  /** @returns milliseconds until it was answered */
  async put(events) {
    const packets = this.#pack(events)
    const none = ['noRoom', 'tooBig', 'badValue', 'noRing'].map((why) => [why, i64(0)])
    const lost = new types.Lost(Object.fromEntries(none))
    const sequence = i64(++this.#sequence)
    const position = i64(this.#sequence * 8)
    const began = performance.now()
    await this.#calls.put(new types.Put({ stream: 0, sequence, position, events, lost, packets }))
    this.sent += events
    this.bytes += packets.length
    return performance.now() - began
  }

  /** Packets by docs/ctf.md: the first of a stream has no events, none crosses a page, and what is left of one is filled where it is too small for another. */
  #pack(events) {
    const time = now()
    const out = Buffer.alloc(Math.ceil((events * eventBytes) / (page / 2)) * page + page)
    let at = 0
    for (let left = events; left > 0; ) {
      const room = page - (this.#position % page)
      const here = this.#packets === 0 ? 0 : Math.min(left, Math.floor((room - headerBytes) / eventBytes))
      const used = headerBytes + here * eventBytes
      const size = room - Math.ceil(used / 8) * 8 < headerBytes + 44 ? room : Math.ceil(used / 8) * 8
      out.writeUInt32LE(0xc1fc1fc1, at)
      this.#uuid.copy(out, at + 4)
      out.writeBigUInt64LE(this.#last, at + 32)
      out.writeBigUInt64LE(time, at + 40)
      out.writeBigUInt64LE(BigInt(used * 8), at + 48)
      out.writeBigUInt64LE(BigInt(size * 8), at + 56)
      out.writeBigUInt64LE(BigInt(this.#packets++), at + 64)
      for (let i = 0; i < here; i++) {
        const low = Number(BigInt.asUintN(27, this.#last))
        out.writeUInt32LE((low << 5) >>> 0, at + headerBytes + i * eventBytes)
      }
      left -= here
      at += size
      this.#position += size
      this.#last = time
    }
    return out.subarray(0, at)
  }
}

const all = Array.from({ length: senders }, () => new Sender())
const opening = performance.now()
for (const [i, sender] of all.entries()) {
  await sender.open(i)
  await sender.put(1) // makes its folder
}
const openMs = (performance.now() - opening) / senders
// The relay's code is compiled by then.
for (let i = 0; i < 3000 / senders; i++) await Promise.all(all.map((sender) => sender.put(1)))
const sum = (what) => all.reduce((total, sender) => total + sender[what], 0)
const before = { events: sum('sent'), bytes: sum('bytes') }
writeSync(1, 'ready\n')
const most = Math.floor(putMost / eventBytes)
const waits = []
const begin = performance.now()
const end = begin + seconds * 1000
/** Each begins at a moment of its own, as processes do; one that is behind sends more at once. */
async function run(sender, i) {
  await new Promise((resolve) => setTimeout(resolve, (putEveryMs * i) / senders))
  let due = 0
  for (let at = performance.now(); at < end; at = performance.now()) {
    const owed = Math.floor(((at - begin) / 1000) * (perSecond / senders)) - due
    const events = Math.min(owed, most)
    if (events > 0) {
      due += events
      waits.push(await sender.put(events))
    }
    if (owed <= most)
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, at + putEveryMs - performance.now())))
  }
}
await Promise.all(all.map(run))
const took = performance.now() - begin
waits.sort((a, b) => a - b)
const p99 = waits[Math.floor(waits.length * 0.99)]
const ever = sum('sent')
const counts = { ever, events: ever - before.events, bytes: sum('bytes') - before.bytes }
writeSync(1, `${JSON.stringify({ took, puts: waits.length, ...counts, p99, openMs })}\n`)
process.exit()
