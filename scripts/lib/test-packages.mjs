// scripts/lib/test-packages.mjs: packages of others that tests install, install with and compile with; the set-up fetches them.
import { compilers } from './compilers.mjs'
import { haveTarballs, npmTarballs } from './npm-packages.mjs'
import { packageManagers } from './package-managers.mjs'
import { dependencySpecs } from './registry.mjs'

const all = () => [
  ...packageManagers.map(({ spec }) => spec),
  ...compilers.flatMap(({ typescript, types }) => [typescript, ...types]),
  ...dependencySpecs(),
]

export const hasTestPackages = () => haveTarballs(all())

/** Why they are not here, or undefined where they are. Fetches those that are missing. */
export async function whyNoTestPackages() {
  try {
    await npmTarballs(all())
  } catch (error) {
    return `packages to install with cannot be fetched: ${error.message}`
  }
}
