// relay/test/zipkin.ts: a real Zipkin server to compare answers with, for tests: found or fetched, started and ended.
// Needs Java 17 and Maven's cache, or Maven to fill it. Where there is none, why() says what is missing.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'

const VERSION = '3.6.1'
const jar = join(
  homedir(),
  `.m2/repository/io/zipkin/zipkin-server/${VERSION}/zipkin-server-${VERSION}-exec.jar`,
)

/** Why there is no server, or undefined where there can be one. */
export function whyNoZipkin(): string | undefined {
  if (spawnSync('java', ['-version']).status !== 0) return 'java is not installed'
  if (existsSync(jar)) return undefined
  const artifact = `-Dartifact=io.zipkin:zipkin-server:${VERSION}:jar:exec`
  const got = spawnSync('mvn', ['-q', 'dependency:get', '-Dtransitive=false', artifact], { timeout: 120_000 })
  return got.status === 0 && existsSync(jar) ? undefined : `zipkin-server ${VERSION} cannot be fetched by mvn`
}

export async function startZipkin(autocompleteKeys: string[]) {
  const [port, scribePort] = [await freePort(), await freePort()]
  const env = {
    ...process.env,
    QUERY_PORT: String(port),
    AUTOCOMPLETE_KEYS: autocompleteKeys.join(','),
    COLLECTOR_SCRIBE_ENABLED: 'true',
    COLLECTOR_PORT: String(scribePort),
  }
  const child = spawn('java', ['-Xmx512m', '-XX:TieredStopAtLevel=1', '-jar', jar], { env, stdio: 'ignore' })
  const url = `http://127.0.0.1:${port}`
  while (child.exitCode === null) {
    const up = await fetch(`${url}/health`).catch(() => undefined)
    if (up?.ok) break
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  if (child.exitCode !== null) throw new Error(`zipkin-server exited with ${child.exitCode}`)
  return {
    url,
    /** Where its Scribe collector listens. */
    scribe: `127.0.0.1:${scribePort}`,
    async stop() {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
