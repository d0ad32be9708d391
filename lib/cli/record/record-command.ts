// lib/cli/record/record-command.ts: a command under a relay of its own, and what it left when it died. The command's own output
// is its own; what record says, --json included, goes to stderr.
import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { compileGlob } from '../names/glob.js'
import { nothingText } from '../names/tracepoints.js'
import { exitCodes, refusedOption } from '../options/exit.js'
import { compile } from '../options/rule-request.js'
import { json, note, noteText } from '../print/print.js'
import { summarize } from '../print/summary.js'
import { errorFile } from '../process/error-file.js'
import { tracedEnvironment } from '../process/traced-environment.js'
import { startCommandRelay } from '../relay/command-relay.js'
import { collectRest, requireNative } from '../relay/recover.js'
import type { RecordFlags } from './record-flags.js'

/** Resolves to the exit code that a shell would give it. */
function ended(child: ChildProcess, name: string): Promise<number> {
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      note(`${name}: ${error.code === 'ENOENT' ? 'no such command' : error.message}`)
      resolve(error.code === 'ENOENT' ? 127 : 126)
    })
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)))
  })
}

/** Passes on what is meant for the command. A terminal sends ^C to it itself, so then record only lives through it. */
function forwardSignals(child: ChildProcess): () => void {
  const forward = (signal: NodeJS.Signals) => void child.kill(signal)
  const interrupt = process.stdin.isTTY ? () => {} : forward
  process.on('SIGTERM', forward).on('SIGHUP', forward).on('SIGINT', interrupt)
  return () => process.off('SIGTERM', forward).off('SIGHUP', forward).off('SIGINT', interrupt)
}

/** Each pattern that covers nothing of what was declared, with what is near. */
function tellNothing(patterns: readonly string[], names: string[]): void {
  if (names.length === 0) return // of programs without blkin there is nothing to say
  for (const pattern of patterns) if (!names.some(compileGlob(pattern))) note(nothingText(pattern, names))
}

export async function recordCommanded(command: string[], flags: RecordFlags): Promise<number> {
  if (flags.filter !== undefined) compile(flags.filter)
  requireNative()
  const { relay, token, close } = await startCommandRelay({ output: flags.output }).catch(refusedOption)
  const errors = errorFile()
  const [program = '', ...args] = command
  const child = spawn(program, args, {
    stdio: 'inherit',
    env: tracedEnvironment({ address: relay.address, token }, errors.path, flags),
  })
  const stopForwarding = forwardSignals(child)
  const code = await ended(child, program)
  stopForwarding()
  await collectRest(relay, token)
  await close()
  const totals = summarize(relay.stats(), flags.output, flags.buffer)
  const none = totals.events + totals.lost === 0
  const error = errors.take()
  const nothing = `recorded nothing: ${error || `no tracepoint that ${flags.enable.join(', ')} covers was declared and hit`}`
  if (!error) tellNothing(flags.enable, relay.tracepoints())
  if (flags.json) process.stderr.write(`${json({ ...totals.json, exit: code, ...(error && { error }) })}\n`)
  else noteText(none ? nothing : totals.text)
  return code === 0 && none ? exitCodes.nothing : code
}
