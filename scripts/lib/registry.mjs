// scripts/lib/registry.mjs: an npm registry on loopback that has our two packages, as they would be published, and what they depend
// on, as package-lock.json has it. Of other platforms' binaries, and of what a test does not run, it has names and versions alone.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { npmTarballs } from './npm-packages.mjs'
import { mustRun, root } from './run.mjs'

/**
 * @param {string[]} ours tarballs
 * @param {RegExp} empty names of packages that nobody is going to run
 * @returns {Promise<{ url: string, close(): void }>}
 */
export async function startRegistry(ours, empty) {
  const all = dependencies()
  const whole = all.filter((each) => isForHere(each) && !empty.test(each.name))
  const tarballs = [...ours, ...(await npmTarballs(whole.map(({ name, version }) => `${name}@${version}`)))]
  const releases = await Promise.all(
    tarballs.map(async (file) => ({ manifest: await manifestOf(file), tarball: readFileSync(file) })),
  )
  for (const { name, version, os, cpu, libc } of all.filter((each) => !whole.includes(each))) {
    const manifest = { name, version, os, cpu, libc }
    releases.push({ manifest, tarball: await emptyTarball(manifest) })
  }

  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '')
    const tarball = releases.find(({ manifest }) => path === tarballPath(manifest))?.tarball
    if (tarball) return response.end(tarball)
    const versions = releases.filter(({ manifest }) => path === `/${manifest.name}`)
    if (versions.length === 0) return response.writeHead(404).end('{}')
    response.setHeader('content-type', 'application/json').end(JSON.stringify(packument(url, versions)))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${server.address().port}`
  return {
    url,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

const tarballPath = ({ name, version }) => `/${name}/-/${name.split('/').at(-1)}-${version}.tgz`

/** See docs.npmjs.com, "package metadata": what installers read of it. */
function packument(url, releases) {
  const versions = releases.map(({ manifest, tarball }) => {
    const digest = (algorithm, encoding) => createHash(algorithm).update(tarball).digest(encoding)
    const dist = {
      tarball: `${url}${tarballPath(manifest)}`,
      integrity: `sha512-${digest('sha512', 'base64')}`,
      shasum: digest('sha1', 'hex'),
    }
    const { preinstall, install, postinstall } = manifest.scripts ?? {}
    const scripted = (preinstall ?? install ?? postinstall) !== undefined
    return { ...manifest, dist, ...(scripted && { hasInstallScript: true }) }
  })
  const latest = versions.at(-1)
  return {
    name: latest.name,
    'dist-tags': { latest: latest.version },
    versions: Object.fromEntries(versions.map((each) => [each.version, each])),
    time: Object.fromEntries(versions.map((each) => [each.version, '2026-01-01T00:00:00.000Z'])),
  }
}

/** Of both packages, from the lockfile. */
function dependencies() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  return Object.entries(packages)
    .filter(([path, { dev, link }]) => path.includes('node_modules/') && !dev && !link)
    .map(([path, entry]) => ({ name: path.split('node_modules/').at(-1), ...entry }))
}

/** Of what is installed on this platform. */
export const dependencySpecs = () =>
  dependencies()
    .filter(isForHere)
    .map(({ name, version }) => `${name}@${version}`)

const isForHere = ({ os = [process.platform], cpu = [process.arch], libc = ['glibc'] }) =>
  os.includes(process.platform) && cpu.includes(process.arch) && libc.includes('glibc')

const manifestOf = async (file) => JSON.parse(await mustRun('tar', ['-xzOf', file, 'package/package.json']))

async function emptyTarball(manifest) {
  const folder = mkdtempSync(join(tmpdir(), 'blkin-empty-'))
  try {
    mkdirSync(join(folder, 'package'))
    writeFileSync(join(folder, 'package/package.json'), JSON.stringify(manifest))
    await mustRun('tar', ['-czf', join(folder, 'empty.tgz'), '-C', folder, 'package'])
    return readFileSync(join(folder, 'empty.tgz'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
