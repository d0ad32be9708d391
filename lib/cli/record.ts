// lib/cli/record.ts: `blkin record`: a relay in this process, the command under it, and what it left when it died.
// The command's own output is its own; what record says goes to stderr.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Relay } from '@blkin/relay'
import { Command, Option } from 'commander'
import { parseAddress } from '../address.js'
import { parseBuffer } from '../buffer.js'
import { levelNames } from '../levels.js'
import { loadError, native } from '../native.js'
import { checkPattern } from '../rule.js'
import { checkFlag, exitCodes, UsageError } from './exit.js'
import { loadRelay } from './load-relay.js'
import { summarize } from './summary.js'

interface Flags {
  output: string
  enable: string[]
  exclude: string[]
  level?: string
  buffer?: string
}

const recoverMs = 10_000
const stragglersMs = 1000

const collect = (value: string, before: string[]) => [...before, ...value.split(',')]

export function recordCommand(): Command {
  const stamp = new Date()
    .toISOString()
    .replace(/[-:]|\..*/g, '')
    .replace('T', '-')
  return new Command('record')
    .description('Runs a command and records the tracepoints of every Node.js process in it.')
    .argument('<command...>', 'what to run, behind --')
    .option('-e, --enable <pattern>', 'record these, such as "blockstore:*" (again for more)', collect, [])
    .option('-x, --exclude <pattern>', 'but not these', collect, [])
    .addOption(new Option('-l, --level <level>', 'only those at least this severe').choices(levelNames))
    .option('-b, --buffer <countxsize>', 'ring of each CPU: sub-buffers, and the size of one (4x1M)')
    .option('-o, --output <folder>', 'where the traces go', `trace-${stamp}`)
    .passThroughOptions()
    .addHelpText('after', "\nExample: blkin record -o trace -e 'blockstore:*' -- node server.js")
    .action(async (command: string[], flags: Flags) => {
      process.exitCode = await record(command, flags)
    })
}

async function checkOutput(output: string): Promise<void> {
  const there = await readdir(output).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw new UsageError(`-o ${output}: ${error.message}`)
  })
  if (there.length > 0) throw new UsageError(`-o ${output}: the folder is not empty; expected a new one`)
}

/** The environment that makes Node.js processes trace to this relay. */
function traced(relay: Relay, token: string, flags: Flags): NodeJS.ProcessEnv {
  const register = new URL('../register.js', import.meta.url).href
  return {
    ...process.env,
    NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --import=${register}`.trim(),
    BLKIN_RELAY: relay.address,
    BLKIN_TOKEN: token,
    BLKIN_ENABLE: flags.enable.join(','),
    BLKIN_EXCLUDE: flags.exclude.join(','),
    ...(flags.level === undefined ? {} : { BLKIN_LEVEL: flags.level }),
    ...(flags.buffer === undefined ? {} : { BLKIN_BUFFER: flags.buffer }),
  }
}

/** Resolves to the exit code that a shell would give it. */
function ended(child: ChildProcess, name: string): Promise<number> {
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'ENOENT' ? 'no such command' : error.message
      process.stderr.write(`blkin: ${name}: ${why}\n`)
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

/** Children that outlive the command by a moment finish what they were sending; then comes what dead ones left. */
async function collectRest(relay: Relay, token: string): Promise<void> {
  const alive = () => relay.stats().processes.some((process) => process.connected)
  for (const end = Date.now() + stragglersMs; alive() && Date.now() < end; ) await sleep(10)
  const found = (await native?.recover({ ...parseAddress(relay.address), token, timeout: recoverMs })) ?? []
  for (const { folder, events, delivered, error } of found) {
    if (events > 0) process.stderr.write(`blkin: ${events} events came from what a dead process left\n`)
    if (!delivered) process.stderr.write(`blkin: ${folder}: not all could be recovered: ${error}\n`)
  }
}

async function record(command: string[], flags: Flags): Promise<number> {
  if (flags.enable.length === 0)
    throw new UsageError('-e is missing; expected a pattern such as -e "blockstore:*"')
  for (const pattern of [...flags.enable, ...flags.exclude])
    checkFlag('-e or -x', () => checkPattern(pattern))
  if (flags.buffer !== undefined) checkFlag('--buffer', () => parseBuffer(flags.buffer as string))
  if (native === undefined) throw new Error(`the addon could not be loaded: ${loadError?.message}`)
  const { startRelay } = await loadRelay()
  await checkOutput(flags.output)
  const token = randomBytes(16).toString('hex')
  const relay = await startRelay({ listen: '127.0.0.1:0', output: flags.output, token })
  const [program = '', ...args] = command
  const child = spawn(program, args, { stdio: 'inherit', env: traced(relay, token, flags) })
  const stopForwarding = forwardSignals(child)
  const code = await ended(child, program)
  stopForwarding()
  await collectRest(relay, token)
  await relay.close()
  const totals = summarize(relay.stats(), flags.output)
  const nothing = `recorded nothing: no tracepoint that ${flags.enable.join(', ')} covers was declared and hit`
  process.stderr.write(`blkin: ${totals.events + totals.lost === 0 ? nothing : totals.text}\n`)
  return code === 0 && totals.events + totals.lost === 0 ? exitCodes.nothing : code
}
