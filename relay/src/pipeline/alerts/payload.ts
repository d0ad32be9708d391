// relay/src/pipeline/alerts/payload.ts: an alert in words, what Alertmanager is told of it, and what a webhook is: Alertmanager's payload,
// version 4, of one alert, since that is what receivers understand. Pure.

import { labelsOf } from './labels.js'
import { type AlertRule, alertName, amountOf, measureOf, shownValue, timeOf } from './rule.js'

export interface AlertChange {
  rule: AlertRule
  value: string | undefined
  isFiring: boolean
  /** What is compared with the threshold, and of how many spans. */
  amount: number
  count: number
  /** Milliseconds since the epoch. */
  startsAt: number
  endsAt: number
  /** The worst first. */
  traces: string[]
  /** It is resolved because its rule is there no more. */
  isGone?: boolean
}

/** Alertmanager's "not yet". */
const NEVER = '0001-01-01T00:00:00Z'

/** As Alertmanager takes it. */
export interface PostedAlert {
  labels: Record<string, string>
  annotations: Record<string, string>
  startsAt: string
  /** Absent while it fires. */
  endsAt?: string
  generatorURL?: string
}

/** `api` is where the relay's API is; undefined where it is nowhere. */
export function postedAlertOf(change: AlertChange, api: string | undefined): PostedAlert {
  const { rule, value, isFiring, startsAt, endsAt, traces } = change
  const annotations = {
    summary: summaryOf(change),
    value: shownValue(rule, change.amount, change.count),
    threshold: amountOf(rule, rule.threshold),
    window: timeOf(rule.windowMs * 1000),
    count: String(change.count),
    traces: traces.join(' '),
    rule: rule.text,
  }
  const [worst] = traces
  return {
    ...{ labels: labelsOf(rule, value), annotations, startsAt: new Date(startsAt).toISOString() },
    ...(isFiring ? {} : { endsAt: new Date(endsAt).toISOString() }),
    ...(api === undefined || worst === undefined ? {} : { generatorURL: `${api}/api/v2/trace/${worst}` }),
  }
}

/** What a webhook hears of it. */
export function payloadOf(alert: PostedAlert, api: string | undefined): object {
  const { labels, annotations, startsAt, endsAt, generatorURL = '' } = alert
  const status = endsAt === undefined ? 'firing' : 'resolved'
  return {
    version: '4',
    groupKey: JSON.stringify(labels),
    truncatedAlerts: 0,
    status,
    receiver: 'blkin',
    groupLabels: labels,
    commonLabels: labels,
    commonAnnotations: annotations,
    externalURL: api ?? '',
    alerts: [
      {
        ...{ status, labels, annotations, startsAt, endsAt: endsAt ?? NEVER, generatorURL },
        fingerprint: fingerprintOf(JSON.stringify(labels)),
      },
    ],
  }
}

/** "slow-writes fires: p99(span=write) is 31ms, above 20ms, over 30s (412 spans), such as trace 463ac35c9f6413ad" */
export function lineOf(change: AlertChange): string {
  const { rule, value, isFiring, traces } = change
  const such = isFiring && traces[0] !== undefined ? `, such as trace ${traces[0]}` : ''
  return `alert ${alertName(rule, value)} ${isFiring ? 'fires' : 'is resolved'}: ${summaryOf(change)}${such}`
}

function summaryOf({ rule, amount, count, isFiring, isGone }: AlertChange): string {
  if (isGone) return `the rule that looked at ${measureOf(rule)} is there no more`
  const compared = `${isFiring ? 'above' : 'threshold'} ${amountOf(rule, rule.threshold)}`
  const over = `over ${timeOf(rule.windowMs * 1000)}`
  if (count === 0 && rule.kind !== 'missing')
    return `no span came for ${measureOf(rule)}, ${compared}, ${over}`
  return `${measureOf(rule)} is ${amountOf(rule, amount)}, ${compared}, ${over} (${count} span${count === 1 ? '' : 's'})`
}

/** Where the API is, unless that is every address: nobody can open that. */
export function openable(api: string | undefined): string | undefined {
  const { hostname } = new URL(api ?? 'http://0.0.0.0')
  return hostname === '0.0.0.0' || hostname === '[::]' ? undefined : api
}

/** The same for the same labels, whichever relay tells it: FNV-1a of 64 bits. */
function fingerprintOf(text: string): string {
  let hash = 0xcbf29ce484222325n
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return hash.toString(16).padStart(16, '0')
}
