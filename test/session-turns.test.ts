// test/session-turns.test.ts: events go to the session that wants them, also where that is another one at each event, and
// where a session has taken the place of one that ended, and nowhere when nobody wants them any more.
import { expect, test } from 'vitest'
import { relay } from './support/relays.js'
import { program, result } from './support/run.js'

test('each event finds its own session, whichever took the one before', async () => {
  const to = await relay()
  const told = await result<unknown>(program('session-turns.mjs'), { env: to.env })
  expect(told).toEqual({ before: { first: 1000, second: 1000 }, after: { second: 1110, third: 10 } })
})
