// relay/test/frame-buffers.test.ts: large frames that come in pieces share a few buffers, and none while somebody still reads it.
import { expect, test } from 'vitest'
import { FrameSplitter } from '../src/protocol/frames.js'

function pieces(length: number, fill: number): [Buffer, Buffer] {
  const bytes = Buffer.alloc(4 + length, fill)
  bytes.writeInt32BE(length)
  return [bytes.subarray(0, 5000), bytes.subarray(5000)]
}

/** Reads one frame to its end. */
function whole(splitter: FrameSplitter, length: number, fill: number): Buffer {
  const [first, second] = pieces(length, fill)
  expect([...splitter.push(first)]).toEqual([])
  const frames = [...splitter.push(second)]
  expect(frames.map((frame) => frame.length)).toEqual([length])
  return frames[0]!
}

test('the buffer of a frame that was read is that of the next, of whichever connection', () => {
  const first = whole(new FrameSplitter(), 200_000, 1)
  const second = whole(new FrameSplitter(), 300_000, 2)
  expect(second.buffer).toBe(first.buffer)
  expect(second.every((byte) => byte === 2)).toBe(true)
})

test('a frame that is being read keeps its buffer', () => {
  const [one, other] = [new FrameSplitter(), new FrameSplitter()]
  const [first, second] = pieces(200_000, 1)
  expect([...one.push(first)]).toEqual([])
  const reading = one.push(second)
  const frame = reading.next().value as Buffer
  const another = whole(other, 200_000, 2)
  expect(another.buffer).not.toBe(frame.buffer)
  expect(frame.every((byte) => byte === 1)).toBe(true)
  expect(reading.next().done).toBe(true)
})

test('what is read from a small frame may be kept', () => {
  const first = whole(new FrameSplitter(), 20_000, 1)
  const second = whole(new FrameSplitter(), 20_000, 2)
  expect(second.buffer).not.toBe(first.buffer)
  expect(first.every((byte) => byte === 1)).toBe(true)
})
