// test/matrix-oracle.test.ts: the crash matrix's oracle finds what a broken tracer would leave: made-up outcomes with one fault each.
import { expect, test } from 'vitest'
import { judge, type Numbered, type Outcome } from './matrix/oracle.js'

const of = (thread: number, ...numbers: number[]): Numbered[] => numbers.map((n) => ({ thread, n }))

/** Two threads, of which the second died in its fourth emit; events 2 of thread 0 and 1 of thread 1 are lost. */
function outcome(changes: Partial<Outcome> = {}): Outcome {
  const noted = [
    { begun: 4, ended: 4 },
    { begun: 4, ended: 3 },
  ]
  return { noted, events: [...of(0, 0, 1, 3), ...of(1, 0, 2)], lost: 2, ...changes }
}

test('what was begun and not ended may be there, may be lost, and may be neither', () => {
  expect(judge(outcome())).toEqual([])
  expect(judge(outcome({ lost: 3 }))).toEqual([])
  expect(judge(outcome({ events: [...of(0, 0, 1, 3), ...of(1, 0, 2, 3)] }))).toEqual([])
})

test.each<[string, Partial<Outcome>, RegExp]>([
  [
    'an event that is gone',
    { events: [...of(0, 0, 3), ...of(1, 0, 2)] },
    /^7 to 8 emitted, 4 recorded \+ 2 lost = 6$/,
  ],
  ['a loss that is not counted', { lost: 1 }, /^7 to 8 emitted, 5 recorded \+ 1 lost = 6$/],
  ['a loss that is counted twice', { lost: 4 }, /^7 to 8 emitted, 5 recorded \+ 4 lost = 9$/],
  [
    'an event that came twice',
    { events: [...of(0, 0, 1, 1, 3), ...of(1, 0, 2)], lost: 1 },
    /event 1 is recorded again/,
  ],
  [
    'a packet that came twice',
    { events: [...of(0, 0, 1, 0, 1), ...of(1, 0, 2)], lost: 1 },
    /event 0 is recorded again/,
  ],
  [
    'events in another order',
    { events: [...of(0, 1, 0, 3), ...of(1, 0, 2)] },
    /event 0 is recorded again, or behind/,
  ],
  [
    'an event that nobody emitted',
    { events: [...of(0, 0, 1, 4), ...of(1, 0, 2)] },
    /event 4 is recorded, and 4 were begun/,
  ],
  [
    'an event of no thread',
    { events: [...of(0, 0, 1, 3), ...of(2, 0)] },
    /thread 2: event 0 is recorded, and 0 were/,
  ],
  ['a program that counts otherwise', { told: 3 }, /^the program counts 3 as lost, the trace 2$/],
])('%s is found', (_, changes, words) => {
  expect(judge(outcome(changes)).join('\n')).toMatch(words)
})
