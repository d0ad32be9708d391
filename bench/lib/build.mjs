// bench/lib/build.mjs: builds what bench/CMakeLists.txt describes into build/bench. Only what changed is compiled.
import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { mustRun, root, run } from '../../scripts/lib/run.mjs'

const { include_dir } = createRequire(import.meta.url)('node-api-headers')
const out = 'build/bench'

/** Paths of what was built; `lttng` only where LTTng-UST's headers are. */
export async function build() {
  const configure = ['-S', 'bench', '-B', out, `-DNODE_API_INCLUDE=${include_dir}`]
  if ((await run('cmake', configure)).code !== 0) {
    rmSync(join(root, out), { recursive: true, force: true }) // configured elsewhere, or by another CMake
    await mustRun('cmake', configure)
  }
  await mustRun('cmake', ['--build', out])
  const cache = await mustRun('cmake', ['-L', '-N', '-B', out])
  const compiler = await mustRun('c++', ['--version'])
  return {
    floor: join(root, out, 'floor.node'),
    pack: join(root, out, 'pack'),
    ring: join(root, out, 'ring-stalls'),
    flags: /CMAKE_BUILD_TYPE\S*=(\w+)/.exec(cache)?.[1] ?? '',
    compiler: compiler.split('\n')[0],
  }
}
