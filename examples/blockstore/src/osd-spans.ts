// osd-spans.ts: a program of its own: follows the OSDs of this host and sends what they did for traced requests, as spans, to
// whoever collects them: by Scribe, as BlkKin's daemons did, or as Zipkin's or OpenTelemetry's protocol.

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Sinks } from '@blkin/relay'
import { Followed } from './osd-history.js'
import { OsdSpans } from './osd-ops.js'

const USAGE = `Usage: osd-spans.js --scribe HOST:PORT | --zipkin URL | --otlp URL  SOCKET...
Tells what Ceph's object servers did for traced requests. SOCKET is an OSD's admin socket, such as
/var/run/ceph/ceph-osd.0.asok. Sets osd_op_history_* of these OSDs, until they restart.
Ends at SIGTERM or SIGINT. Exit: 0 done, 1 failed, 2 bad usage
`

const EVERY_MS = 1000

class UsageError extends Error {}

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
  const osds = positionals.map((socket) => new Followed(socket, say))
  const spans = new OsdSpans(host())
  await Promise.all(osds.map((osd) => osd.news())) // what was before is nobody's business
  process.stdout.write(`following ${osds.map(({ name }) => name).join(', ')}\n`)

  const ending = new AbortController()
  process.on('SIGTERM', () => ending.abort())
  process.on('SIGINT', () => ending.abort())
  const { signal } = ending
  // Each by itself: one that hangs must not keep us from the others until they have forgotten.
  const follow = async (osd: Followed) => {
    while (!signal.aborted) {
      await sleep(EVERY_MS, undefined, { signal }).catch(() => {})
      sinks.add(spans.take(osd.name, await osd.news()))
    }
  }
  await Promise.all(osds.map(follow))
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
