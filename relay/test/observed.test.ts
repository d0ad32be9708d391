// relay/test/observed.test.ts: what observers of a recording are told, and when.

import { expect, test } from 'vitest'
import { NOTHING, type PutMark } from '../src/recording/mark.js'
import { ObservedRecorder, type PutObserver } from '../src/recording/observed.js'
import type { Recorder, Recording } from '../src/recording/recording.js'

const mark = (sequence: number): PutMark => ({ ...NOTHING, sequence })
const packets = Buffer.from('packets')

/** Of a recording that takes each put of a stream once, and observers that want one stream each, or all. */
async function observed(wanted: readonly (number | 'all')[]) {
  const said: string[] = []
  let last = NOTHING
  const recording = {
    ...{ followed: false, streams: [7], info: {}, process: {} },
    held: async () => last,
    async put(stream: number, given: PutMark) {
      const isNew = given.sequence > last.sequence
      if (isNew) last = { ...NOTHING, ...given }
      said.push(`${isNew ? 'takes' : 'has'} ${stream}:${given.sequence}`)
      return isNew
    },
    close: async () => void said.push('closes'),
  } as unknown as Recording
  const observer = (name: number | 'all'): PutObserver => ({
    isFollowing: name === 'all',
    wants: (stream) => name === 'all' || name === stream,
    async taken({ stream, before, mark: { sequence } }) {
      await new Promise(setImmediate)
      said.push(`${name} is told of ${stream}:${sequence} behind ${before.sequence}`)
    },
    close: () => void said.push(`${name} ends`),
  })
  const recorder: Recorder = { open: async () => recording }
  const observers = wanted.map((name) => ({ opened: () => observer(name) }))
  return { said, recording: await new ObservedRecorder(recorder, observers).open({} as Recording['process']) }
}

test('observers are told one after the other of puts that they want, before the put is answered', async () => {
  const { said, recording } = await observed([7, 'all', 8])
  expect(await recording.put(7, mark(1), packets)).toBe(true)
  said.push('answered')
  expect(said).toEqual(['takes 7:1', '7 is told of 7:1 behind 0', 'all is told of 7:1 behind 0', 'answered'])
})

test('a put that was taken before is told to nobody', async () => {
  const { said, recording } = await observed(['all'])
  await recording.put(7, mark(1), packets)
  said.length = 0
  expect(await recording.put(7, mark(1), packets)).toBe(false)
  expect(said).toEqual(['has 7:1'])
})

test('a recording is followed where one of its observers follows, and they end before it does', async () => {
  expect((await observed([7])).recording.followed).toBe(false)
  const { said, recording } = await observed([7, 'all'])
  expect(recording.followed).toBe(true)
  await recording.close()
  expect(said).toEqual(['7 ends', 'all ends', 'closes'])
})
