// lib/cli/process/find.ts: this user's traced processes: each has a folder BASE/blkin-UID/PID-START[-N] with the socket `control`
// in it. Whether one lives is asked at its socket: nobody listens there once it is dead, whoever has its pid by then.
// Every verb that acts on processes of this machine comes through here; docs/control.md draws the folder. A folder that
// somebody else made there is told and left alone, since what a process is told may be secret.
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { ConnectionError, Control, ProcessState, Refusal } from '@blkin/relay'
import { userFolders } from '../../user-folder.js'
import { compileGlob } from '../names/glob.js'
import { nearest } from '../names/nearest.js'
import { exitCodes, NothingError } from '../options/exit.js'
import { note } from '../print/print.js'
import { processText, visible } from '../print/visible.js'
import { isDead } from '../relay/dead-socket.js'
import { loadRelay } from '../relay/load-relay.js'

export interface Target {
  folder: string
  control: Control
  state: ProcessState
}

export const isPid = (target: string | undefined): target is string =>
  target !== undefined && /^\d+$/.test(target)

/** A process that answers nothing is told, and does not keep the verb from the others. */
const timeoutMs = 2000

/** Folders of those: told once, and not asked again by this command. */
const silent = new Set<string>()

const uid = (): number => process.geteuid?.() ?? 0

const distrusted = new Set<string>()

/** As inOwnFolder() of the relay; a folder that is not this user's alone is told, once, and as if it were not there. */
async function inTrusted<T>(
  folder: string,
  work: (at: string) => Promise<T>,
  shown = folder,
): Promise<T | undefined> {
  const { FolderError, inOwnFolder } = await loadRelay()
  try {
    return await inOwnFolder(folder, work, shown)
  } catch (error) {
    if (!(error instanceof FolderError)) throw error
    if (!distrusted.has(shown)) note(`left alone: ${error.message}`)
    distrusted.add(shown)
    return undefined
  }
}

async function folders(target: string | undefined): Promise<string[]> {
  const found = await Promise.all(
    userFolders().map(async (base) => {
      const names = (await inTrusted(base, (at) => readdir(at))) ?? []
      return names
        .map((name) => ({ folder: join(base, name), pid: /^(\d+)-\d+(?:-\d+)?$/.exec(name)?.[1] }))
        .filter(({ pid }) => pid !== undefined && (target === undefined || !isPid(target) || pid === target))
        .map(({ folder }) => folder)
        .filter((folder) => !silent.has(folder))
    }),
  )
  return found.flat()
}

const connect = (folder: string): Promise<Target | undefined> =>
  inTrusted(dirname(folder), (user) =>
    inTrusted(join(user, basename(folder)), (at) => connectIn(join(at, 'control'), folder), folder),
  )

async function connectIn(socket: string, folder: string): Promise<Target | undefined> {
  const { connectControl } = await loadRelay()
  let control: Control | undefined
  try {
    control = await connectControl(socket, join(folder, 'control'))
    return { folder, control, state: await answered(control.process(), folder) }
  } catch (error) {
    control?.close()
    const why = await whySilent(socket, folder, error as Error)
    if (why === undefined) return undefined
    note(why)
    silent.add(folder)
    return undefined
  }
}

/** Undefined where it is dead: nobody listens there, be it only since a moment ago. */
async function whySilent(
  socket: string,
  folder: string,
  error: ConnectionError | Refusal | Error,
): Promise<string | undefined> {
  if (!('code' in error)) return error.message // answered() says whose it is
  if (error.code === 'ERR_BLKIN_AWAY' && (await isDead(socket))) return undefined
  const pid = pidOf(folder)
  const name = visible((await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '?')).trim())
  return error.code === 'ERR_BLKIN_AWAY'
    ? `${pid} (${name}) took no connection (it may have 16 controllers already)`
    : `${pid} (${name}): ${error.message}`
}

const pidOf = (folder: string): string => basename(folder).replace(/-.*/, '')

