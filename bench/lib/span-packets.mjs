// bench/lib/span-packets.mjs: packets of span events as a tracer's consumer packs them (docs/ctf.md, docs/traces.md), made
// up from a seed: traces of eight spans, each with two tags of text and one of a number. A span is five events, or two where its
// begin holds its tags, as tracers tell of what is declared or comes often.
const page = 4096
const headerBytes = 84
const usual = 'trace_low:u64 span:u64'
const declared = {
  span_begin: `trace_high:u64 ${usual} parent:u64 kind:u8 flags:u8 probability:f32 name:string`,
  span_annotation: `${usual} value:string`,
  span_tag: `${usual} key:string value:string`,
  span_number: `${usual} key:string value:f64`,
  span_remote: `${usual} service:string address:string port:u16`,
  span_end: usual,
}
const kinds = ['local', 'client', 'server', 'producer', 'consumer']
const BEGIN = 0
const TAG = 2
const NUMBER = 3
const END = 5
const TAGGED = 6
const names = ['write', 'lookup', 'put', 'flush']
export const eventsPerSpan = 5

export function spanTraceInfo() {
  const tracepoints = Object.entries(declared).map(([event, text], id) => {
    const fields = text.split(' ').map((field) => {
      const [name, type] = field.split(':')
      return name === 'kind' ? { name, type, labels: kinds.map((kind, i) => [kind, i]) } : { name, type }
    })
    return { ...{ id, provider: 'blkin', event, level: 6, fields } }
  })
  const tag = (name, type) => ({ name, type })
  const keys = { name: 'keys', type: 'u8', labels: ['object', 'op', 'bytes'].map((key) => [key, 0]) }
  const fields = [...tracepoints[BEGIN].fields, keys]
  fields[7] = { name: 'name', type: 'u8', labels: [['write', 0]] }
  fields.push(tag('object', 'string'), tag('op', 'string'), tag('bytes', 'f64'))
  tracepoints.push({ ...{ id: TAGGED, provider: 'blkin', event: 'span_begin.0', level: 6, fields } })
  const process = { hostname: 'bench', program: 'bench', pid: 1, session: 'default', bootId: 'b' }
  const offset = BigInt(Date.now()) * 1_000_000n
  return { ...process, folder: '', uuid: '', offset, contexts: [], tracepoints }
}

/** Yields puts of one stream, each of about so many bytes of whole packets, until there were `count` spans. */
export function* spanPuts(count, events = eventsPerSpan, putBytes = 256 * 1024) {
  const random = generator(7)
  const page_ = new Page(putBytes + page)
  let trace = 0
  let root = 0
  for (let i = 0; i < count; i++) {
    if (i % 8 === 0)
      [trace, root] = [
        [random(), random()],
        [random(), random()],
      ]
    const span = i % 8 === 0 ? root : [random(), random()]
    const parent = i % 8 === 0 ? [0, 0] : root
    const object = `volume-00/blk-${(i & 1023).toString(16)}`
    page_.event(events === 2 ? TAGGED : BEGIN, [[0, 0], trace, span, parent], (put) => {
      put.u8(i % 8 === 0 ? 2 : i % 3)
      put.u8(0)
      put.f32(1)
      if (events === 2) put.u8(0).u8(0).text(object).text('write').f64(4096)
      else put.text(names[i & 3])
    })
    if (events === 2) {
      page_.event(END, [trace, span], () => {})
      if (page_.used >= putBytes) yield page_.take()
      continue
    }
    page_.event(TAG, [trace, span], (put) => put.text('object').text(object))
    page_.event(TAG, [trace, span], (put) => put.text('op').text('write'))
    page_.event(NUMBER, [trace, span], (put) => put.text('bytes').f64(4096))
    page_.event(END, [trace, span], () => {})
    if (page_.used >= putBytes) yield page_.take()
  }
  yield page_.take()
}

class Page {
  used = 0
  #packets = 0
  #time = 1_000_000
  #buffer
  #view
  #packet = -1
  #end = 0
  #at = 0

  constructor(bytes) {
    this.#buffer = Buffer.alloc(bytes)
    this.#view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset, bytes)
  }

  event(id, ids, rest) {
    if (this.#packet >= 0 && this.#at + 160 > this.#end) this.#close(page)
    if (this.#packet < 0) this.#open()
    this.#time += 1000
    this.#view.setUint32(this.#at, (id | ((this.#time & 0x7ffffff) << 5)) >>> 0, true)
    this.#at += 4
    for (const [high, low] of ids) {
      this.#view.setUint32(this.#at, low, true)
      this.#view.setUint32(this.#at + 4, high, true)
      this.#at += 8
    }
    rest(this)
  }

  u8(value) {
    this.#buffer[this.#at++] = value
    return this
  }

  f32(value) {
    this.#view.setFloat32(this.#at, value, true)
    this.#at += 4
  }

  f64(value) {
    this.#view.setFloat64(this.#at, value, true)
    this.#at += 8
  }

  text(value) {
    this.#at += this.#buffer.write(`${value}\0`, this.#at, 'latin1')
    return this
  }

  take() {
    if (this.#packet >= 0) this.#close(page)
    const out = Buffer.from(this.#buffer.subarray(0, this.used))
    this.used = 0
    return out
  }

  #open() {
    this.#packet = this.used
    this.#end = this.used + page
    this.#at = this.used + headerBytes
    this.#view.setUint32(this.#packet, 0xc1fc1fc1, true)
    this.#view.setBigUint64(this.#packet + 32, BigInt(this.#time), true)
  }

  #close(size) {
    this.#view.setBigUint64(this.#packet + 40, BigInt(this.#time), true)
    this.#view.setBigUint64(this.#packet + 48, BigInt((this.#at - this.#packet) * 8), true)
    this.#view.setBigUint64(this.#packet + 56, BigInt(size * 8), true)
    this.#view.setBigUint64(this.#packet + 64, BigInt(this.#packets++), true)
    this.used = this.#packet + size
    this.#packet = -1
  }
}

function generator(seed) {
  let x = seed
  return () => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0
    return (x ^ (x >>> 15)) >>> 0
  }
}
