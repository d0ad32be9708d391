// test/matrix/points.ts: makes a thread of a running process die or stall at a place of the addon that has a name (native/points.hpp), by
// other instructions there. The addon is the one that is published: no build for tests, no debugger, and as little delay.
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { readLibrary } from '../support/elf.js'
import { root } from '../support/run.js'

const folder = process.env.BLKIN_PREBUILD ?? root
const file = join(folder, 'build/Release/blkin.node')

/** Little-endian. `dies` raises SIGTRAP, which ends the process there and then; `stalls` jumps to itself. */
const instructions: Record<string, { dies: string; stalls: string }> = {
  x64: { dies: 'cc', stalls: 'ebfe' },
  arm64: { dies: '000020d4', stalls: '00000014' },
}

let known: Map<string, bigint[]> | undefined

/** Those of native/points.hpp, and of the sequences in which a record is written: `rseq-begun`, `rseq-copied` (all but head), `rseq-committed`. */
export function points(): Map<string, bigint[]> {
  if (known !== undefined) return known
  const { points, sequences } = readLibrary(file)
  const all = (place: (one: (typeof sequences)[number]) => number) =>
    sequences.map((one) => one.start + BigInt(place(one)))
  known = points
    .set(
      'rseq-begun',
      all(() => 0),
    )
    .set(
      'rseq-copied',
      all(({ code }) => code.length - lastStore(code)),
    )
    .set(
      'rseq-committed',
      all(({ code }) => code.length),
    )
  return known
}

/** Bytes of the store of head: mov %reg, 64(%ring), with a byte more where the ring is in r12; one word on arm64. */
const lastStore = (code: Buffer): number => (process.arch === 'arm64' || code.at(-3) === 0x89 ? 4 : 5)

export interface Change {
  undo(): void
}

export function changeCode(pid: number, point: string, how: 'dies' | 'stalls'): Change {
  const places = points().get(point)
  if (places === undefined) throw new Error(`no point ${point} in ${file}`)
  const base = baseOf(pid)
  const memory = openSync(`/proc/${pid}/mem`, 'r+')
  const code = Buffer.from(instructions[process.arch]![how], 'hex')
  const before = places.map((place) => {
    const at = Number(base + place)
    const bytes = Buffer.alloc(code.length)
    readSync(memory, bytes, 0, bytes.length, at)
    writeSync(memory, code, 0, code.length, at)
    return { at, bytes }
  })
  const undo = () => {
    for (const { at, bytes } of before) writeSync(memory, bytes, 0, bytes.length, at)
    closeSync(memory)
  }
  if (how === 'stalls') return { undo }
  closeSync(memory)
  return { undo: () => {} }
}

function baseOf(pid: number): bigint {
  const maps = readFileSync(`/proc/${pid}/maps`, 'latin1')
  const found = /^([0-9a-f]+)-\S+ \S+ 00000000 .*\/blkin\.node$/m.exec(maps)
  if (found === null) throw new Error(`the addon is not loaded in ${pid}`)
  return BigInt(`0x${found[1]}`)
}
