// relay/src/ports/http/compress.ts: answers in gzip, for who says that it takes that. Spans say the same words again and again: their JSON
// becomes a sixth. The server calls it; the work is done beside the relay's thread.

import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'

/** Smaller ones gain nothing: a packet is a packet. */
const LEAST_BYTES = 2048

const pack = promisify(gzip)

/** Undefined where it goes as it is. */
export async function compressed(bytes: Buffer, acceptEncoding: string): Promise<Buffer | undefined> {
  if (!isCompressible(bytes) || !takesGzip(acceptEncoding)) return undefined
  // higher levels take longer, and gain a tenth; where there is no memory for it, it goes as it is
  return pack(bytes, { level: constants.Z_BEST_SPEED }).catch(() => undefined)
}

export const isCompressible = ({ length }: Buffer): boolean => length >= LEAST_BYTES

/** `gzip;q=0` says that it does not. */
function takesGzip(acceptEncoding: string): boolean {
  const weights = new Map<string, number>()
  for (const part of acceptEncoding.toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim())
    const weight = parameters.find((text) => text.startsWith('q='))
    weights.set(name, weight === undefined ? 1 : Number(weight.slice(2)))
  }
  return (weights.get('gzip') ?? weights.get('*') ?? 0) > 0
}
