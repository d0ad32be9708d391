// lib/cli/relay/load-relay.ts: @blkin/relay is a package of its own, so that a service that only traces installs little; and what
// is said where it, or a package that it needs, is not there.
import type * as Relay from '@blkin/relay'

export const loadRelay = (): Promise<typeof Relay> => import('@blkin/relay')

/** What a person can do about a package that is missing; undefined where the error is another. Pure. */
export function whyMissing({ code, message }: NodeJS.ErrnoException): string | undefined {
  if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') return undefined
  const [, name] = /^Cannot find (?:package|module) '((?:@[^/']+\/)?[^@./'][^/']*)/.exec(message) ?? []
  if (name === undefined) return undefined
  if (name === '@blkin/relay')
    return 'this verb needs the package @blkin/relay: npm install blkin @blkin/relay'
  if (name.startsWith('@duckdb/node-bindings-'))
    return `@blkin/relay needs ${name}, an optional dependency that is not installed: npm install without --omit=optional`
  return `@blkin/relay needs the package ${name}, which is not installed: npm install blkin @blkin/relay anew`
}
