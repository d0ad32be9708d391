// lib/cli/record-attach.ts: records processes that run already, until ^C, a time, or their end. They get one more
// session, which goes whole when this ends; those that were killed meanwhile are recovered.

import { count } from './amounts.js'
import { attach } from './attach.js'
import { startCommandRelay } from './command-relay.js'
import { ruleOf } from './enable.js'
import { exitCodes, refusedOption } from './exit.js'
import { requireFit } from './filter.js'
import { listed, withProcesses } from './find.js'
import { note, noteText, printJson } from './print.js'
import type { RecordFlags } from './record-flags.js'
import { collectRest, requireNative } from './recover.js'
import { summarize } from './summary.js'
import { untilEnd } from './wait.js'

export async function recordAttached(flags: RecordFlags): Promise<number> {
  const rules = flags.enable.map((pattern) => ruleOf(pattern, flags))
  requireNative()
  const totals = await withProcesses(flags.pid, async (targets) => {
    await requireFit(rules, targets) // before there is a folder
    const { relay, token, close } = await startCommandRelay({ output: flags.output }).catch(refusedOption)
    try {
      const to = { purpose: 'record', relay: relay.address, token }
      const attached = await attach(targets, rules, flags, to)
      const who = listed(attached.targets)
      const how = flags.for === undefined ? '; ^C detaches' : ''
      const ended = untilEnd(attached.over, flags.for) // before ^C is offered
      note(`recording ${who}: ${count(attached.covered, 'tracepoint')} covered${how}`)
      if ((await ended) === 'over') note('all of them have ended, or answer no more')
      await attached.detach()
      await collectRest(relay, token)
    } finally {
      await close()
    }
    return summarize(relay.stats(), flags.output, flags.buffer)
  })
  const none = totals.events + totals.lost === 0
  if (flags.json) printJson(totals.json)
  else
    noteText(
      none ? `recorded nothing: no tracepoint that ${flags.enable.join(', ')} covers was hit` : totals.text,
    )
  return process.exitCode === exitCodes.failed ? exitCodes.failed : none ? exitCodes.nothing : exitCodes.done
}
