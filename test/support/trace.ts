// test/support/trace.ts: what came out at the other end: a trace as readTrace() and as babeltrace2 tell it.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { readTrace, type TraceEvent } from '@blkin/relay'
import { type Printed, parseBabeltrace } from './babeltrace.js'

export interface Recorded {
  events: TraceEvent[]
  lost: number
}

/** All events of all traces under a folder, in order of time, and the sum of what the packets say was lost. */
export async function recorded(output: string): Promise<Recorded> {
  const events: TraceEvent[] = []
  let lost = 0
  // A trace begins under a hidden name, which the reader does not see, and gets its own with its metadata inside.
  if (!readdirSync(output).some((trace) => !trace.startsWith('.'))) return { events, lost }
  for await (const item of readTrace(output)) {
    if (item.kind === 'event') events.push(item)
    else lost += Number(item.events)
  }
  return { events, lost }
}

/** What babeltrace2 prints, parsed. Its warnings about lost events are for stderr and left there. */
export function printed(...paths: string[]): Printed[] {
  const run = spawnSync('babeltrace2', ['--clock-seconds', ...paths], {
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  })
  if (run.status !== 0) throw new Error(`babeltrace2 failed on ${paths}: ${run.stderr}`)
  return parseBabeltrace(run.stdout)
}
