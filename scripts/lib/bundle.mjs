// scripts/lib/bundle.mjs: what @blkin/relay carries so that it needs no package for it: the part of Thrift's runtime that it uses, and
// its public types in one file.
import { readFileSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import commonjs from '@rollup/plugin-commonjs'
import nodeResolve from '@rollup/plugin-node-resolve'
import { rollup } from 'rollup'
import { dts } from 'rollup-plugin-dts'
import { root } from './run.mjs'

const builtin = (id) => id.startsWith('node:') || builtinModules.includes(id)

/** relay/gen/runtime.js, which the generated code requires; its licences stand beside it. */
export async function bundleThrift() {
  const plugins = [
    nodeResolve({ exportConditions: ['node'], preferBuiltins: true }),
    commonjs(),
    quietBuffers,
  ]
  const options = { input: 'scripts/lib/thrift-runtime.cjs', plugins, external: builtin }
  await bundle(options, 'relay/gen/runtime.js', { format: 'cjs', intro: makeBuffer })
  const licences = ['thrift/LICENSE', 'node-int64/LICENSE', 'uuid/LICENSE.md'].map(
    (file) =>
      `runtime.js holds parts of ${file.split('/')[0]}:\n\n${readFileSync(join(root, 'node_modules', file), 'utf8')}`,
  )
  writeFileSync(join(root, 'relay/gen/runtime.LICENSE'), licences.join('\n\n'))
}

// `new Buffer` is deprecated, which Node tells of files outside node_modules: here, and in programs that are bundled.
const makeBuffer =
  "const makeBuffer = (of, encoding) => (typeof of === 'number' ? Buffer.alloc(of) : Buffer.from(of, encoding))"
const quietBuffers = {
  name: 'quiet-buffers',
  transform: (code) => ({ code: code.replaceAll('new Buffer(', 'makeBuffer('), map: null }),
}

/** relay/types/index.d.ts. tsc's own files name the types of packages that are there for building only. */
export async function bundleTypes() {
  const isOurs = (id) => /^[./]/.test(id) && !id.includes('/gen/')
  const options = { input: 'relay/dist/index.d.ts', plugins: [dts()], external: (id) => !isOurs(id) }
  const { imports } = await bundle(options, 'relay/types/index.d.ts', { format: 'es' })
  const foreign = imports.filter((id) => !builtin(id))
  if (foreign.length > 0)
    throw new Error(`relay/types/index.d.ts: a public type is made of ${foreign.join(', ')}`)
}

async function bundle(options, file, output) {
  const onLog = (level, log) => {
    if (log.code === 'CIRCULAR_DEPENDENCY') return // of Thrift's modules, which load in any order
    throw new Error(`${file}: ${level}: ${log.message}`)
  }
  const made = await rollup({ ...options, input: join(root, options.input), onLog })
  const written = await made.write({ file: join(root, file), exports: 'auto', ...output })
  await made.close()
  return written.output[0]
}
