// load.ts: a verified mixed load over NBD, for the demo, the tests and first measurements.
// Every block written carries its number and version throughout; a read that brings anything else than what was last
// written there is counted and told. Blocks that this run never wrote are read without judgement.

import { NbdClient } from './nbd-client.js'

export interface LoadOptions {
  readonly uri: string
  /** Ends after this long, or after `ops` operations, whichever comes first. Default: 5 seconds. */
  readonly seconds?: number
  readonly ops?: number
  /** Operations under way at once. Default: 16. */
  readonly depth?: number
  /** A multiple of 16. Default: 4096. */
  readonly blockSize?: number
  /** From 0 (reads only) to 1 (writes only). Default: 0.5. */
  readonly writeRatio?: number
  /** Default: true. */
  readonly verify?: boolean
}

export interface LoadReport {
  readonly ops: number
  readonly reads: number
  readonly writes: number
  /** Reads whose content was compared. */
  readonly verified: number
  readonly mismatches: number
  readonly seconds: number
  readonly iops: number
  readonly latencyUs: { readonly p50: number; readonly p99: number; readonly max: number }
}

const STAMP = 16
/** Latencies kept: more say nothing new about a median. */
const MAX_SAMPLES = 200_000

export async function drive(options: LoadOptions): Promise<LoadReport> {
  const {
    uri,
    ops = Number.POSITIVE_INFINITY,
    depth = 16,
    blockSize = 4096,
    writeRatio = 0.5,
    verify = true,
  } = options
  const seconds = options.seconds ?? (options.ops === undefined ? 5 : Number.POSITIVE_INFINITY)
  if (!(blockSize > 0 && blockSize % STAMP === 0)) {
    throw new RangeError(`blockSize is ${blockSize}: expected a multiple of ${STAMP}`)
  }
  const client = await NbdClient.connect(uri)
  const blocks = Math.floor(client.size / blockSize)
  if (blocks < depth) throw new RangeError(`${uri}: ${blocks} blocks are too few for depth ${depth}`)

  const versions = new Map<number, number>()
  /** What is in the middle of a write or a read: two at once on one block would have no right answer. */
  const busy = new Set<number>()
  const latencies: number[] = []
  let started = 0
  let reads = 0
  let writes = 0
  let verified = 0
  let mismatches = 0

  const begin = performance.now()
  const over = () => started >= ops || performance.now() - begin >= seconds * 1000

  const worker = async () => {
    const expected = Buffer.alloc(blockSize)
    while (!over()) {
      const op = started++
      const block = freeBlock(blocks, busy)
      busy.add(block)
      const from = performance.now()
      if (Math.random() < writeRatio) {
        const version = (versions.get(block) ?? 0) + 1
        await client.write(block * blockSize, stamp(Buffer.allocUnsafe(blockSize), block, version))
        versions.set(block, version)
        writes++
      } else {
        const data = await client.read(block * blockSize, blockSize)
        reads++
        const version = versions.get(block)
        if (verify && version !== undefined) {
          verified++
          if (!data.equals(stamp(expected, block, version))) mismatches++
        }
      }
      if (op < MAX_SAMPLES) latencies.push(performance.now() - from)
      busy.delete(block)
    }
  }
  try {
    await Promise.all(Array.from({ length: depth }, worker))
    if (writes > 0) await client.flush()
  } finally {
    await client.close()
  }

  const elapsed = (performance.now() - begin) / 1000
  latencies.sort((a, b) => a - b)
  const at = (share: number) =>
    Math.round((latencies[Math.floor((latencies.length - 1) * share)] ?? 0) * 1000)
  return {
    ops: reads + writes,
    reads,
    writes,
    verified,
    mismatches,
    seconds: elapsed,
    iops: Math.round((reads + writes) / elapsed),
    latencyUs: { p50: at(0.5), p99: at(0.99), max: at(1) },
  }
}

function freeBlock(blocks: number, busy: ReadonlySet<number>): number {
  for (;;) {
    const block = Math.floor(Math.random() * blocks)
    if (!busy.has(block)) return block
  }
}

function stamp(target: Buffer, block: number, version: number): Buffer {
  const pattern = Buffer.alloc(STAMP)
  pattern.writeUInt32BE(0x626c6b21, 0)
  pattern.writeUInt32BE(block, 4)
  pattern.writeUInt32BE(version, 8)
  pattern.writeUInt32BE(Math.imul(block ^ version, 0x9e3779b1) >>> 0, 12)
  return target.fill(pattern)
}
