// relay/src/pipeline/alerts/rule.ts: what a rule of an alert says, once it is read, and its amounts as a person writes them. Pure.

/** Which spans; all of it must hold. A `*` in a value stands for any run of characters. */
export interface Selection {
  service?: string
  span?: string
  kind?: string
  tags: readonly (readonly [key: string, value: string])[]
  /** As it was written. */
  text: string
}

interface Common {
  name: string
  select: Selection
  /** Microseconds, a share of 1, or a count: above it the alert fires. */
  threshold: number
  windowMs: number
  /** So many spans at least, before anything is said. */
  min: number
  /** How long it has to be above before it fires, and how long not before it is resolved. */
  forMs: number
  keepMs: number
  /** An alert for each value of this: `service`, `span` or `tag.KEY`. */
  by?: string
  /** Labels of its own, which its alerts have too: { severity: 'page' }. */
  labels?: Readonly<Record<string, string>>
  /** As it was written. */
  text: string
}

export type AlertRule = Common &
  (
    | { kind: 'latency'; percent: number }
    | { kind: 'errors' }
    /** Spans without one of these anywhere below them. */
    | { kind: 'missing'; below: Selection }
  )

/** What is measured: "p99(service=store)". */
export function measureOf(rule: AlertRule): string {
  const { kind, select } = rule
  if (kind === 'missing') return `missing(${select.text} -> ${rule.below.text})`
  return `${kind === 'latency' ? `p${rule.percent}` : 'errors'}(${select.text})`
}

/** What an alert is called: by its rule, and where that has one for each value, by the value: "slow{tag.export=disk0}". */
export function alertName({ name, by }: Pick<AlertRule, 'name' | 'by'>, value: string | undefined): string {
  if (value === undefined) return name
  return `${name}{${by}=${/^[\w./-]+$/.test(value) ? value : JSON.stringify(value)}}`
}

/** What was measured of so many spans; `-` where there was none to measure. */
export function shownValue(rule: AlertRule, amount: number, count: number): string {
  return count === 0 && rule.kind !== 'missing' ? '-' : amountOf(rule, amount)
}

/** An amount in the unit of the rule's threshold: "20ms", "1.5%", "3". */
export function amountOf({ kind }: Pick<AlertRule, 'kind'>, amount: number): string {
  if (kind === 'latency') return timeOf(amount)
  return kind === 'errors' ? `${threeDigits(amount * 100)}%` : String(amount)
}

/** "20ms" of 20,000 microseconds. */
export function timeOf(us: number): string {
  const rounded = threeDigits(us)
  if (rounded < 1000) return `${rounded}us`
  if (rounded < 1e6) return `${threeDigits(us / 1000)}ms`
  return `${threeDigits(us / 1e6)}s`
}

const threeDigits = (n: number): number => Number(n.toPrecision(3))
