// scripts/lib/chain.mjs: the whole chain on a RADOS cluster: block store, the program that follows the OSDs, and a relay that
// puts together what both tell. For tests, the demo and the load runs; who wants the end of it in a Zipkin server says so.
import { once } from 'node:events'
import { join } from 'node:path'
import { firstLine, startStore } from './demo-store.mjs'
import { root, spawnBound } from './run.mjs'

/**
 * @param {string} folder where data and traces go
 * @param {Awaited<ReturnType<typeof import('./ceph.mjs').startCeph>>} ceph
 * @param {import('@blkin/relay').TracingOptions} spans what the relay does with spans
 * @param {Record<string, string>} env of the block store
 */
export async function startChain(folder, ceph, spans = {}, env = {}) {
  const { startRelay } = await import('../../relay/dist/index.js')
  const relay = await startRelay({
    listen: '127.0.0.1:0',
    output: join(folder, 'traces'),
    tracing: { listen: '127.0.0.1:0', ...spans },
    scribe: { listen: '127.0.0.1:0' },
  })
  const url = `http://${relay.httpAddress}`
  /** What to end, last things first. */
  const undo = [() => relay.close()]
  const stop = async () => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step()
  }
  try {
    const follower = follow(ceph.sockets, ['--scribe', relay.scribeAddress])
    undo.push(() => end(follower))
    await firstLine(follower)
    const options = ['--dir', join(folder, 'data'), '--rados', ceph.rados, '--volume', 'disk=64M']
    const traced = { BLKIN_RELAY: relay.address, BLKIN_ENABLE: 'blkin:*', BLKIN_NAME: 'blockstore' }
    const store = await startStore([], options, { ...traced, ...env })
    undo.push(() => end(store.child))
    /** `stop` ends all, the block store first: what it and the OSDs still have to tell is told. */
    /** Of the OSDs: what they did until now is at the relay then. */
    const endTelling = () => end(follower)
    return { relay, url, disk: `${store.uri}/disk`, endTelling, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function follow(sockets, where) {
  const script = join(root, 'examples/blockstore/dist/osd-spans.js')
  return spawnBound(process.execPath, [script, ...where, ...sockets], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

/** @param {import('node:child_process').ChildProcess} child */
async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}
