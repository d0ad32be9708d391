// scripts/finish-build.mjs: what tsc leaves undone: the CLI must be executable, and require() wants CommonJS: dist/index.cjs
// and dist/register.cjs, which share dist/tracer.cjs, and their types.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { build } from 'esbuild'
import { root } from './lib/run.mjs'

const dist = (name) => join(root, 'dist', name)

chmodSync(dist('cli/main.js'), 0o755)

/** @param {string} entry */
const commonJs = (entry, options) =>
  build({
    entryPoints: [dist(`${entry}.js`)],
    outfile: dist(`${entry}.cjs`),
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20.17',
    ...options,
  })

const sharedTracer = {
  name: 'shared tracer',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\.\/tracer\.js$/ }, () => ({ path: './tracer.cjs', external: true })),
}
/** Not by `define`, whose variable would hide from packers of files where lib/addon.ts looks. */
const ownUrl = {
  name: 'own URL',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/dist\/addon\.js$/ }, ({ path }) => ({
      contents: `import { pathToFileURL } from 'node:url'
${readFileSync(path, 'utf8').replaceAll('import.meta.url', 'pathToFileURL(__filename).href')}`,
    })),
}
await commonJs('tracer', { plugins: [ownUrl] })
await commonJs('index', { plugins: [sharedTracer] })
await commonJs('register', { plugins: [sharedTracer] })

/** The same declarations under the name that says CommonJS, and those that they import. */
function commonJsTypes(name, done = new Set()) {
  if (done.has(name)) return
  done.add(name)
  const text = readFileSync(dist(`${name}.d.ts`), 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, '')
  const imported = /(?<=["'])(\.\.?\/[^"']+)\.js(?=["'])/g
  writeFileSync(dist(`${name}.d.cts`), text.replace(imported, '$1.cjs'))
  for (const [, other] of text.matchAll(imported)) commonJsTypes(posix.join(posix.dirname(name), other), done)
}
commonJsTypes('api')
commonJsTypes('register')
