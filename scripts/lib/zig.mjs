// scripts/lib/zig.mjs: Zig's C++ compiler, which PyPI has, fetched once into .cache: clang with headers and libraries of
// each libc that we publish for, so that one machine builds for all, and each machine the same.
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './run.mjs'

const VERSION = '0.17.1'
const home = join(root, `.cache/zig-${VERSION}`)
const binary = join(home, 'ziglang/zig')

export const hasZig = () => existsSync(binary)

/** Why there is no Zig, or undefined where there is one. Fetches it where it is not here. */
export function whyNoZig() {
  if (hasZig()) return undefined
  const pip = ['-m', 'pip', 'install', '-q', '--target', home, `ziglang==${VERSION}`]
  const fetched = spawnSync('/usr/bin/python3', pip, { encoding: 'utf8', timeout: 300_000 })
  if (fetched.status === 0 && hasZig()) return undefined
  rmSync(home, { recursive: true, force: true })
  return `Zig ${VERSION} cannot be fetched by pip: ${(fetched.stderr ?? String(fetched.error)).trimEnd()}`
}

/** The compiler's command for a target, and the environment that keeps what it builds for itself in .cache. */
export const zig = {
  cxx: (triple) => [binary, 'c++', '-target', triple],
  env: { ZIG_GLOBAL_CACHE_DIR: join(root, '.cache/zig'), ZIG_LOCAL_CACHE_DIR: join(root, '.cache/zig') },
}
