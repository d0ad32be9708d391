// bench/chain/build.mjs: the block store in three forms, each bundled into one file with its call sites static, as docs/static.md has it:
//   none   without tracing code     store   as it stands     steps   with the annotations of path.mjs besides
// bench/chain/servers.mjs starts them.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build } from 'esbuild'
import blkin from '../../dist/transform/esbuild.mjs'
import { root } from '../../scripts/lib/run.mjs'
import { path } from './path.mjs'
import { stepsSource, strip, weave } from './weave.mjs'

const made = join(root, 'examples/blockstore/dist')
const home = join(root, 'build/chain/forms')

/** @returns {Promise<Record<'none' | 'store' | 'steps', string>>} the file of each to start */
export async function buildForms() {
  rmSync(home, { recursive: true, force: true })
  const steps = []
  write('steps', (name, code) => {
    const woven = weave(
      name,
      code,
      path.filter(({ file }) => file === name),
    )
    steps.push(...woven.steps)
    return woven.code
  })
  writeFileSync(join(home, 'steps/steps.js'), stepsSource(steps))
  write('none', (_, code) => strip(code).code)
  const stand = join(root, 'bench/chain/untraced.mjs')
  const files = {
    none: await bundle('none', join(home, 'none/main.js'), { alias: { blkin: stand } }),
    store: await bundle('store', join(made, 'main.js'), { external: ['blkin'], plugins: [blkin()] }),
    steps: await bundle('steps', join(home, 'steps/main.js'), { external: ['blkin'], plugins: [blkin()] }),
  }
  checkCalls(files, steps.length)
  return files
}

/** A folder with each module of the store, changed. */
function write(form, change) {
  mkdirSync(join(home, form), { recursive: true })
  for (const file of readdirSync(made).filter((name) => name.endsWith('.js'))) {
    const code = readFileSync(join(made, file), 'utf8').replace(/^\/\/# sourceMappingURL.*$/m, '')
    writeFileSync(join(home, form, file), change(basename(file, '.js'), code))
  }
}

/** In a folder of its own: the store's processes start `main.js` that lies beside them. */
async function bundle(form, entry, { external = [], ...options }) {
  const outfile = join(home, `${form}-bundle/main.js`)
  await build({
    ...{ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20' },
    ...{ external: ['koffi', ...external], logLevel: 'error', ...options },
  })
  return outfile
}

/** Each tracepoint's test stands where it is called, and where there is to be none there is none. */
function checkCalls({ none, store, steps }, woven) {
  const callsIn = (file) => readFileSync(file, 'utf8').match(/globalThis\["blkin:[^"]+"\]/g)?.length ?? 0
  const [without, own, all] = [none, store, steps].map(callsIn)
  if (without > 0 || /\b(?:blk|obj)\.\w+\(/.test(readFileSync(none, 'utf8')))
    throw new Error(`chain: ${none} still calls tracepoints`)
  if (own === 0 || all !== own + woven)
    throw new Error(`chain: ${steps} has ${all} static calls; expected ${own} and ${woven}`)
}
