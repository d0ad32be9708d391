// scripts/lib/prometheus.mjs: a real Prometheus and a real Alertmanager, for tests: Debian's, on this machine only, each in a folder
// of its own, which goes with it.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './ports.mjs'
import { startServer } from './server.mjs'

const PATIENCE_MS = 60_000

const answers = (program) => spawnSync(program, ['--version']).status === 0
export const hasPrometheus = answers('prometheus') && answers('promtool')
export const hasAlertmanager = answers('prometheus-alertmanager')

/**
 * Sends nothing on: what it knows is asked of it.
 *
 * @param {{ port?: number }} [options] port: of one that was here before
 */
export async function startAlertmanager({ port } = {}) {
  port ??= await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'blkin-alertmanager-'))
  const config = join(folder, 'alertmanager.yml')
  writeFileSync(config, 'route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n')
  const args = [
    `--config.file=${config}`,
    `--storage.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--cluster.listen-address=', // alone
  ]
  return await started('prometheus-alertmanager', args, { port, folder })
}

/**
 * @param {string} target what it scrapes, HOST:PORT
 * @param {{ token?: string }} [options] what it shows there
 */
export async function startPrometheus(target, { token } = {}) {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'blkin-prometheus-'))
  const config = join(folder, 'prometheus.yml')
  const job = {
    ...{ job_name: 'blkin', scrape_interval: '200ms', scrape_timeout: '200ms' },
    ...(token === undefined ? {} : { authorization: { credentials: token } }),
    static_configs: [{ targets: [target] }],
  }
  writeFileSync(config, JSON.stringify({ scrape_configs: [job] })) // JSON is YAML
  const args = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--enable-feature=exemplar-storage',
  ]
  return await started('prometheus', args, { port, folder })
}

async function started(program, args, { port, folder }) {
  const url = `http://127.0.0.1:${port}`
  const up = { health: `${url}/-/ready`, isUp: ({ ok }) => ok, patienceMs: PATIENCE_MS }
  const clear = () => rmSync(folder, { recursive: true, force: true })
  try {
    const end = await startServer(program, [program, ...args], up)
    const stop = async () => {
      await end()
      clear()
    }
    return { url, port, stop }
  } catch (error) {
    clear()
    throw error
  }
}
