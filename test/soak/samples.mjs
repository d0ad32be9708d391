// test/soak/samples.mjs: what is measured while the soak runs: processes as the kernel shows them, /dev/shm, and relays' folders.
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

/** Of all traced processes of this user. */
export const userFolder = `/dev/shm/blkin-${process.geteuid()}`

/** The folders of traced processes, dead ones too. */
export function processFolders() {
  const names = existsSync(userFolder) ? readdirSync(userFolder) : []
  return names
    .filter((name) => /^\d+-\d+$/.test(name))
    .map((name) => ({ path: join(userFolder, name), pid: Number.parseInt(name, 10) }))
}

const statusOf = (pid, name) =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1])

export const processNow = (pid) => ({
  rss: statusOf(pid, 'VmRSS') * 1024,
  threads: statusOf(pid, 'Threads'),
  descriptors: readdirSync(`/proc/${pid}/fd`).length,
})

/** Bytes and folders below a path; what goes meanwhile is not counted. */
function below(path) {
  const found = { bytes: 0, folders: 0 }
  const walk = (at) => {
    const status = statSync(at, { throwIfNoEntry: false })
    if (status === undefined) return
    found.bytes += status.blocks * 512
    if (!status.isDirectory()) return
    found.folders++
    for (const name of namesIn(at)) walk(join(at, name))
  }
  walk(path)
  return found
}

/** None where it has gone. */
export function namesIn(path) {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

export const sharedMemoryNow = () => below('/dev/shm')

/**
 * Of the traces of programs that ended: those of a process that runs on the relay's machine stay, those of its closed sessions too, and
 * what spans take is the store's, which has limits of its own.
 */
export function outputNow(output) {
  const traces = namesIn(output).filter(
    (name) => !name.startsWith('stays-') && existsSync(join(output, name, 'metadata')),
  )
  return {
    bytes: traces.reduce((all, name) => all + below(join(output, name)).bytes, 0),
    folders: traces.length,
  }
}

/** What a relay answers, by a connection of its own: one that is kept may end as it is used. */
export async function askRelay(http, path) {
  const [response] = await once(get(`http://${http}${path}`, { agent: false }), 'response')
  const body = await text(response)
  if (response.statusCode !== 200) throw new Error(`${path}: ${response.statusCode} ${body}`)
  return body
}

/** The relay's own word for its heap. */
export async function heapOf(http) {
  return Number(/^nodejs_heap_size_used_bytes (\S+)/m.exec(await askRelay(http, '/metrics'))[1])
}
