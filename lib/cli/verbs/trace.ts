// lib/cli/verbs/trace.ts: `blkin trace`: one trace as a tree in the terminal, from a relay or a Zipkin server, with the
// clocks of its hosts set against each other.
import { Argument, Command } from 'commander'
import { checkFlag, ending, NothingError } from '../options/exit.js'
import { jsonOption, type ZipkinFlags, zipkinOption } from '../options/flags.js'
import { json as asJson, printLines, styleFor } from '../print/print.js'
import { loadRelay } from '../relay/load-relay.js'
import { ask } from '../relay/zipkin.js'
import { drawTrace } from '../trace/trace-drawing.js'
import { summaryOf } from '../trace/trace-summary.js'
import { spansIn } from '../trace/traces-query.js'

interface Flags extends ZipkinFlags {
  json?: boolean
}

export function traceCommand(): Command {
  return new Command('trace')
    .summary('draw one trace as a tree')
    .description('Draws a trace: spans, services, times, tags, annotations.')
    .addArgument(new Argument('<id>', 'as blkin traces prints it'))
    .addOption(zipkinOption())
    .addOption(jsonOption())
    .addHelpText('after', ending('blkin trace 463ac35c9f6413ad'))
    .action(run)
}

async function run(given: string, { http, json }: Flags): Promise<void> {
  const id = checkFlag('ID', () => checkId(given))
  const { breadthFirst, correctedTree } = await loadRelay()
  const spans = await spansOf(http, id)
  if (json) return printLines(spans.map(asJson))
  const root = correctedTree(spans)
  const { stdout } = process
  const columns = stdout.isTTY ? stdout.columns || 80 : undefined
  await printLines(drawTrace(root, summaryOf(root, breadthFirst(root)), columns, styleFor(stdout)))
}

/** @throws TypeError naming what was given */
export function checkId(text: string): string {
  const digits = text.replace(/^0x/i, '') // as babeltrace2 and `blkin view` print numbers
  if (/^(?!0+$)[0-9a-f]{1,32}$/i.test(digits)) return digits.toLowerCase()
  throw new TypeError(
    `${JSON.stringify(text)}: expected 1 to 32 hex digits that are not all 0, such as 463ac35c9f6413ad`,
  )
}

const hint =
  'spans come a second after their end, and go after as long as the relay keeps them; blkin traces lists what is there'

async function spansOf(http: string, id: string) {
  const answer = await ask(http, `trace/${id}`).catch((error) => {
    throw error instanceof NothingError ? new NothingError(`${error.message}: ${hint}`) : error
  })
  const spans = await spansIn(http, answer, '$')
  if (spans.length === 0) throw new NothingError(`${id} not found at ${http}: ${hint}`)
  return spans
}
