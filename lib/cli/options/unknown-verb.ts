// lib/cli/options/unknown-verb.ts: what is said of a verb that is none: what LTTng's is called here, or the nearest of ours. Pure.

import { nearest } from '../names/nearest.js'
import { UsageError } from './exit.js'
import { lttngVerbs } from './lttng-verbs.js'

export function unknownVerb(word: string, verbs: readonly string[]): UsageError {
  const here = Object.hasOwn(lttngVerbs, word) ? lttngVerbs[word] : undefined
  if (here !== undefined) return new UsageError(`${word} is LTTng's; here: ${here}`)
  const near = nearest(word, verbs)
  const which = near.length > 0 ? `nearest: ${near.join(', ')}` : `there are ${verbs.join(', ')}`
  return new UsageError(`no verb ${JSON.stringify(word)}; ${which}`)
}
