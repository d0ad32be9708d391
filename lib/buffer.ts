// lib/buffer.ts: a ring's geometry, as flags and the environment give it: COUNTxSIZE. Pure.

const units: Record<string, number> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }

/** Of a session that is told nothing else. */
export const defaultBuffer = { subBuffers: 4, subBufferBytes: 2 ** 20 } as const

/** @throws RangeError naming what was given. */
export function parseBuffer(text: string): { subBuffers: number; subBufferBytes: number } {
  const [, count = '', size = '', unit = ''] = /^(\d+)x(\d+)([KMG]?)$/.exec(text) ?? []
  const subBuffers = Number(count)
  const subBufferBytes = Number(size) * (units[unit] as number)
  const power = (n: number) => n >= 1 && Number.isInteger(Math.log2(n))
  if (
    power(subBuffers) &&
    subBuffers <= 64 &&
    power(subBufferBytes) &&
    subBufferBytes >= 8192 &&
    subBufferBytes <= 2 ** 30
  ) {
    return { subBuffers, subBufferBytes }
  }
  throw new RangeError(
    `${JSON.stringify(text)}: expected COUNTxSIZE such as 4x1M, powers of two, 1 to 64 of 8K to 1G`,
  )
}
