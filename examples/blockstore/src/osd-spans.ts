// osd-spans.ts: a program of its own: follows the OSDs of this host and sends what they did for traced requests, as spans, to
// whoever collects them: by Scribe, as BlkKin's daemons did, or as Zipkin's or OpenTelemetry's protocol.
//
// It asks each OSD every second for the operations that it remembers. An OSD forgets what is older than some seconds, and
// the quickest where there are too many: both bounds are set so that all is asked for in time, and where it was not,
// that is told.

import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { Sinks } from '@blkin/relay'
import { OsdSpans, type TrackedOp } from './osd-ops.js'
import { askDaemon } from './osd-socket.js'

const USAGE = `Usage: osd-spans.js --scribe HOST:PORT | --zipkin URL | --otlp URL  SOCKET...
Tells what Ceph's object servers did for traced requests. SOCKET is an OSD's admin socket, such as
/var/run/ceph/ceph-osd.0.asok. Sets osd_op_history_size and osd_op_history_duration of these OSDs, until they restart.
Ends at SIGTERM or SIGINT. Exit: 0 done, 1 failed, 2 bad usage
`

const EVERY_MS = 1000
/**
 * What an OSD shall remember: operations, seconds. Each operation is told about duration / EVERY times, which is what it
 * costs; an answer may come late by the difference.
 */
const HISTORY = { size: 20_000, duration: 2 }

class Followed {
  readonly name: string
  #known = new Set<string>()
  #ready = false
  /** When the last answer had been read. */
  #asked = 0
  #away = false

  constructor(readonly socket: string) {
    // osd.0.asok, ceph-osd.0.asok
    this.name = /osd\.\w+/.exec(basename(socket))?.[0] ?? basename(socket, '.asok')
  }

  /** Operations that were not there the last time. An OSD that is away has none; it may come back. */
  async news(): Promise<TrackedOp[]> {
    try {
      if (!this.#ready) await this.#prepare()
      const { ops } = (await askDaemon(this.socket, { prefix: 'dump_historic_ops', format: 'json' })) as {
        ops: TrackedOp[]
      }
      this.#away = false
      return this.#newOf(ops)
    } catch (error) {
      this.#ready = false
      if (!this.#away) say((error as Error).message)
      this.#away = true
      return []
    }
  }

  async #prepare(): Promise<void> {
    for (const [name, value] of Object.entries(HISTORY)) {
      await askDaemon(this.socket, {
        prefix: 'config set',
        var: `osd_op_history_${name}`,
        val: [String(value)],
      })
    }
    this.#asked = performance.now()
    this.#ready = true
  }

  #newOf(ops: TrackedOp[]): TrackedOp[] {
    const now = performance.now()
    const full = ops.length >= HISTORY.size
    if (full || now - this.#asked > HISTORY.duration * 1000)
      say(
        `${this.name} was asked too late for some operations: ${full ? 'there are too many' : 'this program is slow'}`,
      )
    this.#asked = now
    const keyed = ops.map((op) => [`${op.description} ${op.initiated_at}`, op] as const)
    const fresh = keyed.filter(([key]) => !this.#known.has(key)).map(([, op]) => op)
    this.#known = new Set(keyed.map(([key]) => key))
    return fresh
  }
}

async function main(argv: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      scribe: { type: 'string' },
      zipkin: { type: 'string' },
      otlp: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  const { help, ...where } = values
  if (help) {
    process.stdout.write(USAGE)
    return
  }
  if (positionals.length === 0) throw new TypeError('expected the admin sockets of OSDs')
  if (Object.keys(where).length === 0) throw new TypeError('expected --scribe, --zipkin or --otlp')
  const sinks = new Sinks(where, say)
  const osds = positionals.map((socket) => new Followed(socket))
  const spans = new OsdSpans()
  for (const osd of osds) await osd.news() // what was before is nobody's business
  process.stdout.write(`following ${osds.map(({ name }) => name).join(', ')}\n`)

  let ending = false
  let wake = () => {}
  const end = () => {
    ending = true
    wake()
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  while (!ending) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, EVERY_MS)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    for (const osd of osds) sinks.add(spans.take(osd.name, await osd.news()))
  }
  await sinks.close()
  for (const { name, delivered, refused, dropped } of sinks.stats())
    say(`${name}: ${delivered} spans delivered, ${refused} refused, ${dropped} dropped`)
}

function say(text: string): void {
  process.stderr.write(`osd-spans: ${text}\n`)
}

main(process.argv.slice(2)).catch((error: Error) => {
  const usage = error instanceof TypeError
  process.stderr.write(usage ? `${error.message}\n\n${USAGE}` : `osd-spans: ${error.message}\n`)
  process.exitCode = usage ? 2 : 1
})
