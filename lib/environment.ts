// lib/environment.ts: the environment's settings, applied once a process before its first declaration or rule. A bad
// one is told on stderr, once, and left out: a variable never keeps a service from starting.
//
//   BLKIN_NAME     what this program is called (its script)   BLKIN_RELAY    HOST:PORT or unix:PATH of the relay (unix:)
//   BLKIN_ENABLE   patterns, comma between                    BLKIN_TOKEN    what the relay asks for, if it does
//   BLKIN_EXCLUDE  patterns, comma between                    BLKIN_BUFFER   COUNTxSIZE of a ring (4x1M)
//   BLKIN_LEVEL    at least this severe                       BLKIN_MODE     discard, overwrite, block or block:MS
//   BLKIN_EXACTLY  just this severe                           BLKIN_CONTEXT  contexts, comma between
//   BLKIN_FILTER   only events for which it holds             BLKIN_ACK      written or synced
//   BLKIN_SAMPLE   only this share of the events              BLKIN_RING     cpu or thread
//   BLKIN_TRACE    what to make spans of, comma between        BLKIN_CLOCK    tsc or monotonic
//   BLKIN_TRACE_SAMPLE  only this share of the traces that begin here, or N/s
//   BLKIN_TRANSFORM  off: register leaves tracepoint calls as they are; BLKIN_DEBUG=transform: says what it does
//   BLKIN_TRACE_ID  bits of the ids of traces that begin here: 64 or 128
import { basename } from 'node:path'
import { defaultBuffer, parseBuffer } from './buffer.js'
import { builtInContexts } from './context.js'
import { compileFilter } from './filter/filter.js'
import { type Native, type NativeSession, native } from './native.js'
import { ownRelay, parseRelay } from './relay-address.js'
import { addRule, checkLevel, checkPattern, type RuleOptions } from './rule.js'
import { parseSample } from './sample.js'
import { defaultName, parseMode } from './session-spec.js'
import { writeError } from './stderr.js'
import { setTraceIdBits } from './trace/ids.js'
import { checkInstrument, type Instrument } from './trace/instrument-names.js'
import { parseTraceSample, setTraceSample } from './trace/sampler.js'
import { tellIfEnvironmentAsked } from './untraced.js'
import { version } from './version.js'

let applied = false
const warnings: string[] = []

function warn(variable: string, error: unknown): void {
  warnings.push(`blkin: ${variable}: ${(error as Error).message}; left out\n`)
}

/** The variable's value through `parse`, or the default where it is not set or is refused. */
function setting<T>(variable: string, parse: (text: string) => T, otherwise: T): T {
  const text = process.env[variable]
  if (text === undefined || text === '') return otherwise
  try {
    return parse(text)
  } catch (error) {
    warn(variable, error)
    return otherwise
  }
}

function oneOf<T extends string>(...allowed: T[]): (text: string) => T {
  return (text) => {
    if ((allowed as string[]).includes(text)) return text as T
    throw new TypeError(`${JSON.stringify(text)}: expected ${allowed.join(' or ')}`)
  }
}

export function splitPatterns(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function patterns(variable: string): string[] {
  return splitPatterns(process.env[variable] ?? '').filter((pattern) => {
    try {
      return checkPattern(pattern)
    } catch (error) {
      warn(variable, error)
      return false
    }
  })
}

/** A script's name without folder and extension. */
function programName(text: string): string {
  const name = text.replace(/[^A-Za-z0-9_.-]/g, '_').slice(0, 200)
  if (name !== '') return name
  throw new TypeError('it is empty; expected a name')
}

function contexts(text: string): string[] {
  const names = splitPatterns(text)
  const unknown = names.find((name) => !(builtInContexts as readonly string[]).includes(name))
  if (unknown === undefined) return names
  throw new TypeError(`${JSON.stringify(unknown)}: expected some of ${builtInContexts.join(', ')}`)
}

const script = basename(process.argv[1] ?? '').replace(/\.[cm]?[jt]sx?$/, '')

let session: NativeSession | undefined
let instruments: Instrument[] = []
let transforms = true

/** The default session as the environment wants it; others begin from it. */
export function environmentSession(): NativeSession {
  session ??= {
    name: defaultName,
    relay: setting('BLKIN_RELAY', parseRelay, ownRelay()),
    token: process.env.BLKIN_TOKEN ?? '',
    synced: setting('BLKIN_ACK', oneOf('written', 'synced'), 'written') === 'synced',
    ...setting('BLKIN_BUFFER', parseBuffer, defaultBuffer),
    ...setting('BLKIN_MODE', parseMode, parseMode('discard')),
    contexts: setting('BLKIN_CONTEXT', contexts, []),
  }
  return session
}

/** The rule options that the environment gives; a bad one is left out. */
function options(): RuleOptions {
  return {
    level: setting('BLKIN_LEVEL', checkLevel, undefined),
    exactly: setting('BLKIN_EXACTLY', checkLevel, undefined),
    exclude: patterns('BLKIN_EXCLUDE'),
    filter: setting('BLKIN_FILTER', (text) => compileFilter(text).text, undefined),
    sample: setting('BLKIN_SAMPLE', (text) => parseSample(text) && text, undefined),
  }
}

export function applyEnvironment(): void {
  if (applied) return
  applied = true
  if (native !== undefined) configure(native)
  tellIfEnvironmentAsked()
}

function configure(native: Native): void {
  setTraceSample(setting('BLKIN_TRACE_SAMPLE', parseTraceSample, { share: 1 })) // each thread samples for itself
  setTraceIdBits(setting('BLKIN_TRACE_ID', oneOf('64', '128'), '64') === '128' ? 128 : 64)
  instruments = setting('BLKIN_TRACE', (text) => splitPatterns(text).map(checkInstrument), [])
  transforms = setting('BLKIN_TRANSFORM', oneOf('on', 'off'), 'on') === 'on'
  const first = native.configure({
    program: setting('BLKIN_NAME', programName, script === '' ? '' : programName(script)),
    version,
    lease: setting('BLKIN_RING', oneOf('cpu', 'thread'), 'cpu') === 'thread',
    monotonic: setting('BLKIN_CLOCK', oneOf('tsc', 'monotonic'), 'tsc') === 'monotonic',
    listens: Boolean(process.env.BLKIN_RELAY),
    session: environmentSession(),
  })
  if (!first) return // another thread came first, Worker or not: the rules stand and the warnings are told
  const wanted = patterns('BLKIN_ENABLE')
  const rule = wanted.length > 0 ? options() : {}
  for (const pattern of wanted) setting('BLKIN_ENABLE', () => addRule(defaultName, pattern, rule), undefined)
  if (warnings.length > 0) writeError(warnings.join(''))
}

/** Whether register is to make tracepoint calls static. */
export function environmentTransforms(): boolean {
  applyEnvironment()
  return transforms && native !== undefined
}

/** What BLKIN_TRACE asks to make spans of. */
export function environmentInstruments(): readonly Instrument[] {
  applyEnvironment()
  return instruments
}
