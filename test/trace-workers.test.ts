// test/trace-workers.test.ts: a Worker begins in the span in which it was started, and messages to it are in none.
import { expect, test } from 'vitest'
import { program, result } from './support/run.js'

interface Told {
  top: string
  await: string
  timer: string
  message: string
  inner?: Told
}

type All = { span: string } & Record<'outside' | 'inside' | 'nested' | 'against', Told>

const aRoot = /^[0-9a-f]{16} none$/

test('what a Worker starts is below the span in which it was started, but for messages', async () => {
  const { span, outside, inside, nested, against } = await result<All>(program('workers.mjs'))
  expect(inside).toEqual({ top: span, await: span, timer: span, message: expect.stringMatching(aRoot) })
  for (const where of Object.values(outside)) expect(where).toMatch(aRoot)
  expect(against, 'a decision against holds').toMatchObject({ top: '0', await: '0', timer: '0' })
  expect(against.message).toMatch(aRoot)
  const { inner, ...middle } = nested
  expect(middle).toMatchObject({ top: span, timer: span })
  expect(inner?.top.split(' ')[0], 'a Worker of a Worker is in the same trace').toBe(span.split(' ')[0])
  expect(inner?.top, 'below a span of its own').not.toBe(span)
})
