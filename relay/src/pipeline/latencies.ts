// relay/src/pipeline/latencies.ts: how long spans took, by service, name, kind and whether they failed: a histogram for each, of all
// spans that came, those too that are sampled out. pipeline.ts feeds it. The number of histograms is bounded: where a service has
// more names than its share, the rest of them are one, `other`; where all together are too many, so are the rest of the services.

import { toUSVString } from 'node:util'
import { labelText } from '../metrics/exposition.js'
import { Histogram } from '../metrics/histogram.js'
import type { Span } from '../spans/span.js'

export const MOST_SERIES = 1000
export const MOST_OF_SERVICE = 200
const OTHER = 'other'
const MOST_LETTERS = 100

/** Microseconds: from what stays in a process to what somebody waits for. */
const BOUNDS = [
  ...[5, 10, 25, 50, 100, 250, 500],
  ...[1e3, 2.5e3, 5e3, 10e3, 25e3, 50e3, 100e3, 250e3, 500e3],
  ...[1e6, 2.5e6, 5e6, 10e6, 30e6, 60e6, 300e6],
]

interface Series {
  labels: string
  histogram: Histogram
}

interface Service {
  /** By span name, and then by kind and failure. */
  names: Map<string, Series[]>
  count: number
}

export class Latencies {
  /** Spans that have no duration. */
  unmeasured = 0
  /** Spans that are counted as `other`. */
  folded = 0
  readonly #services = new Map<string, Service>()
  readonly #all: Series[] = []

  get count(): number {
    return this.#all.length
  }

  get series(): Iterable<Series> {
    return this.#all
  }

  /** `isKept` where their traces will be there to be looked at. */
  add(spans: readonly Span[], isKept: boolean): void {
    const time = isKept ? Date.now() : 0
    for (const span of spans) {
      const { duration } = span
      if (duration === undefined) {
        this.unmeasured++
        continue
      }
      const { histogram } = this.#find(span, true)
      histogram.add(duration)
      if (isKept) histogram.exemplify(span.traceId, duration, time)
    }
  }

  /** Spans that were added, when it is known that their traces are kept. */
  exemplify(spans: readonly Span[]): void {
    const time = Date.now()
    for (const span of spans) {
      const { traceId, duration } = span
      if (duration !== undefined) this.#find(span, false).histogram.exemplify(traceId, duration, time)
    }
  }

  #find(span: Span, isNew: boolean): Series {
    const { localEndpoint, name = '', kind, tags } = span
    const service = cut(localEndpoint?.serviceName ?? '')
    const named = cut(name)
    const variant = variantOf(kind, tags !== undefined && Object.hasOwn(tags, 'error'))
    const known = this.#services.get(service)?.names.get(named)?.[variant]
    if (known !== undefined) return known
    const { series, isOther } = this.#open(toUSVString(service), toUSVString(named), variant)
    if (isNew && isOther) this.folded++
    return series
  }

  #open(service: string, name: string, variant: number): { series: Series; isOther: boolean } {
    const isFull = this.#all.length >= MOST_SERIES
    const of = this.#services.get(service)
    const known = of?.names.get(name)?.[variant] // a name that is no text is one after all
    if (known !== undefined) return { series: known, isOther: false }
    if (!isFull && (of === undefined || of.count < MOST_OF_SERVICE))
      return { series: this.#make(service, name, variant), isOther: false }
    const folded = of === undefined ? undefined : of.names.get(OTHER)?.[variant]
    if (folded !== undefined) return { series: folded, isOther: true }
    const within = of === undefined || isFull ? OTHER : service
    const others = this.#services.get(within)?.names.get(OTHER)?.[variant]
    return { series: others ?? this.#make(within, OTHER, variant), isOther: true }
  }

  #make(service: string, name: string, variant: number): Series {
    const of = this.#services.get(service) ?? { names: new Map(), count: 0 }
    const variants = of.names.get(name) ?? []
    this.#services.set(service, of)
    of.names.set(name, variants)
    const [kind, error] = wordsOf(variant)
    const labels = labelText({ service, span: name, kind, error })
    const series = { labels, histogram: new Histogram(BOUNDS) }
    variants[variant] = series
    this.#all.push(series)
    of.count++
    return series
  }
}

const KINDS = ['CLIENT', 'SERVER', 'PRODUCER', 'CONSUMER', undefined] as const

const variantOf = (kind: Span['kind'], hasFailed: boolean): number =>
  KINDS.indexOf(kind) * 2 + Number(hasFailed)

const wordsOf = (variant: number): [kind: string, error: string] => [
  (KINDS[variant >> 1] ?? 'local').toLowerCase(),
  String(variant % 2 === 1),
]

const cut = (text: string): string => (text.length > MOST_LETTERS ? text.slice(0, MOST_LETTERS) : text)
