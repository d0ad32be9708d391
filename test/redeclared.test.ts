// test/redeclared.test.ts: a module that was edited and loaded again declares a tracepoint with other fields. The program goes on, and
// both forms are recorded under the one name, for every reader.
import { expect, test } from 'vitest'
import { relay } from './support/relays.js'
import { run } from './support/run.js'
import { have } from './support/tools.js'
import { printed, recorded } from './support/trace.js'

const reloaded = `
  import { flush, provider, status, t } from 'blkin'
  const forms = [{ n: t.u8 }, { n: t.string, more: t.u32 }, { n: t.u8 }, {}]
  const emit = [
    (e) => e({ n: 1 }),
    (e) => e({ n: 'two', more: 2 }),
    (e) => e({ n: 3 }),
    (e) => e(),
  ]
  const made = forms.map((fields) => provider('edited', { e: { fields } }).e)
  for (const [i, e] of made.entries()) emit[i](e)
  made[0]({ n: 4 }) // who has the old module still
  await flush()
  console.log(JSON.stringify(status().lost))`

test('each form records its own fields, a filter asks those that have them, and it is told in one line', async () => {
  const to = await relay()
  const env = { ...to.env, BLKIN_ENABLE: 'edited:*' }
  const ended = await run(reloaded, { env })
  expect(ended.code, ended.stderr).toBe(0)
  expect(ended.stderr).toBe(
    'blkin: tracepoint edited:e is declared again as level debug_line { n: string, more: u32 }, and was ' +
      'level debug_line { n: u8 }: both stand under that name\n',
  )
  const { events, lost } = await recorded(to.output)
  expect(lost).toBe(0)
  expect(events.map(({ fields }) => fields)).toEqual([
    { n: 1 },
    { n: 'two', more: 2 },
    { n: 3 },
    {},
    { n: 4 },
  ])
  if (have('babeltrace2'))
    expect(printed(to.output).map(({ fields }) => fields)).toEqual([
      { n: 1n },
      { n: 'two', more: 2n },
      { n: 3n },
      {},
      { n: 4n },
    ])

  const filtered = await relay()
  const one = await run(reloaded, {
    env: { ...filtered.env, BLKIN_ENABLE: 'edited:*', BLKIN_FILTER: 'more == 2' },
  })
  expect(one.code, one.stderr).toBe(0)
  expect((await recorded(filtered.output)).events.map(({ fields }) => fields)).toEqual([
    { n: 'two', more: 2 },
  ])
})
