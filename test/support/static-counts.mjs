// test/support/static-counts.mjs: preloaded by programs of the static run: tells test/support/static.ts how many calls were static.
import { appendFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { status } from 'blkin'

if (isMainThread)
  process.on('exit', () => appendFileSync(process.env.TEST_STATIC_COUNTS, `${status().transform.calls}\n`))
