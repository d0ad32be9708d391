// relay/src/ports/http/body.ts: the body of a request, bounded before and after it is unpacked. The server calls it.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { HttpError } from './answer.js'
import type { RequestMemory } from './request-memory.js'

export const MOST_BYTES = 10 * 2 ** 20
export const MOST_UNPACKED_BYTES = 32 * 2 ** 20

const unpack = promisify(gunzip)

/** `response`: of a client that waits to be told to go on, as curl does with a larger body. @throws HttpError */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  memory: RequestMemory,
): Promise<Buffer> {
  const parts: Buffer[] = []
  let bytes = 0
  if (Number(request.headers['content-length'] ?? 0) > MOST_BYTES) throw tooLarge()
  if (/100-continue/i.test(request.headers.expect ?? '')) response.writeContinue()
  for await (const part of request) {
    bytes += (part as Buffer).length
    if (bytes > MOST_BYTES) throw tooLarge()
    memory.take((part as Buffer).length)
    parts.push(part as Buffer)
  }
  const body = Buffer.concat(parts)
  if (!request.headers['content-encoding']?.toLowerCase().includes('gzip')) return body
  try {
    const unpacked = await unpack(body, { maxOutputLength: MOST_UNPACKED_BYTES })
    memory.take(unpacked.length)
    return unpacked
  } catch (error) {
    if (error instanceof HttpError) throw error
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge()
    throw new HttpError(400, 'Cannot gunzip spans')
  }
}

const tooLarge = (): HttpError =>
  new HttpError(413, `the body is too large; at most ${MOST_BYTES} bytes, ${MOST_UNPACKED_BYTES} unpacked`)
