// osd-spans.ts: a program of its own: follows the OSDs of this host and sends what they did for traced requests, as spans, to
// whoever collects them: by Scribe, as BlkKin's daemons did, or as Zipkin's or OpenTelemetry's protocol.
//
// It asks each OSD every second for the operations that it remembers. An OSD forgets what is older than some seconds, and
// the quickest where there are too many: both bounds are set so that all is asked for in time, and where it was not,
// that is told.

import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { Sinks } from '@blkin/relay'
import { isTrackedOp, OsdSpans, type TrackedOp } from './osd-ops.js'
import { askDaemon } from './osd-socket.js'

const USAGE = `Usage: osd-spans.js --scribe HOST:PORT | --zipkin URL | --otlp URL  SOCKET...
Tells what Ceph's object servers did for traced requests. SOCKET is an OSD's admin socket, such as
/var/run/ceph/ceph-osd.0.asok. Sets osd_op_history_* of these OSDs, until they restart.
Ends at SIGTERM or SIGINT. Exit: 0 done, 1 failed, 2 bad usage
`

const EVERY_MS = 1000
/**
 * What an OSD shall remember. Of the last operations: how many, and for how many seconds from their beginning; each is told
 * about duration / EVERY times, which is what it costs, and an answer may be late by the difference. Those that took longer
 * than the threshold, in whole seconds, are remembered apart, since the others are forgotten by then.
 */
const HISTORY = { size: 20_000, duration: 3, slow_op_size: 200, slow_op_threshold: 1 }

class UsageError extends Error {}

class Followed {
  readonly name: string
  #known = new Set<string>()
  #ready = false
  /** When the last answer had been read. */
  #asked = 0
  /** Told last, and not told again while it stays so. */
  #trouble = ''

  constructor(readonly socket: string) {
    // osd.0.asok, ceph-osd.0.asok
    this.name = /osd\.\w+/.exec(basename(socket))?.[0] ?? basename(socket, '.asok')
  }

  /** Operations that were not there the last time. An OSD that is away has none; it may come back. */
  async news(): Promise<TrackedOp[]> {
    try {
      if (!this.#ready) await this.#prepare()
      const [recent, slow] = [await this.#ask('dump_historic_ops'), await this.#ask('dump_historic_slow_ops')]
      const full = recent.length >= HISTORY.size || this.#areAllNew(slow)
      const late = performance.now() - this.#asked > HISTORY.duration * 1000
      this.#asked = performance.now()
      this.#tell(
        full ? 'there are more operations than it remembers' : late ? 'it was asked too late for some' : '',
      )
      return this.#newOf([...recent, ...slow])
    } catch (error) {
      this.#ready = false
      this.#tell((error as Error).message)
      return []
    }
  }

  async #prepare(): Promise<void> {
    for (const [name, value] of Object.entries(HISTORY)) {
      const command = { prefix: 'config set', var: `osd_op_history_${name}`, val: [String(value)] }
      await askDaemon(this.socket, command)
    }
    this.#asked = performance.now()
    this.#ready = true
  }

  async #ask(prefix: string): Promise<TrackedOp[]> {
    const answer = Object(await askDaemon(this.socket, { prefix, format: 'json' }))
    const ops: unknown = answer.ops ?? answer.Ops
    if (!Array.isArray(ops)) throw new Error(`${this.socket}: ${prefix}: no list of operations`)
    const known = ops.filter(isTrackedOp)
    if (known.length < ops.length) {
      const strange = ops.find((op) => !isTrackedOp(op))
      const shown = JSON.stringify(strange).slice(0, 200)
      this.#tell(`operations that are not as those of Ceph 16: ${shown}`)
    }
    return known
  }

  /** Slow ones are remembered until there are too many: where none of them is known, some may have gone untold. */
  #areAllNew(slow: TrackedOp[]): boolean {
    return (
      slow.length >= HISTORY.slow_op_size &&
      this.#known.size > 0 &&
      slow.every((op) => !this.#known.has(keyOf(op)))
    )
  }

  #newOf(ops: TrackedOp[]): TrackedOp[] {
    const keyed = new Map(ops.map((op) => [keyOf(op), op]))
    const fresh = [...keyed].filter(([key]) => !this.#known.has(key)).map(([, op]) => op)
    this.#known = new Set(keyed.keys())
    return fresh
  }

  #tell(trouble: string): void {
    if (trouble !== '' && trouble !== this.#trouble) say(`${this.name}: ${trouble}`)
    this.#trouble = trouble
  }
}

const keyOf = (op: TrackedOp) => `${op.description} ${op.initiated_at}`

/** As the relay tells hosts apart: those of one boot have one clock. */
const host = () => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8)

async function main(argv: string[]): Promise<void> {
  const { values, positionals } = checked(() =>
    parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        scribe: { type: 'string' },
        zipkin: { type: 'string' },
        otlp: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }),
  )
  const { help, ...where } = values
  if (help) {
    process.stdout.write(USAGE)
    return
  }
  if (positionals.length === 0) throw new UsageError('expected the admin sockets of OSDs')
  if (Object.keys(where).length === 0) throw new UsageError('expected --scribe, --zipkin or --otlp')
  const sinks = checked(() => new Sinks(where, say))
  const osds = positionals.map((socket) => new Followed(socket))
  const spans = new OsdSpans(host())
  await Promise.all(osds.map((osd) => osd.news())) // what was before is nobody's business
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
    await Promise.all(osds.map(async (osd) => sinks.add(spans.take(osd.name, await osd.news()))))
  }
  await sinks.close()
  for (const { name, delivered, refused, dropped } of sinks.stats())
    say(`${name}: ${delivered} spans delivered, ${refused} refused, ${dropped} dropped`)
}

/** What the command line does not allow. */
function checked<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function say(text: string): void {
  process.stderr.write(`osd-spans: ${text}\n`)
}

main(process.argv.slice(2)).catch((error: Error) => {
  const usage = error instanceof UsageError
  process.stderr.write(usage ? `${error.message}\n\n${USAGE}` : `osd-spans: ${error.message}\n`)
  process.exitCode = usage ? 2 : 1
})
