// lib/cli/options/flags.ts: every flag that more than one verb has: its words, its check, and its variable where a
// traced program reads that too: it means the same to both. The table in docs/cli.md lists all.
import { type Command, Option } from 'commander'
import { parseBuffer } from '../../buffer.js'
import { type Level, levelNames } from '../../levels.js'
import { parseRelay } from '../../relay-address.js'
import { checkPattern } from '../../rule.js'
import { parseSample, type Sample } from '../../sample.js'
import { checkSessionName, defaultName, modes, parseMode } from '../../session-spec.js'
import { parseBase, usualBase } from './base-url.js'
import { checkFlag, UsageError } from './exit.js'

export interface TargetFlags {
  pid?: string
}

export interface FleetFlags extends TargetFlags {
  relay?: string
}

export interface RuleFlags {
  exclude: string[]
  level?: Level
  exactly?: Level
  filter?: string
  sample?: Sample
}

export interface ChannelFlags {
  buffer?: { subBuffers: number; subBufferBytes: number }
  mode?: { mode: keyof typeof modes; blockMs?: number }
  context?: string[]
}

export interface EnableFlags {
  enable: string[]
}

export interface ZipkinFlags {
  http: string
}

const split = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

const patternsOf = (flag: string) => (text: string, before: string[]) => [
  ...before,
  ...split(text).map((one) => checkFlag(flag, () => checkPattern(one))),
]

/** The mode by its name, as a controller sends it. */
function modeOf(text: string): Required<ChannelFlags>['mode'] {
  const { mode, blockMs } = parseMode(text)
  const name = Object.entries(modes).find(([, number]) => number === mode)?.[0] as keyof typeof modes
  return { mode: name, ...(blockMs > 0 ? { blockMs } : {}) }
}

export const checked =
  <T>(flag: string, parse: (text: string) => T) =>
  (text: string): T =>
    checkFlag(flag, () => parse(text))

/** For what any text will do but none. */
export const nonEmpty =
  (flag: string, expected: string) =>
  (text: string): string => {
    if (text !== '') return text
    throw new UsageError(`${flag}: "": expected ${expected}`)
  }

export const pidOption = () =>
  new Option('-p, --pid <target>', 'a pid, or names with * (all yours)').argParser(
    nonEmpty('--pid', 'a pid, or the name of programs such as "server*"'),
  )

export const outputOption = (what: string, usual: string, shown = usual) =>
  new Option('-o, --output <folder>', what).default(usual, shown).argParser(nonEmpty('--output', 'a folder'))

export const relayOption = () =>
  new Option('--relay <address>', 'the processes of this relay').argParser(checked('--relay', parseRelay))

export const zipkinOption = (who = 'a relay or Zipkin') =>
  new Option('--http <host:port>', who)
    .default(usualBase, usualBase.replace('http://', ''))
    .argParser(checked('--http', parseBase))

export const jsonOption = () => new Option('--json', 'an object a line')

export const sessionOption = () =>
  new Option('--session <name>', 'the session it is about')
    .default(defaultName)
    .argParser(checked('--session', checkSessionName))

export const enableOption = (many = 'these, such as "blockstore:*"') =>
  new Option('-e, --enable <pattern>', many).env('BLKIN_ENABLE').default([], '').argParser(patternsOf('-e'))

/** Where nothing is covered if nobody says what. */
export function requirePatterns({ enable }: EnableFlags): void {
  if (enable.length === 0) throw new UsageError('-e is missing; expected a pattern such as -e "blockstore:*"')
}

export const ruleOptions = (): Option[] => [
  new Option('-x, --exclude <pattern>', 'but not these')
    .env('BLKIN_EXCLUDE')
    .default([], '')
    .argParser(patternsOf('-x')),
  new Option('-l, --level <level>', 'at least this severe').env('BLKIN_LEVEL').choices(levelNames),
  new Option('--exactly <level>', 'of just this level')
    .env('BLKIN_EXACTLY')
    .choices(levelNames)
    .conflicts('level'),
  new Option('-f, --filter <expr>', 'only events for which it holds').env('BLKIN_FILTER'),
  new Option('--sample <share>', 'keep this share: 1/100, 1%, 0.01')
    .env('BLKIN_SAMPLE')
    .argParser(checked('--sample', parseSample)),
]

export const channelOptions = (): Option[] => [
  new Option('-b, --buffer <countxsize>', 'sub-buffers x size, per CPU (4x1M)')
    .env('BLKIN_BUFFER')
    .argParser(checked('--buffer', parseBuffer)),
  new Option('--mode <mode>', 'full: discard, overwrite, block[:MS]')
    .env('BLKIN_MODE')
    .argParser(checked('--mode', modeOf)),
  new Option('-c, --context <names>', 'on each event: tid, span, ...')
    .env('BLKIN_CONTEXT')
    .argParser((text: string, before: string[] = []) => [...before, ...split(text)]),
]

/** A variable that is set to nothing is not set, as for traced programs. */
export function dropEmptyVariables(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(env)) {
    if (name.startsWith('BLKIN_') && env[name] === '') delete env[name]
  }
}

/** The flags, by their long names without dashes, that stand on the command line itself: not those of the environment. */
export const givenFlags = (command: Command): string[] =>
  command.options
    .map((option) => option.attributeName())
    .filter((name) => command.getOptionValueSource(name) === 'cli')
