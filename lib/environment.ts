// lib/environment.ts: the environment's settings, applied once a process before its first declaration or rule. A bad
// one is told on stderr, once, and left out: a variable never keeps a service from starting.
//
//   BLKIN_RELAY    HOST:PORT of the relay (127.0.0.1:4650)      BLKIN_TOKEN    what the relay asks for, if it does
//   BLKIN_ENABLE   patterns, comma between                      BLKIN_EXCLUDE  patterns, comma between
//   BLKIN_LEVEL    at least this severe                         BLKIN_BUFFER   COUNTxSIZE of a ring (4x1M)
//   BLKIN_ACK      written or synced                            BLKIN_RING     cpu or thread
//   BLKIN_CLOCK    tsc or monotonic
import { parseAddress } from './address.js'
import { parseBuffer } from './buffer.js'
import { native } from './native.js'
import { addRule, checkLevel, checkPattern } from './rule.js'

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

export function applyEnvironment(): void {
  if (applied) return
  applied = true
  if (native === undefined) return
  const relay = setting('BLKIN_RELAY', parseAddress, { host: '127.0.0.1', port: '4650' })
  const first = native.configure({
    ...relay,
    token: process.env.BLKIN_TOKEN ?? '',
    synced: setting('BLKIN_ACK', oneOf('written', 'synced'), 'written') === 'synced',
    ...setting('BLKIN_BUFFER', parseBuffer, { subBuffers: 4, subBufferBytes: 2 ** 20 }),
    lease: setting('BLKIN_RING', oneOf('cpu', 'thread'), 'cpu') === 'thread',
    monotonic: setting('BLKIN_CLOCK', oneOf('tsc', 'monotonic'), 'tsc') === 'monotonic',
  })
  if (!first) return // another thread came first, Worker or not: the rules stand and the warnings are told
  const level = setting('BLKIN_LEVEL', checkLevel, undefined)
  const exclude = patterns('BLKIN_EXCLUDE')
  for (const pattern of patterns('BLKIN_ENABLE')) {
    setting('BLKIN_ENABLE', () => addRule(pattern, { level, exclude }), undefined)
  }
  if (warnings.length > 0) process.stderr.write(warnings.join(''))
}
