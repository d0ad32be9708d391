// scripts/lib/server.mjs: another project's server as a child of ours: started, waited for until it answers, ended.
import { once } from 'node:events'
import { spawnBound } from './run.mjs'

/**
 * @param {string} name for people
 * @param {string[]} command
 * @param {{ env?: NodeJS.ProcessEnv, health: string, isUp?: (response: Response) => boolean, patienceMs: number }} options
 *   health: the URL that is asked; isUp: whether the answer means that it is up, any does where it is not said
 * @returns {Promise<() => Promise<void>>} ends it
 */
export async function startServer(name, [program, ...args], { env, health, isUp = () => true, patienceMs }) {
  const child = spawnBound(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said = (said + text).slice(-2000)
  })
  let over = false
  const ended = once(child, 'exit').then(() => {
    over = true
  })
  const stop = async () => {
    child.kill('SIGKILL')
    await ended
  }
  const deadline = Date.now() + patienceMs
  for (;;) {
    const response = await fetch(health).catch(() => undefined)
    if (response && isUp(response)) return stop
    if (over) throw new Error(`${name} ended: ${child.signalCode ?? `code ${child.exitCode}`}\n${said}`)
    if (Date.now() > deadline) {
      await stop()
      throw new Error(`${name} did not answer within ${patienceMs / 1000} s\n${said}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
