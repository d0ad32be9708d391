// serve.ts: puts a block store together: store processes, catalog, pool, NBD, admin; and takes it down again.
// main.ts calls it; a program that wants a block store inside itself may as well.

import { type ChildProcess, fork } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type AdminCommand, type AdminReply, ask, own } from './admin.js'
import { Catalog } from './catalog.js'
import { Cluster } from './cluster.js'
import { startNbd } from './nbd-server.js'
import { HOUSEKEEPING } from './object-store.js'
import { cloneRecord, createVolume, Pool, PoolError, snapshotRecord } from './pool.js'
import { StoreClient } from './store-client.js'

export interface ServeOptions {
  readonly dir: string
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
  readonly stores: number
  readonly replicas: number
  /** Made where they are absent. */
  readonly volumes: readonly { readonly name: string; readonly size: number }[]
}

export interface Serving {
  readonly host: string
  readonly port: number
  readonly exports: string[]
  /** Of the store processes, in the order of their numbers. */
  readonly storePids: number[]
  close(): Promise<void>
}

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url))
const CHILD_GRACE_MS = 5000
const LOOPBACK = '127.0.0.1'

export async function serve(options: ServeOptions): Promise<Serving> {
  const { dir, host } = options
  mkdirSync(dir, { recursive: true })
  /** What to undo, last things first: at the end, and when the start fails half-way. */
  const undo: (() => unknown)[] = []
  const close = async () => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step()
  }
  try {
    let pool: Pool | undefined
    const disown = await own(dir, async (command) => {
      if (pool === undefined) throw new PoolError('the server is still starting')
      return administer(pool, command)
    })
    undo.push(disown)

    const catalog = await Catalog.open(dir)
    undo.push(() => catalog.close())
    await settleLayout(catalog, options)

    const children: ChildProcess[] = []
    undo.push(() => Promise.all(children.map(endChild)))
    const clients: StoreClient[] = []
    for (let i = 0; i < options.stores; i++) {
      const { child, ready } = forkStore(path.join(dir, `store-${i}`), i)
      children.push(child)
      clients.push(await StoreClient.connect(i, LOOPBACK, await ready))
    }
    const cluster = new Cluster(clients, options.replicas, catalog.out, (store) => {
      process.stderr.write(`store ${store} missed a change: it is out until the next start\n`)
      return catalog.append({ kind: 'out', store })
    })
    undo.push(() => cluster.close())
    await refillStores(cluster, catalog)

    const started = new Pool(catalog, cluster)
    undo.push(() => started.flush(HOUSEKEEPING).catch(reportFlush))
    for (const { name, size } of options.volumes) {
      const known = started.find(name)
      if (known === undefined) await started.create(name, size)
      else if (known.size !== size)
        throw new PoolError(`volume "${name}": is ${known.size} bytes, asked for ${size}`)
    }
    const nbd = await startNbd(started, host, options.port)
    undo.push(() => nbd.close())
    pool = started
    return {
      host,
      port: nbd.port,
      exports: started.list().map((volume) => volume.name),
      storePids: children.map((child) => child.pid!),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Asks the server that owns `dir`; without one, works on the catalog itself. */
export async function manage(dir: string, command: AdminCommand): Promise<AdminReply> {
  const reply = await ask(dir, command)
  if (reply !== undefined) return reply
  mkdirSync(dir, { recursive: true })
  const disown = await own(dir, async () => ({ error: 'another command works on the directory: try again' }))
  try {
    const catalog = await Catalog.open(dir)
    try {
      if (command.command === 'create') await createVolume(catalog, command.volume, command.size)
      else if (command.command === 'snapshot') {
        await catalog.append(snapshotRecord(catalog, command.volume, command.name))
      } else if (command.command === 'clone') {
        await catalog.append(cloneRecord(catalog, command.snapshot, command.volume))
      }
      return {
        volumes: [...catalog.volumes.values()].map(({ map, ...rest }) => ({ ...rest, objects: map.size })),
      }
    } finally {
      await catalog.close()
    }
  } finally {
    await disown()
  }
}

async function administer(pool: Pool, command: AdminCommand): Promise<AdminReply> {
  if (command.command === 'create') await pool.create(command.volume, command.size)
  else if (command.command === 'snapshot') await pool.snapshot(command.volume, command.name)
  else if (command.command === 'clone') await pool.clone(command.snapshot, command.volume)
  else if (command.command !== 'list') throw new PoolError('unknown command')
  const volumes = pool
    .list()
    .map(({ name, size, readonly, map }) => ({ name, size, readonly, objects: map.size }))
  return { volumes }
}

/** Where an object lies follows from these numbers, so they are fixed by the first start. */
async function settleLayout(catalog: Catalog, { dir, stores, replicas }: ServeOptions): Promise<void> {
  const { layout } = catalog
  if (layout === undefined) await catalog.append({ kind: 'layout', stores, replicas })
  else if (layout.stores !== stores || layout.replicas !== replicas) {
    throw new PoolError(
      `${dir}: was laid out with --stores ${layout.stores} --replicas ${layout.replicas}; expected the same`,
    )
  }
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

function reportFlush(error: Error): void {
  process.stderr.write(`the last flush failed: ${error.message}\n`)
  process.exitCode = 1
}
