// scripts/lib/ceph.mjs: a real RADOS cluster on this machine, for tests and the demo: one monitor, object servers (OSDs)
// that keep all in memory, no authentication, one pool. All its files lie in one folder, all its processes end
// with this one.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { missingPackages } from './debian.mjs'
import { freePort } from './ports.mjs'
import { mustRun, spawnBound } from './run.mjs'

export const cephPackages = ['ceph-mon', 'ceph-osd', 'ceph-base', 'ceph-common', 'librados2']

/** What is missing for one, or undefined. */
export function whyNoCeph() {
  const missing = missingPackages(cephPackages)
  return missing.length === 0 ? undefined : `${missing.join(' ')} not installed`
}

const PATIENCE_MS = 60_000

/**
 * Starts a cluster whose pool `blk` keeps every object on all OSDs.
 *
 * @param {number} osds
 */
export async function startCeph(osds = 2) {
  // Short: admin sockets' paths may have 107 bytes.
  const folder = await mkdtemp(join(tmpdir(), 'ceph-'))
  const conf = join(folder, 'ceph.conf')
  const fsid = randomUUID()
  const monitor = `v2:127.0.0.1:${await freePort()}`
  /** @type {Map<string, { child: import('node:child_process').ChildProcess, ended: Promise<unknown> }>} */
  const daemons = new Map()
  const ceph = (...args) => mustRun('ceph', ['-c', conf, '--connect-timeout', '30', ...args])

  const start = (kind, id) => {
    const child = spawnBound(`ceph-${kind}`, ['-c', conf, '-i', id, '-f'], { stdio: 'ignore' })
    daemons.set(`${kind}.${id}`, { child, ended: once(child, 'exit') })
  }
  /** In order: an OSD writes its memory to its folder, and tells the monitor that it goes. */
  const stop = async (name) => {
    const daemon = daemons.get(name)
    daemons.delete(name)
    const { child, ended } = daemon
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
    child.kill('SIGTERM')
    await ended
    clearTimeout(timer)
  }
  const stopAll = async () => {
    for (const name of [...daemons.keys()].sort().reverse()) await stop(name) // OSDs before the monitor
    await rm(folder, { recursive: true, force: true })
  }

  try {
    await writeFile(conf, configuration({ folder, fsid, monitor, osds }))
    await makeMonitor({ folder, conf, fsid, monitor })
    start('mon', 'a')
    const ids = Array.from({ length: osds }, (_, id) => String(id))
    for (const id of ids) {
      const uuid = randomUUID()
      await ceph('osd', 'new', uuid)
      await mkdir(join(folder, `osd-${id}`))
      await mustRun('ceph-osd', ['-c', conf, '-i', id, '--mkfs', '--osd-uuid', uuid])
      start('osd', id)
    }
    await ceph('osd', 'pool', 'create', 'blk', '8', '--size', String(osds))
    const cluster = {
      /** For `--rados`. */
      rados: `${conf}/blk`,
      conf,
      /** Admin sockets of the OSDs. */
      sockets: ids.map((id) => join(folder, `osd.${id}.asok`)),
      startOsd: (id) => start('osd', String(id)),
      stopOsd: (id) => stop(`osd.${id}`),
      /** Stands still as if its disk did; for less than the others' patience of 6 s. */
      pauseOsd: (id) => daemons.get(`osd.${id}`).child.kill('SIGSTOP'),
      resumeOsd: (id) => daemons.get(`osd.${id}`).child.kill('SIGCONT'),
      stop: stopAll,
      /** Until the monitor knows that this many OSDs are up. */
      async up(count) {
        const deadline = Date.now() + PATIENCE_MS
        for (;;) {
          const said = await ceph('status', '--format', 'json') // with words of librados between, at times
          const { osdmap } = JSON.parse(said.split('\n').find((line) => line.startsWith('{')) ?? '{}')
          if (osdmap?.num_up_osds === count && cluster.sockets.filter(existsSync).length >= count) return
          if (Date.now() > deadline) throw new Error(`${count} OSDs are not up: ${said}`)
        }
      },
    }
    await cluster.up(osds)
    return cluster
  } catch (error) {
    await stopAll()
    throw error
  }
}

async function makeMonitor({ folder, conf, fsid, monitor }) {
  const [keyring, map] = [join(folder, 'keyring'), join(folder, 'monmap')]
  await mustRun('monmaptool', ['--create', '--fsid', fsid, '--addv', 'a', `[${monitor}]`, map])
  await mustRun('ceph-authtool', [
    '--create-keyring',
    keyring,
    '--gen-key',
    '-n',
    'mon.',
    '--cap',
    'mon',
    'allow *',
  ])
  await mustRun('ceph-mon', ['-c', conf, '-i', 'a', '--mkfs', '--monmap', map, '--keyring', keyring])
}

/** See docs.ceph.com, "Configuration reference". */
function configuration({ folder, fsid, monitor, osds }) {
  return `[global]
fsid = ${fsid}
mon host = ${monitor}
auth cluster required = none
auth service required = none
auth client required = none
run dir = ${folder}
log file = ${folder}/$name.log
admin socket = ${folder}/$name.asok
keyring = ${folder}/keyring
mon data = ${folder}/mon
osd data = ${folder}/osd-$id
osd objectstore = memstore
osd crush chooseleaf type = 0
osd pool default size = ${osds}
osd pool default min size = 1
mon allow pool size one = true
mon data avail warn = 1
mon osd report timeout = 20
osd heartbeat grace = 6
`
}
