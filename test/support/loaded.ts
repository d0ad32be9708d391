// test/support/loaded.ts: the program loaded.mjs, driven: what its sessions shall do while it emits, and what it tells when
// it has stopped.
import type { Status } from 'blkin'
import { lastJson, program, start } from './run.js'
import type { Recorded } from './trace.js'
import { recorded } from './trace.js'

export interface Told {
  /** By thread. */
  emitted: number[]
  delivered: boolean
  status: Status
}

export async function loaded(tracepoints: number, workers: number, env: Record<string, string> = {}) {
  const running = start(program('loaded.mjs'), {
    args: [String(tracepoints), String(workers)],
    env,
    stdin: 'pipe',
    timeout: 110_000,
  })
  await running.says('ready')
  const say = async (line: string) => {
    running.child.stdin?.write(`${line}\n`)
    await running.says(`done ${line}\n`)
  }
  return {
    ...running,
    pid: running.child.pid as number,
    open: (name: string, options: object) => say(`open ${name} ${JSON.stringify(options)}`),
    change: (name: string, options: object) => say(`change ${name} ${JSON.stringify(options)}`),
    close: (name: string) => say(`close ${name}`),
    async stop(): Promise<Told> {
      running.child.stdin?.write('stop\n')
      return lastJson<Told>(await running.ended)
    },
  }
}

export const sum = (counts: number[]): number => counts.reduce((all, one) => all + one, 0)

export const lostOf = (lost: object): number => sum(Object.values(lost))

/** The events of loaded.mjs in these traces, each of which must be what the program emitted, and there once. */
export async function ofLoaded(output: string, tracepoints: number): Promise<Recorded> {
  const { events, lost } = await recorded(output)
  const seen = new Set<string>()
  for (const { tracepoint, fields } of events) {
    const { thread, n, k, text } = fields
    if (text !== `text ${k}` || k !== (n as number) % tracepoints || tracepoint.event !== `e${k}`)
      throw new Error(`this was never emitted: ${tracepoint.event} ${JSON.stringify(fields)}`)
    const key = `${thread}.${n}`
    if (seen.has(key)) throw new Error(`recorded twice: ${key}`)
    seen.add(key)
  }
  return { events, lost }
}
