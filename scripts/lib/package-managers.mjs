// scripts/lib/package-managers.mjs: the package managers that people install with, and how each is asked for the same things. All come
// as npm packages and are run by the running Node.
import { join } from 'node:path'
import { npmPackage } from './npm-packages.mjs'

/**
 * @typedef {object} PackageManager
 * @property {string} name
 * @property {string} spec of its npm package
 * @property {string} script its command, within that
 * @property {string[]} add packages, to a folder with a package.json
 * @property {string[]} frozen what the lockfile says, and nothing else
 * @property {string[]} lean for `frozen`: no scripts, and no optional packages
 * @property {string[]} rebuild what has to be built
 * @property {string[]} blkin that command, with the arguments that follow
 * @property {Record<string, string>} [files] that tell it more
 * @property {true} [rarely] where time is short another stands for it
 */

const npm = {
  script: 'bin/npm-cli.js',
  add: ['install'],
  frozen: ['ci'],
  lean: ['--ignore-scripts', '--omit=optional'],
  rebuild: ['rebuild'],
  blkin: ['exec', '--', 'blkin'],
}
const yarn4 = {
  spec: '@yarnpkg/cli-dist@4.18.1',
  script: 'bin/yarn.js',
  add: ['add'],
  frozen: ['install', '--immutable'],
  lean: ['--mode=skip-build'],
  rebuild: ['rebuild'],
  blkin: ['run', 'blkin'],
}
/** @type {PackageManager[]} */
export const packageManagers = [
  { ...npm, name: 'npm 10', spec: 'npm@10.9.9', rarely: true },
  { ...npm, name: 'npm 11', spec: 'npm@11.21.2' },
  {
    name: 'pnpm',
    spec: 'pnpm@10.34.9',
    script: 'bin/pnpm.cjs',
    add: ['add'],
    frozen: ['install', '--frozen-lockfile'],
    lean: ['--ignore-scripts', '--no-optional'],
    rebuild: ['rebuild'],
    blkin: ['exec', 'blkin'],
  },
  {
    name: 'yarn 1',
    spec: 'yarn@1.22.22',
    script: 'bin/yarn.js',
    add: ['add'],
    frozen: ['install', '--frozen-lockfile'],
    lean: ['--ignore-scripts', '--ignore-optional'],
    rebuild: ['install', '--force'],
    blkin: ['--silent', 'run', 'blkin', '--'], // it takes one -- away, and all that stands before it
  },
  {
    ...{ ...yarn4, name: 'yarn 4, node_modules', rarely: true },
    files: { '.yarnrc.yml': 'nodeLinker: node-modules\n', 'yarn.lock': '' },
  },
  {
    ...{ ...yarn4, name: "yarn 4, Plug'n'Play" },
    files: { '.yarnrc.yml': 'nodeLinker: pnp\n', 'yarn.lock': '' },
  },
]

/** @param {PackageManager} manager */
export const commandOf = async ({ spec, script }) => join(await npmPackage(spec), script)
