// osd-socket.ts: one question to an object server of Ceph through its admin socket, as `ceph daemon` asks: a JSON command
// ended by a NUL; the answer is its length as u32, big-endian, and JSON. osd-spans.ts asks.

import net from 'node:net'

const PATIENCE_MS = 5000
/** 20,000 operations are about 30 MB. */
const MOST_BYTES = 256 * 1024 * 1024

/** Rejects where nobody listens, or what comes is no answer. */
export function askDaemon(socketPath: string, command: Record<string, unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(socketPath)
    const chunks: Buffer[] = []
    let bytes = 0
    socket.setTimeout(PATIENCE_MS, () =>
      socket.destroy(new Error(`no answer within ${PATIENCE_MS / 1000} s`)),
    )
    socket.on('connect', () => socket.write(`${JSON.stringify(command)}\0`))
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      chunks.push(chunk)
      if (bytes > MOST_BYTES) socket.destroy(new Error(`an answer of more than ${MOST_BYTES} bytes`))
    })
    socket.on('error', (error) => reject(new Error(`${socketPath}: ${error.message}`)))
    socket.on('end', () => {
      try {
        resolve(answerIn(Buffer.concat(chunks)))
      } catch (error) {
        reject(new Error(`${socketPath}: ${(error as Error).message}`))
      }
    })
  })
}

function answerIn(bytes: Buffer): unknown {
  const length = bytes.length < 4 ? 0 : bytes.readUInt32BE(0)
  if (length === 0 || bytes.length < 4 + length)
    throw new Error(`an answer of ${bytes.length} bytes is cut short`)
  return JSON.parse(bytes.toString('utf8', 4, 4 + length))
}
