// main.ts: the command line. `serve` runs until SIGTERM or SIGINT; the other commands do one thing and end.

import { parseArgs } from 'node:util'
import type { AdminCommand } from './admin.js'
import { manage, serve } from './serve.js'
import { startStore } from './store-server.js'

const USAGE = `Usage: main.js COMMAND --dir DIR [OPTIONS]
A block device over NBD: thin volumes with snapshots and clones, cut into objects that store processes keep.
  serve                     run the server until SIGTERM or SIGINT
    --listen HOST:PORT      where NBD clients come to (default: 127.0.0.1:10809; port 0: any)
    --stores N              store processes (default: 2)
    --replicas N            stores that hold each object (default: 1)
    --rados CEPH.CONF/POOL  objects in this pool of a RADOS cluster, instead of store processes
    --volume NAME=SIZE      make this volume if it is absent; may be given more than once
  create VOLUME SIZE        make a volume; sizes are bytes or 512K, 64M, 10G, 1T
  snapshot VOLUME NAME      make the read-only VOLUME@NAME
  clone SNAPSHOT NEWVOLUME  make a writable volume that starts as SNAPSHOT
  list                      print name, size and objects in use of every volume
All but serve work with and without a server running on DIR.
Exit: 0 done, 1 failed, 2 bad usage
Example: main.js serve --dir data --volume disk0=64M
`

class UsageError extends Error {}

async function main(argv: string[]): Promise<void> {
  const { values, positionals } = parse(argv)
  const [command, ...rest] = positionals
  if (values.help) {
    process.stdout.write(USAGE)
    return
  }
  const { dir } = values
  if (command === undefined) throw new UsageError('expected a command')
  if (dir === undefined) throw new UsageError('expected --dir DIR')
  const count = { serve: 0, store: 0, create: 2, snapshot: 2, clone: 2, list: 0 }[command]
  if (count === undefined) throw new UsageError(`unknown command "${command}"`)
  if (rest.length !== count) throw new UsageError(`${command}: expected ${count} names, got ${rest.length}`)
  const [first, second] = rest as [string, string]
  if (command === 'serve') await runServer(dir, values)
  else if (command === 'store') await runStore(dir)
  else if (command === 'create') await report(dir, { command, volume: first, size: parseSize(second) })
  else if (command === 'snapshot') await report(dir, { command, volume: first, name: second })
  else if (command === 'clone') await report(dir, { command, snapshot: first, volume: second })
  else await report(dir, { command: 'list' })
}

function parse(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        dir: { type: 'string' },
        listen: { type: 'string', default: '127.0.0.1:10809' },
        stores: { type: 'string' },
        replicas: { type: 'string' },
        rados: { type: 'string' },
        volume: { type: 'string', multiple: true, default: [] },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

type Values = ReturnType<typeof parse>['values']

async function runServer(dir: string, values: Values): Promise<void> {
  const { host, port } = parseListen(values.listen)
  const serving = await serve({
    dir,
    host,
    port,
    layout: parseLayout(values),
    volumes: values.volume.map(parseVolume),
  })
  let ending = false
  const end = () => {
    if (ending) return
    ending = true
    serving.close().catch(fail)
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  const shown = host.includes(':') ? `[${host}]` : host
  process.stdout.write(`listening nbd://${shown}:${serving.port} exports ${serving.exports.join(',')}\n`)
}

/** Not for people: `serve` forks it. It lives as long as the channel to its parent does, and no longer. */
async function runStore(dir: string): Promise<void> {
  if (process.send === undefined) throw new UsageError('store: started by serve only')
  // Signals reach the whole group at a terminal; the parent still has to flush through us.
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', () => undefined)
  const store = await startStore(dir)
  process.on('disconnect', () => {
    store.close().catch(fail)
  })
  process.send({ port: store.port })
}

async function report(dir: string, command: AdminCommand): Promise<void> {
  const reply = await manage(dir, command)
  if ('error' in reply) throw new Error(reply.error)
  if (command.command !== 'list') return
  for (const { name, size, readonly, objects } of reply.volumes) {
    process.stdout.write(`${name} ${size} ${objects}${readonly ? ' read-only' : ''}\n`)
  }
}

function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:\[(.+)\]|([^:]*)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (match === null || port > 65535) throw new UsageError(`--listen ${text}: expected HOST:PORT`)
  return { host: match[1] ?? (match[2] || '127.0.0.1'), port }
}

function parseLayout(values: Values) {
  const { rados, stores, replicas } = values
  if (rados === undefined) return ownStores(values)
  if (stores ?? replicas) throw new UsageError('--rados with --stores or --replicas: RADOS has its own')
  return parseRados(rados)
}

function ownStores({ stores = '2', replicas = '1' }: Values) {
  return { stores: parseCount('stores', stores), replicas: parseCount('replicas', replicas) }
}

function parseRados(text: string): { conf: string; pool: string } {
  const cut = text.lastIndexOf('/')
  const [conf, pool] = [text.slice(0, Math.max(cut, 0)), text.slice(cut + 1)]
  if (conf === '' || pool === '') {
    throw new UsageError(`--rados ${text}: expected CEPH.CONF/POOL, such as /etc/ceph/ceph.conf/blk`)
  }
  return { conf, pool }
}

function parseVolume(text: string): { name: string; size: number } {
  const [name, size, ...more] = text.split('=')
  if (!name || !size || more.length > 0) throw new UsageError(`--volume ${text}: expected NAME=SIZE`)
  return { name, size: parseSize(size) }
}

function parseSize(text: string): number {
  const match = /^(\d+)([KMGT]?)$/.exec(text)
  if (match === null) throw new UsageError(`size "${text}": expected bytes, or a number with K, M, G or T`)
  return Number(match[1]) * 1024 ** ' KMGT'.indexOf(match[2] || ' ')
}

function parseCount(name: string, text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1 || count > 64) {
    throw new UsageError(`--${name} ${text}: expected a whole number from 1 to 64`)
  }
  return count
}

function fail(error: Error): void {
  const usage = error instanceof UsageError
  process.stderr.write(usage ? `${error.message}\n\n${USAGE}` : `blockstore: ${error.message}\n`)
  process.exitCode = usage ? 2 : 1
}

main(process.argv.slice(2)).catch(fail)
