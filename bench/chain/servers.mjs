// bench/chain/servers.mjs: a block store in one of the states of states.mjs, with whoever takes its events: started, looked at while it
// works, ended, and asked what was recorded. bench/chain/measure.mjs keeps one of each and lets them take turns.
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { firstLine, startStore } from '../../scripts/lib/demo-store.mjs'
import { mustRun, root, spawnBound } from '../../scripts/lib/run.mjs'
import { threadTimes } from '../lib/threads.mjs'

const blkin = join(root, 'dist/cli/main.js')
const volume = 'disk=64M'

/** Nothing that the shell exports decides what is traced. */
const exported = Object.keys(process.env).filter((name) => name.startsWith('BLKIN_'))
const unset = Object.fromEntries(exported.map((name) => [name, '']))

/** Milliseconds between two looks, and at most until all is settled. */
const settlingStep = 100
const mostSettling = 10_000
/** Of one processor: what an idle relay and three idle stores use. */
const idleShare = 0.03

export class Server {
  #folder
  #node
  #relay
  #store
  /** Name to pids, of all whose time counts. */
  processes = {}

  /**
   * @param {object} state one of states.mjs
   * @param {{ node: string, forms: object, folder: string, objects: string[] }} where `objects`: options that say where the objects lie
   */
  static async start(state, where) {
    const server = new Server(state, where)
    try {
      await server.#start(where)
      return server
    } catch (error) {
      server.kill()
      throw error
    }
  }

  constructor(state, { node, folder }) {
    this.state = state
    this.#node = node
    this.#folder = join(folder, state.id)
  }

  async #start({ forms, objects }) {
    const { form, events = [], by, share } = this.state
    await rm(this.#folder, { recursive: true, force: true })
    await mkdir(this.#folder, { recursive: true })
    const env = { ...unset }
    if (by === 'relay') {
      env.BLKIN_RELAY = await this.#startRelay()
      env.BLKIN_ENABLE = events.join(',')
      if (share > 1) env.BLKIN_TRACE_SAMPLE = `1/${share}`
    }
    const patterns = events.flatMap((pattern) => ['-e', pattern])
    const output = ['-o', join(this.#folder, 'trace')]
    const record = [blkin, 'record', '--json', ...output, ...patterns, '--', this.#node]
    const options = ['--dir', join(this.#folder, 'data'), ...objects, '--volume', volume]
    const how = { node: this.#node, main: forms[form], stderr: 'pipe' }
    this.#store = { ...(await startStore(by === 'record' ? record : [], options, env, how)), said: '' }
    this.#store.child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#store.said += text
    })
    this.uri = `${this.#store.uri}/disk`
    this.#findProcesses()
    if (by === 'memory') await this.#flight('--mode', 'overwrite')
  }

  /** As somebody would who asks for spans too. @returns its address */
  async #startRelay() {
    const where = ['--listen', '127.0.0.1:0', '--http', '127.0.0.1:0', '-o', join(this.#folder, 'traces')]
    const options = { cwd: root, env: { ...process.env, ...unset }, stdio: ['ignore', 'pipe', 'ignore'] }
    const child = spawnBound(this.#node, [blkin, 'relay', '--json', ...where], options)
    const lines = []
    this.#relay = { child, ended: once(child, 'exit'), lines }
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
    return JSON.parse(await firstLine(child)).listening
  }

  /** A session in each process that has no relay, or gets one and hands over what it kept. */
  async #flight(...flags) {
    for (const pid of [...this.processes['block server'], ...this.processes.stores]) {
      const enable = ['enable', ...this.state.events, '--session', 'flight', ...flags, '-p', String(pid)]
      await mustRun(this.#node, [blkin, ...enable], { env: unset })
    }
  }

  #findProcesses() {
    const under = childrenByParent()
    const below = (pid) => under.get(pid) ?? []
    const started = this.#store.child.pid
    const isRecorded = this.state.by === 'record'
    const server = isRecorded ? below(started) : [started]
    const relay = isRecorded ? started : this.#relay?.child.pid
    if (relay !== undefined) this.processes.relay = [relay]
    this.processes['block server'] = server
    this.processes.stores = server.flatMap(below)
  }

  /** Of each thread, so far: { process, tid, thread, ran, wakeups }. */
  look() {
    return Object.entries(this.processes).flatMap(([process, pids]) =>
      pids.flatMap((pid) =>
        [...threadTimes(pid)].map(([tid, { name, ran, wakeups }]) => ({
          ...{ process, tid, thread: name, ran, wakeups },
        })),
      ),
    )
  }

  /**
   * Until all that was written is worked up: what a slice began shall not be done while another is measured.
   * @returns seconds that it took
   */
  async settle() {
    const start = performance.now()
    const ranAll = () => this.look().reduce((sum, { ran }) => sum + ran, 0)
    for (let before = ranAll(); performance.now() - start < mostSettling; ) {
      await sleep(settlingStep)
      const now = ranAll()
      if (now - before < (settlingStep / 1000) * idleShare) break
      before = now
    }
    return (performance.now() - start - settlingStep) / 1000
  }

  /** Ends all in order. @returns what was recorded and what was lost, as who took it says; undefined where nobody did */
  async stop() {
    const { by } = this.state
    if (by === 'memory') await this.#flight('--to', await this.#startRelay())
    await this.#endStore()
    if (by === 'record') return JSON.parse(this.#store.said.trim().split('\n').at(-1))
    return this.#relay && (await this.#endRelay())
  }

  /** Ends what is left of it when something failed; nothing where all has ended. */
  kill() {
    this.#store?.child.kill()
    this.#relay?.child.kill()
  }

  async #endStore() {
    const { child, ended } = this.#store
    child.kill('SIGTERM')
    const [code] = await ended
    if (code !== 0) throw new Error(`chain: ${this.state.id}: it exited with ${code}\n${this.#store.said}`)
  }

  /** @returns its last words */
  async #endRelay() {
    const { child, ended, lines } = this.#relay
    child.kill('SIGTERM')
    await ended
    return JSON.parse(lines.at(-1))
  }
}

function childrenByParent() {
  const found = new Map()
  for (const name of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
      found.set(parent, [...(found.get(parent) ?? []), Number(name)])
    } catch {} // one that ended meanwhile
  }
  return found
}
