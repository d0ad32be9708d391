// lib/cli/overhead/relay-process.ts [spans]: the relay that events go to while they are measured: a process of its own, as a
// user's is, with a folder of its own. Started and asked by own-relay.ts; it ends with the connection to it, however that
// ends, and its folder too.
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { lostOf } from '../print/losses.js'
import { startCommandRelay } from '../relay/command-relay.js'

export interface RelayCounts {
  events: number
  lost: number
  /** "provider:event" of all that were declared to it. */
  tracepoints: string[]
}

const [spans] = process.argv.slice(2)

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {}) // meant for the command
const folder = await mkdtemp(join(tmpdir(), 'blkin-overhead-'))
const output = join(folder, 'traces')
const { relay, token, close } = await startCommandRelay({
  ...{ output, log: () => {} },
  ...(spans === undefined ? {} : { tracing: { listen: '127.0.0.1:0' } }),
})

process.on('disconnect', async () => {
  await close().catch(() => {})
  await rm(folder, { recursive: true, force: true })
  process.exit()
})
process.on('message', () => {
  process.send?.(counts())
  dropEnded()
})
process.send?.({ address: relay.address, token })

function counts(): RelayCounts {
  const { processes } = relay.stats()
  const sum = (of: (one: (typeof processes)[number]) => number) =>
    processes.reduce((total, one) => total + of(one), 0)
  return {
    events: sum(({ events }) => events),
    lost: sum(({ lost }) => lostOf(lost)),
    tracepoints: relay.tracepoints(),
  }
}

/** Traces of programs that are over: nobody reads them, and many runs would fill the disk. */
function dropEnded(): void {
  for (const { connected, folder } of relay.stats().processes)
    if (!connected && folder !== '') rmSync(join(output, basename(folder)), { recursive: true, force: true })
}
