// scripts/lib/zipkin.mjs: a real Zipkin server, for tests and the demo: found or fetched, started and ended. Needs Java 17, and
// Maven's cache or Maven to fill it. It collects by HTTP and by Scribe, and keeps all in memory.
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './ports.mjs'
import { spawnBound } from './run.mjs'

const VERSION = '3.6.1'
const PATIENCE_MS = 90_000
const jar = join(
  homedir(),
  `.m2/repository/io/zipkin/zipkin-server/${VERSION}/zipkin-server-${VERSION}-exec.jar`,
)

export const hasZipkin = () => existsSync(jar)

/** Why there is no server, or undefined where there can be one. Fetches it where it is not here. */
export function whyNoZipkin() {
  if (spawnSync('java', ['-version']).status !== 0) return 'java is not installed'
  if (hasZipkin()) return undefined
  const artifact = `-Dartifact=io.zipkin:zipkin-server:${VERSION}:jar:exec`
  const got = spawnSync('mvn', ['-q', 'dependency:get', '-Dtransitive=false', artifact], { timeout: 120_000 })
  return got.status === 0 && hasZipkin() ? undefined : `zipkin-server ${VERSION} cannot be fetched by mvn`
}

/**
 * @param {{ autocompleteKeys?: string[], port?: number, scribePort?: number }} [options] ports: of one that was here before
 */
export async function startZipkin({ autocompleteKeys = [], port, scribePort } = {}) {
  port ??= await freePort()
  scribePort ??= await freePort()
  const env = {
    ...process.env,
    QUERY_PORT: String(port),
    AUTOCOMPLETE_KEYS: autocompleteKeys.join(','),
    COLLECTOR_SCRIBE_ENABLED: 'true',
    COLLECTOR_PORT: String(scribePort),
  }
  const child = spawnBound('java', ['-Xmx512m', '-XX:TieredStopAtLevel=1', '-jar', jar], {
    env,
    stdio: 'ignore',
  })
  let over = false
  const ended = once(child, 'exit').then(() => {
    over = true
  })
  const url = `http://127.0.0.1:${port}`
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const up = await fetch(`${url}/health`).catch(() => undefined)
    if (up?.ok) break
    if (over) throw new Error(`zipkin-server ended: ${child.signalCode ?? `code ${child.exitCode}`}`)
    if (Date.now() > deadline) {
      child.kill('SIGKILL')
      throw new Error(`zipkin-server did not answer within ${PATIENCE_MS / 1000} s`)
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  return {
    url,
    port,
    scribePort,
    /** Where its Scribe collector listens. */
    scribe: `127.0.0.1:${scribePort}`,
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
