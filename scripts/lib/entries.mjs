// scripts/lib/entries.mjs: what programs load of dist/, index and register: as ES modules (.mjs) and as CommonJS (.cjs), of one
// file each and the tracer that both share: one file loads in half of the time that fifty take, and tsc has no import.meta
// for CommonJS. The types say CommonJS by their name.
import { readFileSync, writeFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { build } from 'esbuild'
import { root } from './run.mjs'

const dist = (name) => join(root, 'dist', name)

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

export async function bundleEntries() {
  for (const [format, extension] of Object.entries({ esm: 'mjs', cjs: 'cjs' })) {
    const how = { bundle: true, format, platform: 'node', target: 'node20.17' }
    const bundle = (name, plugins) =>
      build({ ...how, entryPoints: [dist(`${name}.js`)], outfile: dist(`${name}.${extension}`), plugins })
    await bundle('tracer', format === 'cjs' ? [ownUrl] : [])
    await bundle('index', [sharedTracer(extension)])
    await bundle('register', [sharedTracer(extension)])
  }
  commonJsTypes('api')
  commonJsTypes('register')
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
