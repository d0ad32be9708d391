// bench/lib/span-crowd.mjs: spans as a fleet of services makes them, from a seed, in the order in which a relay gets them:
// 30 services of 10 span names each, some far more used than others, traces of 1 to 20 spans, about 50 of them at once.
// Durations are log-normal. One span in a hundred failed. A root says whose request it was: a value that no other trace has.
const services = Array.from({ length: 30 }, (_, i) => ({
  endpoint: { serviceName: `service-${String(i).padStart(2, '0')}`, ipv4: `10.0.0.${i + 1}` },
  names: Array.from({ length: 10 }, (_, n) => `${['get', 'put', 'list', 'scan'][n & 3]} /thing-${i}/${n}`),
}))
const methods = ['GET', 'PUT', 'POST', 'DELETE']
const regions = ['eu-west', 'eu-north', 'us-east', 'us-west', 'ap-south']
const atOnce = 50
export const paths = 10_000
export const mostSpans = 20

export const pathOf = (n) => `/api/items/${n}/detail`
/** A root's, of the n-th trace. */
export const userOf = (n) => `user-${(Math.imul(n, 2654435761) >>> 0).toString(36)}-${n}`
export const serviceOf = (i) => services[i].endpoint.serviceName
export const nameOf = (i, n) => services[i].names[n]

/** Yields `count` spans, their traces' times spread evenly over `over` microseconds from `start`. */
export function* spanCrowd(count, start, over) {
  const random = randomFrom(11)
  const step = over / (count / ((1 + mostSpans) / 2))
  const open = []
  let traces = 0
  for (let made = 0; made < count; made++) {
    while (open.length < atOnce) open.push(new Trace(random, traces, start + traces++ * step))
    const i = Math.floor(random() * open.length)
    yield open[i].next(random)
    if (open[i].left === 0) open[i] = new Trace(random, traces, start + traces++ * step)
  }
}

class Trace {
  #id
  #user
  #start
  #spans = []
  left

  constructor(random, n, start) {
    this.#id = hex(random) + hex(random)
    this.#user = userOf(n)
    this.#start = Math.floor(start)
    this.left = 1 + Math.floor(random() * mostSpans)
  }

  next(random) {
    this.left--
    const parent = this.#spans[Math.floor(random() * this.#spans.length)]
    const at = parent === undefined ? Math.floor(30 * random() ** 2) : parent.callee
    const callee = Math.floor(30 * random() ** 2)
    const kind = ['SERVER', 'CLIENT', undefined][parent === undefined ? 0 : Math.floor(random() * 3)]
    const tags = { 'http.method': methods[Math.floor(random() * 4)], region: regions[at % 5] }
    if (parent === undefined) tags['user.id'] = this.#user
    if (kind === 'SERVER') tags['http.path'] = pathOf(Math.floor(random() * paths))
    else tags.shard = String(Math.floor(random() * 200))
    if (random() < 0.01) tags.error = 'timeout'
    const id = hex(random)
    const { endpoint, names } = services[at]
    const span = {
      traceId: this.#id,
      id,
      parentId: parent?.id,
      kind,
      name: names[Math.floor(10 * random() ** 2)],
      timestamp: this.#start + this.#spans.length * 700,
      duration: Math.max(1, Math.round(5000 * Math.exp(1.5 * normal(random)))),
      localEndpoint: endpoint,
      remoteEndpoint: kind === 'CLIENT' ? services[callee].endpoint : undefined,
      tags,
    }
    this.#spans.push({ id, callee: kind === 'CLIENT' ? callee : at })
    return span
  }
}

const normal = (random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

/** Sixteen digits. */
const hex = (random) =>
  ((random() * 2 ** 32) >>> 0).toString(16).padStart(8, '0') +
  ((random() * 2 ** 32) >>> 0).toString(16).padStart(8, '0')

/** From 0 to below 1, the same for a seed everywhere. */
export function randomFrom(seed) {
  let x = seed
  return () => {
    x = (x + 0x6d2b79f5) | 0
    let mixed = Math.imul(x ^ (x >>> 15), 1 | x)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
