// relay/test/memory-budget.test.ts: who waits for room gets it, and nobody gets what is not there.

import { expect, test } from 'vitest'
import { MemoryBudget } from '../src/common/memory-budget.js'

test('who wants more than there is waits until enough is given back', async () => {
  const budget = new MemoryBudget(10)
  await budget.take(6)
  let hasRoom = false
  const waiting = budget.take(5).then(() => (hasRoom = true))
  await new Promise(setImmediate)
  expect([hasRoom, budget.isWanted]).toEqual([false, true])
  budget.give(6)
  await waiting
  expect([budget.bytes, budget.isWanted]).toEqual([5, false])
})

test('who does not wait is turned away, and takes nothing', () => {
  const budget = new MemoryBudget(10)
  expect([budget.tryTake(6), budget.tryTake(5), budget.tryTake(4), budget.bytes]).toEqual([
    true,
    false,
    true,
    10,
  ])
})
