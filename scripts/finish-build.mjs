// scripts/finish-build.mjs: what tsc leaves undone: the CLI must be executable; and what programs load, index and register,
// comes as ES modules (.mjs) and as CommonJS (.cjs), of one file each and the tracer that both share: one file loads in a third
// of the time that fifty take, and tsc has no import.meta for CommonJS.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { build } from 'esbuild'
import { root } from './lib/run.mjs'

const dist = (name) => join(root, 'dist', name)

chmodSync(dist('cli/main.js'), 0o755)

/** Not by `define`, whose variable would hide from packers of files where lib/addon.ts looks. */
const ownUrl = {
  name: 'own URL',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/dist\/addon\.js$/ }, ({ path }) => ({
      contents: `import { pathToFileURL } from 'node:url'
${readFileSync(path, 'utf8').replaceAll('import.meta.url', 'pathToFileURL(__filename).href')}`,
    })),
}

/** @param {string} extension */
const sharedTracer = (extension) => ({
  name: 'shared tracer',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\.\/tracer\.js$/ }, () => ({ path: `./tracer.${extension}`, external: true })),
})

for (const [format, extension] of Object.entries({ esm: 'mjs', cjs: 'cjs' })) {
  const how = { bundle: true, format, platform: 'node', target: 'node20.17' }
  const bundle = (name, plugins) =>
    build({ ...how, entryPoints: [dist(`${name}.js`)], outfile: dist(`${name}.${extension}`), plugins })
  await bundle('tracer', format === 'cjs' ? [ownUrl] : [])
  await bundle('index', [sharedTracer(extension)])
  await bundle('register', [sharedTracer(extension)])
}

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
