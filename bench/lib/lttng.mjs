// bench/lib/lttng.mjs: a recording session of LTTng's own, apart from whatever else the machine traces. LTTng has one
// session daemon a user, and root's is the machine's: so root runs all this as nobody, with a home in a folder that
// goes away. The default channel: discard mode, 4 sub-buffers of 512 KiB a CPU, as `lttng enable-event -u` makes it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../../scripts/lib/run.mjs'
import { Child } from './child.mjs'

const nobody = 65534

/** Starts the daemon and a session with every event of the peer but `off`, then the peer: a program of bench/CMakeLists.txt. */
export async function startLttng(program = 'lttng') {
  const home = mkdtempSync(join(tmpdir(), 'blkin-lttng-'))
  const peer = join(home, 'peer')
  copyFileSync(join(root, 'build/bench', program), peer)
  const as = process.getuid() === 0 ? { uid: nobody, gid: nobody } : {}
  if (as.uid !== undefined) chownSync(home, nobody, nobody)
  chmodSync(peer, 0o755)
  const options = { cwd: home, ...as, env: { PATH: process.env.PATH, LTTNG_HOME: home, HOME: home } }
  const daemon = spawn('lttng-sessiond', ['--no-kernel', '--sig-parent'], { ...options, stdio: 'ignore' })
  const ended = once(daemon, 'exit')

  const lttng = async (...args) => {
    const child = spawn('lttng', args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text))
    const [code] = await once(child, 'close')
    if (code !== 0 && args[0] !== 'list')
      throw new Error(`lttng ${args.join(' ')}: exit code ${code}\n${output}`)
    return output // of list whatever its code: it answers, then fails for want of root's daemon
  }
  const removeAll = async () => {
    daemon.kill('SIGTERM')
    await ended
    rmSync(home, { recursive: true, force: true })
  }

  try {
    await untilItAnswers(() => lttng('--no-sessiond', 'list'), daemon)
    await lttng('create', 'bench', `--output=${home}/trace`)
    await lttng('enable-event', '-u', 'blkin_bench:*', '--exclude=blkin_bench:off')
    await lttng('start')
    const child = new Child(peer, [], {
      ...options,
      env: { ...options.env, LTTNG_UST_REGISTER_TIMEOUT: '5000' },
    })
    const version = /(\d+\.\d+\.\d+)/.exec(await lttng('--version'))?.[1]
    return {
      child,
      version,
      trace: join(home, 'trace'),
      /** Events that found no room, as LTTng counts them. The session is over then. */
      async discarded() {
        await child.end()
        await lttng('stop')
        const said = await lttng('list', 'bench')
        const match = /Discarded events: (\d+)/.exec(said)
        if (match === null) throw new Error(`lttng list: no count of discarded events in\n${said}`)
        return Number(match[1])
      },
      async end() {
        await child.end()
        await lttng('destroy', 'bench').catch(() => {})
        await removeAll()
      },
    }
  } catch (error) {
    await removeAll()
    throw error
  }
}

async function untilItAnswers(ask, daemon) {
  for (let tries = 1; ; tries++) {
    try {
      return await ask()
    } catch (error) {
      if (tries === 600 || daemon.exitCode !== null) throw error
      await new Promise((done) => setTimeout(done, 100))
    }
  }
}
