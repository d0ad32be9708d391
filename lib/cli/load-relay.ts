// lib/cli/load-relay.ts: @blkin/relay is a package of its own, so that a service that only traces installs little.
import type * as Relay from '@blkin/relay'

export async function loadRelay(): Promise<typeof Relay> {
  try {
    return await import('@blkin/relay')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Error('this verb needs the package @blkin/relay: npm install @blkin/relay')
  }
}