function answered<T>(call: Promise<T>, folder: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const pid = pidOf(folder)
  const words = `process ${pid} did not answer within ${timeoutMs} ms; it may be stopped (${folder})`
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(words)), timeoutMs)
  })
  return Promise.race([call, late]).finally(() => clearTimeout(timer))
}

/** All that answer, oldest first; none where there are none. Whoever calls closes their `control`. */
export async function findProcesses(target?: string): Promise<Target[]> {
  const found = await ask(target)
  // What a silent one is called nobody knows, so where a name is asked for it may be none of those.
  if (silent.size > 0 && (target === undefined || isPid(target))) process.exitCode = exitCodes.failed
  return found
}

async function ask(target: string | undefined): Promise<Target[]> {
  const named = target === undefined || isPid(target) ? () => true : compileGlob(target)
  const found = (await Promise.all((await folders(target)).map(connect))).filter((one) => one !== undefined)
  const [wanted, others] = [
    found.filter((one) => named(one.state.program)),
    found.filter((one) => !named(one.state.program)),
  ]
  for (const { control } of others) control.close()
  return wanted.sort((a, b) => Number(a.state.startedAt - b.state.startedAt) || a.state.pid - b.state.pid)
}

/** One at least. @throws NothingError that says what is there instead, or Error where one may be and does not answer. */
export async function requireProcesses(target?: string): Promise<Target[]> {
  const found = await findProcesses(target)
  if (found.length > 0) return found
  const maybe = silent.size > 0 // before others are looked for, to be named
  const why = await whyNone(target)
  throw maybe ? new Error(why) : new NothingError(why)
}

/** Runs the work on them and lets them go. */
export async function withProcesses<T>(
  target: string | undefined,
  work: (targets: Target[]) => Promise<T>,
): Promise<T> {
  return using(await requireProcesses(target), work)
}

/** Runs the work on processes that were found, and lets them go. */
export async function using<T>(targets: Target[], work: (targets: Target[]) => Promise<T>): Promise<T> {
  try {
    return await work(targets)
  } finally {
    for (const { control } of targets) control.close()
  }
}

const mostListed = 10

/** "4711 (server), 4712 (worker)", and how many more there are. */
export function listed(targets: readonly Pick<Target, 'state'>[]): string {
  const names = targets.slice(0, mostListed).map(({ state }) => processText(state))
  const more = targets.length - names.length
  return names.join(', ') + (more > 0 ? `, and ${more} more` : '')
}

export async function whyNone(target?: string): Promise<string> {
  const all = target === undefined ? [] : await ask(undefined)
  for (const { control } of all) control.close()
  const there =
    all.length === 0
      ? `you have no traced process running${silent.size > 0 ? ' that answers' : ''}`
      : `yours are ${listed(all)}`
  if (target === undefined)
    return `${there}; a program is traced once it has declared a tracepoint with blkin`
  if (!isPid(target)) {
    const names = nearest(
      target,
      all.map(({ state }) => state.program),
    )
    return `no traced process is named ${JSON.stringify(target)}; ${names.length > 0 ? `nearest: ${visible(names.join(', '))}` : there}`
  }
  if ([...silent].some((folder) => basename(folder).startsWith(`${target}-`)))
    return `process ${target} is traced, but takes no orders now; ${there}`
  const owner = await stat(`/proc/${target}`).catch(() => undefined)
  if (owner === undefined) return `there is no process ${target}; ${there}`
  const name = visible((await readFile(`/proc/${target}/comm`, 'utf8').catch(() => '')).trim())
  if (owner.uid !== uid())
    return `process ${target} (${name}) is another user's (uid ${owner.uid}), and you are uid ${uid()}; a process takes orders from its own user only: sudo -u '#${owner.uid}' blkin ...`
  return `process ${target} (${name}) is not traced: it has declared no tracepoint with blkin, or its addon did not load; ${there}`
}
