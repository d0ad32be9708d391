// scripts/lib/pack.mjs: tarballs of our packages as `npm pack` makes them of what is built.
import { join } from 'node:path'
import { ensurePrebuilds } from '../prebuild.mjs'
import { mustRun, root } from './run.mjs'

/**
 * @param {string} into a folder
 * @returns {Promise<{ name: string, file: string, paths: string[], size: number, unpackedSize: number }[]>} blkin, @blkin/relay
 */
export async function packAll(into, say = console.log) {
  await ensurePrebuilds(say)
  const packed = []
  for (const folder of ['.', 'relay']) {
    // Not its prepack, which builds all again.
    const args = ['pack', '--json', '--silent', '--ignore-scripts', '--pack-destination', into]
    const [made] = JSON.parse(
      await mustRun('npm', args, { cwd: join(root, folder), env: { NODE_NO_WARNINGS: '1' } }),
    )
    const { name, filename, files, size, unpackedSize } = made
    packed.push({
      name,
      file: join(into, filename),
      paths: files.map(({ path }) => path),
      size,
      unpackedSize,
    })
  }
  return packed
}
