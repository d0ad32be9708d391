// lib/cli/trace.ts: `blkin trace`: one trace as a tree, with the clocks of its hosts set against each other.
import type { Span } from '@blkin/relay'
import { Argument, Command } from 'commander'
import { NothingError, UsageError } from './exit.js'
import { apiOption, jsonOption } from './flags.js'
import { loadRelay } from './load-relay.js'
import { print, printJson, styleFor } from './print.js'
import { drawTrace } from './span-tree.js'
import { ask, parseApi } from './zipkin.js'

/** For what is no terminal. */
const columnsElsewhere = 120

export function traceCommand(): Command {
  return new Command('trace')
    .summary('draw a causal trace as a tree')
    .description("Draws a trace as a tree; spans come by Zipkin's API.")
    .addArgument(new Argument('<id>', 'the id, as `blkin traces` prints it'))
    .addOption(apiOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample: blkin trace 463ac35c9f6413ad')
    .action(run)
}

async function run(id: string, { http, json }: { http: string; json?: boolean }): Promise<void> {
  if (!/^[0-9a-f]{1,32}$/i.test(id) || /^0+$/.test(id))
    throw new UsageError(`trace ${JSON.stringify(id)}: expected 1 to 32 hexadecimal digits, not all 0`)
  const api = parseApi(http)
  const spans = (await ask(api, `trace/${id.toLowerCase()}`, new URLSearchParams())) as Span[] | undefined
  if (spans === undefined || spans.length === 0)
    throw new NothingError(
      `${api.origin} has no trace ${id}; spans take about a second to arrive: \`blkin traces\``,
    )
  if (json) {
    for (const span of spans) printJson(span)
    return
  }
  const { correctedTree } = await loadRelay()
  const columns = process.stdout.columns ?? columnsElsewhere
  for (const line of drawTrace(spans, correctedTree(spans), { columns, style: styleFor(process.stdout) }))
    print(line)
}
