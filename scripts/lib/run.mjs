// scripts/lib/run.mjs: starts child processes for the scripts here. No child ever gets stdin, so
// nothing can stop to ask a question when nobody is there to answer.
import { spawn } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The repository's root; every command runs there unless told otherwise. */
export const root = fileURLToPath(new URL('../../', import.meta.url))

/** Is this module the script that node was started with? Links are followed, as import does. */
export const isMain = (meta) =>
  process.argv[1] !== undefined && meta.filename === realpathSync(process.argv[1])

/** Runs to the end whatever happens; stdout and stderr come back as one text, in the order written. */
export function run(command, args, { cwd = root, env = {}, show = false } = {}) {
  return new Promise((resolve) => {
    const stdio = show ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe']
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio })
    let output = ''
    const keep = (text) => {
      output += text
    }
    child.stdout?.setEncoding('utf8').on('data', keep)
    child.stderr?.setEncoding('utf8').on('data', keep)
    child.on('error', (error) => resolve({ code: 127, output: `${command}: ${error.message}` }))
    child.on('close', (code, signal) => resolve({ code: code ?? 1, output, signal }))
  })
}

/** Runs and insists on exit code 0; the error holds the command and the end of what it printed. */
export async function mustRun(command, args, options) {
  const { code, output, signal } = await run(command, args, options)
  if (code === 0) return output
  const said = output.trimEnd().split('\n').slice(-60).join('\n')
  throw new Error(`${[command, ...args].join(' ')}: ${signal ?? `exit code ${code}`}\n${said}`)
}

/**
 * A server for as long as this process lives: the kernel ends it with us, however we end. To be spawned from the main thread.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 */
export const spawnBound = (command, args, options) =>
  spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], options)

/** Path of a tool that came with npm install, such as node_modules/.bin/vitest. */
export const bin = (name) => `${root}node_modules/.bin/${name}`

/** 1234 -> "1.2 s" */
export const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`
