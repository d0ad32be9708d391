// relay/src/metrics/exposition.ts: numbers in the two text forms that Prometheus reads: its own, version 0.0.4, and OpenMetrics,
// whichever it asks for. Pure. What is counted, and what it is called, is in families.ts.

import { toUSVString } from 'node:util'
import type { Histogram } from './histogram.js'

export type Labels = Readonly<Record<string, string>>

export interface Numbers {
  /** Of a counter, without `_total`. Seconds and bytes are so called. */
  name: string
  type: 'counter' | 'gauge'
  help: string
  samples: readonly (readonly [labels: Labels, value: number])[]
}

export interface Histograms {
  name: string
  type: 'histogram'
  help: string
  /** Labels as labelText() has them. */
  series: Iterable<{ labels: string; histogram: Histogram }>
}

export type Family = Numbers | Histograms

export interface Exposed {
  type: string
  body: string
}

/** In the form that suits an Accept header best. */
export function expose(families: Iterable<Family>, accept: string): Exposed {
  const isOpen = wantsOpenMetrics(accept)
  const lines: string[] = []
  for (const family of families) {
    const { name, type, help } = family
    const called = type === 'counter' && !isOpen ? `${name}_total` : name
    const [unit] = /(seconds|bytes)$/.exec(name) ?? []
    lines.push(`# HELP ${called} ${escaped(help)}`, `# TYPE ${called} ${type}`)
    if (isOpen && unit) lines.push(`# UNIT ${called} ${unit}`)
    if (family.type === 'histogram') addHistograms(lines, family, isOpen)
    else addNumbers(lines, family)
  }
  if (isOpen) lines.push('# EOF')
  const form = isOpen ? 'application/openmetrics-text; version=1.0.0' : 'text/plain; version=0.0.4'
  return { type: `${form}; charset=utf-8`, body: `${lines.join('\n')}\n` }
}

function addNumbers(lines: string[], { name, type, samples }: Numbers): void {
  const called = type === 'counter' ? `${name}_total` : name
  for (const [labels, value] of samples) {
    const text = labelText(labels)
    lines.push(`${called}${text === '' ? '' : `{${text}}`} ${value}`)
  }
}

function addHistograms(lines: string[], { name, series }: Histograms, isOpen: boolean): void {
  let known: readonly number[] | undefined
  let ends: string[] = []
  for (const { labels, histogram } of series) {
    const { bounds, counts, sum, exemplars } = histogram
    if (bounds !== known) {
      known = bounds
      ends = [...bounds.map((us) => bound(us / 1e6)), '+Inf'].map((le) => `le="${le}"} `)
    }
    const before = `${name}_bucket{${labels === '' ? '' : `${labels},`}`
    let count = 0
    for (let i = 0; i < counts.length; i++) {
      count += counts[i]!
      lines.push(before + ends[i] + count + (isOpen ? exemplarText(exemplars[i]) : ''))
    }
    const all = labels === '' ? '' : `{${labels}}`
    lines.push(`${name}_sum${all} ${sum / 1e6}`, `${name}_count${all} ${count}`)
  }
}

function exemplarText(exemplar: Histogram['exemplars'][number]): string {
  if (exemplar === undefined) return ''
  const { traceId, value, time } = exemplar
  return ` # {trace_id="${traceId}"} ${value / 1e6} ${time / 1000}`
}

/** As OpenMetrics has it, in both: a bucket is the same series whichever was asked for. */
const bound = (seconds: number): string => (Number.isInteger(seconds) ? `${seconds}.0` : String(seconds))

export function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(toUSVString(value)).replaceAll('"', '\\"')}"`)
    .join(',')
}

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')

function wantsOpenMetrics(accept: string): boolean {
  const weights = new Map<string, number>()
  for (const part of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = part.split(';').map((text) => text.trim())
    const given = parameters.find((text) => text.startsWith('q='))
    const weight = given === undefined ? 1 : Number(given.slice(2)) || 0
    weights.set(type, Math.max(weight, weights.get(type) ?? 0))
  }
  const open = weights.get('application/openmetrics-text') ?? 0
  return open > 0 && open >= (weights.get('text/plain') ?? 0)
}
