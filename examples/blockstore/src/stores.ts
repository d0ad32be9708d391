// stores.ts: opens what keeps the objects of a block store: processes of our own, or a pool of a RADOS cluster.
// serve.ts calls it. Where a block store began it stays: its directory remembers.

import { type ChildProcess, fork } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Catalog, CatalogLayout } from './catalog.js'
import { Cluster } from './cluster.js'
import type { ObjectStore } from './object-store.js'
import { PoolError } from './pool.js'
import { StoreClient } from './store-client.js'

export type Layout =
  | { readonly stores: number; readonly replicas: number }
  /** A ceph.conf, and a pool of the cluster that it names. */
  | { readonly conf: string; readonly pool: string }

export interface OpenStore {
  readonly store: ObjectStore
  /** Of the store processes, in the order of their numbers. */
  readonly pids: number[]
}

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url))
const CHILD_GRACE_MS = 5000
const LOOPBACK = '127.0.0.1'

/** What takes it down again goes to `undo`, last things last. */
export async function openStore(
  dir: string,
  layout: Layout,
  catalog: Catalog,
  undo: (() => unknown)[],
): Promise<OpenStore> {
  if ('pool' in layout) return openRados(dir, layout.conf, layout.pool, catalog, undo)
  const { stores, replicas } = layout
  await settle(dir, catalog, { stores, replicas })
  const children: ChildProcess[] = []
  undo.push(() => Promise.all(children.map(endChild)))
  const clients: StoreClient[] = []
  for (let i = 0; i < stores; i++) {
    const { child, ready } = forkStore(path.join(dir, `store-${i}`), i)
    children.push(child)
    clients.push(await StoreClient.connect(i, LOOPBACK, await ready))
  }
  const cluster = new Cluster(clients, replicas, catalog.out, (store) => {
    process.stderr.write(`store ${store} missed a change: it is out until the next start\n`)
    return catalog.append({ kind: 'out', store })
  })
  undo.push(() => cluster.close())
  await refillStores(cluster, catalog)
  return { store: cluster, pids: children.map((child) => child.pid!) }
}

async function openRados(
  dir: string,
  conf: string,
  pool: string,
  catalog: Catalog,
  undo: (() => unknown)[],
): Promise<OpenStore> {
  const { RadosStore } = await import('./rados-store.js') // koffi and librados are for those who ask for them
  const store = await RadosStore.open(conf, pool)
  undo.push(() => store.close())
  await settle(dir, catalog, { rados: `${store.fsid}/${pool}` })
  return { store, pids: [] }
}

/** Where an object lies follows from this, so it is fixed by the first start. */
async function settle(dir: string, catalog: Catalog, wanted: CatalogLayout): Promise<void> {
  if (catalog.layout === undefined) await catalog.append({ kind: 'layout', ...wanted })
  else if (said(catalog.layout) !== said(wanted)) {
    throw new PoolError(`${dir}: was laid out with ${said(catalog.layout)}; asked for ${said(wanted)}`)
  }
}

function said(layout: CatalogLayout): string {
  if ('rados' in layout) return `RADOS ${layout.rados}`
  return `--stores ${layout.stores} --replicas ${layout.replicas}`
}

async function refillStores(cluster: Cluster, catalog: Catalog): Promise<void> {
  for (const store of [...catalog.out]) {
    const names = new Set([...catalog.volumes.values()].flatMap(({ map }) => [...map.values()]))
    try {
      await cluster.refill(store, names)
      await catalog.append({ kind: 'in', store })
    } catch (error) {
      process.stderr.write(`store ${store} stays out: ${(error as Error).message}\n`)
    }
  }
}

/** The environment and Node's own options go along, so what traces the parent traces the child. */
function forkStore(dir: string, number: number): { child: ChildProcess; ready: Promise<number> } {
  // What tracing calls it; the server is called by its script, or as BLKIN_NAME says.
  const env = { ...process.env, BLKIN_NAME: `store-${number}` }
  const child = fork(MAIN, ['store', '--dir', dir], { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const ready = new Promise<number>((resolve, reject) => {
    child.once('message', (message: { port: number }) => resolve(message.port))
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      if (child.connected || code !== 0)
        process.stderr.write(`store ${number} ended: ${signal ?? `code ${code}`}\n`)
      reject(new Error(`store ${number} ended before it was ready`))
    })
  })
  ready.catch(() => undefined) // it may end long after it was ready, or before anyone waits
  return { child, ready }
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  if (child.connected) child.disconnect()
  const timer = setTimeout(() => child.kill('SIGKILL'), CHILD_GRACE_MS)
  await ended
  clearTimeout(timer)
}
