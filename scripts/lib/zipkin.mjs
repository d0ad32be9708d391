// scripts/lib/zipkin.mjs: a real Zipkin server, for tests and the demo: found or fetched, started and ended. Needs Java 17, and
// Maven's cache or Maven to fill it. It collects by HTTP and by Scribe, and keeps all in memory.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './ports.mjs'
import { startServer } from './server.mjs'

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
  const url = `http://127.0.0.1:${port}`
  const stop = await startServer(
    'zipkin-server',
    ['java', '-Xmx512m', '-XX:TieredStopAtLevel=1', '-jar', jar],
    {
      ...{ env, health: `${url}/health`, patienceMs: PATIENCE_MS },
      isUp: ({ ok }) => ok,
    },
  )
  return {
    url,
    port,
    scribePort,
    /** Where its Scribe collector listens. */
    scribe: `127.0.0.1:${scribePort}`,
    stop,
  }
}
