// serve.ts: puts a block store together: store processes, catalog, pool, NBD, admin; and takes it down again.
// main.ts calls it; a program that wants a block store inside itself may as well.

import { mkdirSync } from 'node:fs'
import { type AdminCommand, type AdminReply, ask, own } from './admin.js'
import { Catalog } from './catalog.js'
import { startNbd } from './nbd-server.js'
import { HOUSEKEEPING } from './object-store.js'
import { cloneRecord, createVolume, Pool, PoolError, snapshotRecord } from './pool.js'
import { type Layout, openStore } from './stores.js'

export interface ServeOptions {
  readonly dir: string
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
  /** Where the objects lie. */
  readonly layout: Layout
  /** Made where they are absent. */
  readonly volumes: readonly { readonly name: string; readonly size: number }[]
}

export interface Serving {
  readonly host: string
  readonly port: number
  readonly exports: string[]
  /** Of the store processes, in the order of their numbers; none with RADOS. */
  readonly storePids: number[]
  close(): Promise<void>
}

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
    const { store, pids } = await openStore(dir, options.layout, catalog, undo)
    const started = new Pool(catalog, store)
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
      storePids: pids,
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

function reportFlush(error: Error): void {
  process.stderr.write(`the last flush failed: ${error.message}\n`)
  process.exitCode = 1
}
