// lib/cli/status/status-answer.ts: the check that what a server answers is a relay's status: it may be anybody's. Pure.
import type { RelayStatus } from '@blkin/relay'

/** A type's name, an object of texts, a list of one shape, or an object; a key with `?` may be missing. */
type Shape = 'string' | 'number' | 'boolean' | 'texts' | readonly [Shape] | { readonly [key: string]: Shape }

const outbox: Shape = {
  ...{ name: 'string', offered: 'number', delivered: 'number', refused: 'number' },
  ...{ dropped: 'number', waiting: 'number', 'error?': 'string', 'failingSince?': 'number' },
}
const lost: Shape = {
  ...{ noRoom: 'number', tooBig: 'number', badValue: 'number', noRing: 'number', overwritten: 'number' },
  'unstored?': 'number',
}
const alert: Shape = {
  'labels?': 'texts',
  ...{ alert: 'string', 'by?': { key: 'string', value: 'string' }, state: 'string', since: 'number' },
  ...{ value: 'number', threshold: 'number', windowMs: 'number', count: 'number', traces: ['string'] },
  shown: { name: 'string', value: 'string', threshold: 'string', measure: 'string' },
}
const rejection: Shape = {
  ...{
    what: 'string',
    reason: 'string',
    isLost: 'boolean',
    count: 'number',
    last: 'number',
    message: 'string',
  },
}
const status: Shape = {
  ...{ version: 'string', since: 'number', now: 'number', gone: 'number', 'goneLost?': 'number' },
  processes: [{ pid: 'number', program: 'string', events: 'number', lost }],
  spans: { received: 'number', stored: 'number', sampledOut: 'number', refused: 'number', waiting: 'number' },
  'behind?': { bytes: 'number', ms: 'number' },
  'traces?': {
    kept: { traces: 'number', bytes: 'number', isOver: 'boolean' },
    removed: { traces: 'number', bytes: 'number', events: 'number' },
    repaired: { streams: 'number', bytes: 'number', events: 'number' },
  },
  sinks: [outbox],
  'rejections?': [rejection],
  'scribe?': { good: 'number', bad: 'number', denied: 'number', bytes: 'number', 'trouble?': 'string' },
  'alerts?': {
    alerts: [alert],
    fired: 'number',
    resolved: 'number',
    'webhook?': outbox,
    'alertmanagers?': [outbox],
  },
}

/** @throws Error naming what is wrong */
export function readStatus(base: string, given: unknown): RelayStatus {
  const wrong = misfit(given, status, '')
  if (wrong === undefined) return given as RelayStatus
  throw new Error(`${base} answers with what is no relay's status: ${wrong}; --http says where a relay is`)
}

function misfit(given: unknown, shape: Shape, path: string): string | undefined {
  if (shape === 'texts') return isTexts(given) ? undefined : `${path || 'it'} is no object of texts`
  if (typeof shape === 'string') return typeof given === shape ? undefined : `${path || 'it'} is no ${shape}`
  if (Array.isArray(shape)) {
    if (!Array.isArray(given)) return `${path || 'it'} is no list`
    return first(given.map((one, i) => () => misfit(one, shape[0], `${path}[${i}]`)))
  }
  if (typeof given !== 'object' || given === null) return `${path || 'it'} is no object`
  return first(
    Object.entries(shape).map(([key, inner]) => () => {
      const name = key.replace('?', '')
      const value = Object.hasOwn(given, name) ? (given as Record<string, unknown>)[name] : undefined
      if (value === undefined && key.endsWith('?')) return undefined
      return misfit(value, inner, path === '' ? name : `${path}.${name}`)
    }),
  )
}

const isTexts = (given: unknown): boolean =>
  typeof given === 'object' && given !== null && Object.values(given).every((one) => typeof one === 'string')

function first(checks: (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const wrong = check()
    if (wrong !== undefined) return wrong
  }
  return undefined
}
