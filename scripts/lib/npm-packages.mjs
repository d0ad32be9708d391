// scripts/lib/npm-packages.mjs: packages of others as files in .cache/npm, each fetched once by npm itself, which knows this
// machine's registry, proxy and certificates. Tests install from these files, and ask no network.
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { mustRun, root } from './run.mjs'

const cache = join(root, '.cache/npm')
const tarballOf = (spec) => join(cache, `${spec.replace('/', '+')}.tgz`)
const folderOf = (spec) => join(cache, spec.replace('/', '+'))

/** @param {string[]} specs */
export const haveTarballs = (specs) => specs.every((spec) => existsSync(tarballOf(spec)))

/**
 * Tarballs of `name@version`, those that are not here yet fetched.
 *
 * @param {string[]} specs
 * @returns {Promise<string[]>}
 */
export async function npmTarballs(specs) {
  const missing = new Set(specs.filter((spec) => !existsSync(tarballOf(spec))))
  if (missing.size > 0) await fetchAll(missing)
  return specs.map(tarballOf)
}

async function fetchAll(specs) {
  mkdirSync(cache, { recursive: true })
  const aside = mkdtempSync(join(cache, 'fetch-'))
  try {
    const env = { NODE_NO_WARNINGS: '1' } // what it prints is JSON then, and nothing else
    const said = await mustRun('npm', ['pack', '--json', '--silent', ...specs], { cwd: aside, env })
    for (const { name, version, filename } of JSON.parse(said))
      renameSync(join(aside, filename), tarballOf(`${name}@${version}`))
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
}

/**
 * The folder that holds what is in the package, without what it depends on.
 *
 * @param {string} spec
 */
export async function npmPackage(spec) {
  const folder = folderOf(spec)
  if (existsSync(folder)) return folder
  const [tarball] = await npmTarballs([spec])
  const aside = mkdtempSync(join(cache, 'unpack-'))
  await mustRun('tar', ['-xzf', tarball, '--strip-components=1', '-C', aside])
  try {
    renameSync(aside, folder)
  } catch (error) {
    rmSync(aside, { recursive: true, force: true })
    if (!existsSync(folder)) throw error // else somebody else unpacked it meanwhile
  }
  return folder
}
