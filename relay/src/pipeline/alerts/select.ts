// relay/src/pipeline/alerts/select.ts: whether a span is one that a rule is about, and which of a rule's alerts it is about. Pure.
// It is asked for every span and every rule: what needs no pattern is compared as it is.

import { globCovers } from '../../common/glob.js'
import type { Span } from '../../spans/span.js'
import type { Selection } from './rule.js'

type Test = (text: string) => boolean

export function compileSelection({ service, span, kind, tags }: Selection): (span: Span) => boolean {
  const ofService = service === undefined ? undefined : compileText(service)
  const ofName = span === undefined ? undefined : compileText(span)
  const ofKind = kind === 'local' ? undefined : kind?.toUpperCase()
  const ofTags = tags.map(([key, value]) => [key, compileText(value)] as const)
  return (one) => {
    if (ofService !== undefined && !ofService(one.localEndpoint?.serviceName ?? '')) return false
    if (ofName !== undefined && !ofName(one.name ?? '')) return false
    if (kind !== undefined && one.kind !== ofKind) return false
    for (const [key, covers] of ofTags) {
      const value = tagOf(one, key)
      if (value === undefined || !covers(value)) return false
    }
    return true
  }
}

function compileText(pattern: string): Test {
  return pattern.includes('*') ? (text) => globCovers(pattern, text, '') : (text) => text === pattern
}

/** The value of `service`, `span` or `tag.KEY`; empty where the span has none. */
export function compileKey(key: string): (span: Span) => string {
  if (key === 'service') return ({ localEndpoint }) => localEndpoint?.serviceName ?? ''
  if (key === 'span') return ({ name }) => name ?? ''
  const tag = key.slice('tag.'.length)
  return (span) => tagOf(span, tag) ?? ''
}

export function tagOf({ tags }: Span, key: string): string | undefined {
  return tags !== undefined && Object.hasOwn(tags, key) ? tags[key] : undefined
}
