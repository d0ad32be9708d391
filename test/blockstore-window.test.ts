// blockstore-window.test.ts: how many calls to RADOS may be under way, and who is next.

import { expect, test } from 'vitest'
import { Window } from '../examples/blockstore/src/window.js'

/** Enters, and writes down when there was room. */
function entering(window: Window, log: string[]) {
  return (name: string, bytes: number) => {
    const room = window.enter(bytes)
    if (room === undefined) log.push(name)
    else void room.then(() => log.push(name))
  }
}

const turn = () => new Promise(setImmediate)

test('what finds no room waits its turn, the small behind the large that came before', async () => {
  const log: string[] = []
  const window = new Window(3, 100)
  const enter = entering(window, log)
  enter('a', 60)
  enter('b', 30)
  enter('large', 50)
  enter('small', 10)
  await turn()
  expect(log).toEqual(['a', 'b'])
  window.leave(30)
  await turn()
  expect(log, 'it would fit, but it is not its turn').toEqual(['a', 'b'])
  window.leave(60)
  await turn()
  expect(log).toEqual(['a', 'b', 'large', 'small'])
})

test('calls are bounded as well as bytes', async () => {
  const log: string[] = []
  const window = new Window(2, 100)
  const enter = entering(window, log)
  for (const name of ['a', 'b', 'c', 'd']) enter(name, 0)
  await turn()
  expect(log).toEqual(['a', 'b'])
  window.leave(0)
  await turn()
  expect(log).toEqual(['a', 'b', 'c'])
})

test('what is larger than the window goes when it is alone', async () => {
  const log: string[] = []
  const window = new Window(3, 100)
  const enter = entering(window, log)
  enter('a', 1)
  enter('huge', 1000)
  await turn()
  expect(log).toEqual(['a'])
  window.leave(1)
  await turn()
  expect(log).toEqual(['a', 'huge'])
  enter('b', 1)
  await turn()
  expect(log).toEqual(['a', 'huge'])
})
