// scripts/lib/nodes.mjs: the other Nodes that we promise to run on, each fetched once from npm's packages of Node's own builds
// into .cache/nodes. Tests and benchmarks ask for one; who starts it is their business.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './run.mjs'

/** Major version, or the oldest release that we promise, to the release that is fetched. */
const releases = { oldest: '20.17.0', 20: '20.20.2', 22: '22.23.5', 24: '24.19.0', 26: '26.12.1' }

/** The release lines that we promise. */
export const lines = [20, 22, 24, 26]

/**
 * @param {keyof typeof releases} which
 * @param {'x64' | 'arm64'} [arch]
 */
const fileOf = (which, arch = 'x64') => join(root, `.cache/nodes/${releases[which]}-${arch}/bin/node`)

/**
 * Path of that Node, fetched where it is not here yet; undefined where it cannot be had.
 * @param {keyof typeof releases} which
 * @param {'x64' | 'arm64'} [arch]
 */
export function nodeBinary(which, arch = 'x64') {
  const file = fileOf(which, arch)
  if (existsSync(file)) return file
  const nodes = join(root, '.cache/nodes')
  mkdirSync(nodes, { recursive: true })
  const aside = mkdtempSync(join(nodes, 'fetch-'))
  try {
    const name = `node-linux-${arch}@${releases[which]}`
    const packed = spawnSync('npm', ['pack', '--silent', name], {
      cwd: aside,
      timeout: 120_000,
      encoding: 'utf8',
    })
    const tarball = packed.stdout?.trim().split('\n').at(-1)
    if (packed.status !== 0 || !tarball) return undefined
    const unpacked = spawnSync('tar', ['-xzf', tarball, 'package/bin/node'], { cwd: aside })
    if (unpacked.status !== 0) return undefined
    const home = join(nodes, `${releases[which]}-${arch}`)
    rmSync(home, { recursive: true, force: true })
    renameSync(join(aside, 'package'), home)
    return file
  } catch {
    return existsSync(file) ? file : undefined // somebody else fetched it meanwhile
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
}
