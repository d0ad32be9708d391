// lib/cli/record/record-attach.ts: records processes that run already, until ^C, a time, or their end. They get one more
// session, which goes whole when this ends; those that were killed meanwhile are recovered.

import { exitCodes, refusedOption } from '../options/exit.js'
import { ruleOf } from '../options/rule-request.js'
import { count } from '../print/amounts.js'
import { note, noteText, printJson } from '../print/print.js'
import { summarize } from '../print/summary.js'
import { attach } from '../process/attach.js'
import { requireFit } from '../process/filter.js'
import { listed, withProcesses } from '../process/find.js'
import { untilEnd } from '../process/wait.js'
import { startCommandRelay } from '../relay/command-relay.js'
import { collectRest, requireNative } from '../relay/recover.js'
import type { RecordFlags } from './record-flags.js'

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
