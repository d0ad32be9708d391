// test/soak/account.mjs: emitted = recorded + lost, for each session of each program that ever lived: what the programs counted in their
// files against what is in the traces, read as anybody would. Counts each session once, when nothing more can come, and before the
// relay's retention takes its trace away.
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readTrace } from '@blkin/relay'
import { namesIn, processFolders } from './samples.mjs'

/** What a process that has ended may still leave in /dev/shm: a relay looks every two seconds, and may be away. */
const leftMs = 240_000

/** What is in a folder that was left, for the message. */
const filesIn = (path) => readdirSync(path, { recursive: true }).join(' ')

const sum = (list) => list.reduce((all, one) => all + one, 0)

/** What the threads of a session counted: done for certain, and begun. */
function emittedIn(file) {
  const bytes = readFileSync(file)
  const words = Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32LE(i * 4))
  return { done: sum(words.filter((_, i) => i % 2 === 1)), begun: sum(words.filter((_, i) => i % 2 === 0)) }
}

/** The traces of a program, of a session where one is named; a session that was changed has several. */
export function tracesOf(output, program, session) {
  return readdirSync(output)
    .filter((name) => name.startsWith(`${program}-`))
    .map((name) => join(output, name))
    .filter((folder) => {
      const metadata = readFileSync(join(folder, 'metadata'), 'utf8')
      return session === undefined || metadata.includes(`blkin_session = "${session}"`)
    })
}

export async function recordedIn(folders) {
  const counts = { recorded: 0, lost: 0 }
  for (const folder of folders)
    for await (const item of readTrace(folder))
      if (item.kind === 'event') counts.recorded++
      else counts.lost += Number(item.events)
  return counts
}

export class Account {
  totals = { programs: 0, sessions: 0, emitted: 0, recorded: 0, lost: 0, cut: 0 }
  #counts
  #programs = new Map()

  /** @param {string} counts the folder of the programs' files */
  constructor(counts) {
    this.#counts = counts
  }

  /** @param {{ name: string, pid: number, output: string, endedAt?: number }} program endedAt: once it has ended */
  add(program) {
    this.#programs.set(program.name, program)
    this.totals.programs++
  }

  /** Counts what is over by now. @throws where an account is not exact */
  async settle() {
    const folders = processFolders()
    for (const program of this.#programs.values()) {
      const own = folders.find(({ pid }) => pid === program.pid)
      const isGone = program.endedAt !== undefined && own === undefined
      if (program.endedAt !== undefined && !isGone && Date.now() - program.endedAt > leftMs)
        throw new Error(
          `${program.name}: ended, and its folder ${own.path} is still there after ${leftMs / 1000} s: ${filesIn(own.path)}`,
        )
      await this.#settleSessions(program, own, isGone)
      if (isGone) this.#programs.delete(program.name)
    }
  }

  get left() {
    return [...this.#programs.keys()]
  }

  async #settleSessions({ name, output }, own, isGone) {
    const turns = readdirSync(this.#counts)
      .filter((file) => file.startsWith(`${name}.`))
      .map((file) => Number(file.slice(file.lastIndexOf('-') + 1)))
      .sort((a, b) => a - b)
    for (const turn of isGone ? turns : turns.slice(0, -1)) {
      const session = `turn-${turn}`
      // While a session lives, or waits to be delivered, it has a folder; a changed one's older form has one beside it.
      const isThere = own && namesIn(own.path).some((one) => one === session || one.startsWith(`${session}~`))
      if (!isThere) await this.#settleSession(name, output, session)
    }
  }

  async #settleSession(name, output, session) {
    const file = join(this.#counts, `${name}.${session}`)
    const { done, begun } = emittedIn(file)
    const traces = tracesOf(output, name, session)
    const { recorded, lost } = await recordedIn(traces)
    if (recorded + lost < done || recorded + lost > begun)
      throw new Error(
        `${name} ${session}: ${done === begun ? done : `${done} to ${begun}`} emitted, ${recorded} recorded, ${lost} lost, in ${traces.length} traces`,
      )
    this.totals.sessions++
    this.totals.emitted += recorded + lost
    this.totals.recorded += recorded
    this.totals.lost += lost
    this.totals.cut += begun - done
    rmSync(file)
  }
}
