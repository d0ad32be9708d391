// scripts/lib/demo-trace.mjs: the end of the demo: one write to a replicated disk, followed through all processes by a
// relay that assembles spans, and drawn as a tree.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { firstLine, startStore } from './demo-store.mjs'
import { mustRun, root, run } from './run.mjs'

const blkin = join(root, 'dist/cli/main.js')

/** Half of it lies in one object of the disk, half in the next. */
const write = { offset: 3584 << 10, length: 1 << 20 }

/** Returns what `blkin trace` says of it. `qemu`: whether qemu-io is here. */
export async function traceOneWrite(folder, qemu) {
  const where = ['--listen', '127.0.0.1:0', '--http', '127.0.0.1:0', '-o', join(folder, 'traces')]
  const relay = spawn(process.execPath, [blkin, 'relay', ...where, '--json'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  try {
    const { listening, http } = JSON.parse(await firstLine(relay))
    const options = [
      '--dir',
      join(folder, 'replicated'),
      '--stores',
      '2',
      '--replicas',
      '2',
      '--volume',
      'disk=64M',
    ]
    const env = { BLKIN_RELAY: listening, BLKIN_ENABLE: 'blkin:*', BLKIN_NAME: 'blockstore' }
    const store = await startStore([], options, env)
    try {
      await writeOnce(`${store.uri}/disk`, qemu)
      const id = await findTrace(http)
      return await mustRun(process.execPath, [blkin, 'trace', id, '--http', http])
    } finally {
      store.child.kill('SIGTERM')
      await store.ended
    }
  } finally {
    const ended = once(relay, 'exit')
    relay.kill('SIGTERM')
    await ended
  }
}

async function writeOnce(uri, qemu) {
  const { offset, length } = write
  if (qemu) {
    await mustRun('qemu-io', ['-t', 'writeback', '-f', 'raw', uri, '-c', `write -P 0x5a ${offset} ${length}`])
    return
  }
  const { NbdClient } = await import('../../examples/blockstore/dist/nbd-client.js')
  const client = await NbdClient.connect(uri)
  await client.write(offset, Buffer.alloc(length, 0x5a))
  await client.close()
}

/** Spans come to the relay within a second or so. */
async function findTrace(http) {
  const search = ['--service', 'blockstore', '--span', 'write', '--http', http, '--json']
  for (let tries = 0; tries < 100; tries++) {
    const { code, output } = await run(process.execPath, [blkin, 'traces', ...search])
    const trace = code === 0 ? JSON.parse(output) : undefined
    // The request, and for both objects: the object, the look-up, and a call and its service for both replicas.
    if (trace?.spans === 13) return trace.traceId
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('the trace of the write did not come')
}
