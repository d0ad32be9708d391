// test/support/published.ts: our packages in a registry of the test file's own, as they would be published, and folders in which they are
// installed from it. No user's settings and caches reach in, and nothing is left outside.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { packAll } from '../../scripts/lib/pack.mjs'
import { startRegistry } from '../../scripts/lib/registry.mjs'
import { cleanEnvironment } from './run.js'

export interface Output {
  code: number | null
  /** Both streams. */
  text: string
}

export interface Published {
  packages: Awaited<ReturnType<typeof packAll>>
  environment: NodeJS.ProcessEnv
  /** A folder with this in it, and a package.json where none is given. */
  app(files?: Record<string, string>): string
  /** A script of Node.js, or another command; to its end, whatever that is. */
  run(cwd: string, command: string[], env?: Record<string, string>): Promise<Output>
  /** The same, which must end well. */
  mustRun(cwd: string, command: string[], env?: Record<string, string>): Promise<string>
  close(): void
}

/** `empty`: what nobody is going to run, and what would make each install slow. */
export async function publish(empty: RegExp = /^$/): Promise<Published> {
  const home = mkdtempSync(join(tmpdir(), 'blkin-published-'))
  const packages = await packAll(home, () => {})
  const registry = await startRegistry(
    packages.map(({ file }) => file),
    empty,
  )
  const environment = {
    ...Object.fromEntries(Object.entries(cleanEnvironment()).filter(([name]) => !/^npm_/i.test(name))),
    HOME: home,
    npm_config_userconfig: join(home, 'npmrc'),
    npm_config_globalconfig: join(home, 'global-npmrc'),
    npm_config_registry: registry.url,
    npm_config_cache: join(home, 'npm'),
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
    XDG_DATA_HOME: join(home, 'pnpm'),
    XDG_CACHE_HOME: join(home, 'cache'),
    YARN_CACHE_FOLDER: join(home, 'yarn'),
    YARN_NPM_REGISTRY_SERVER: registry.url,
    YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
    YARN_ENABLE_TELEMETRY: '0',
    YARN_ENABLE_GLOBAL_CACHE: 'false',
    CI: '1',
  }
  let apps = 0
  const run: Published['run'] = async (cwd, [command = '', ...args], env = {}) => {
    const isScript = /\.[cm]?js$/.test(command)
    const child = spawn(isScript ? process.execPath : command, isScript ? [command, ...args] : args, {
      cwd,
      env: { ...environment, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let text = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, text }
  }
  return {
    packages,
    environment,
    run,
    async mustRun(cwd, command, env) {
      const { code, text } = await run(cwd, command, env)
      if (code !== 0) throw new Error(`${command.join(' ')} in ${cwd}: exit code ${code}\n${text}`)
      return text
    },
    app(files = {}) {
      const folder = join(home, `app-${++apps}`)
      const all = { 'package.json': '{ "name": "app", "version": "1.0.0", "private": true }\n', ...files }
      for (const [name, text] of Object.entries(all)) {
        mkdirSync(dirname(join(folder, name)), { recursive: true })
        writeFileSync(join(folder, name), text)
      }
      return folder
    },
    close() {
      registry.close()
      rmSync(home, { recursive: true, force: true })
    },
  }
}
