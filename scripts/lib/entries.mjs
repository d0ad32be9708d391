// scripts/lib/entries.mjs: what programs load of dist/, index and register: as ES modules (.mjs) and as CommonJS (.cjs), of one
// file each and the tracer that both share: one file loads in half of the time that fifty take, and tsc has no import.meta
// for CommonJS. The types say CommonJS by their name.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { build } from 'esbuild'
import { root } from './run.mjs'

const dist = (name) => join(root, 'dist', name)

/** Not by `define`, whose variable would hide from packers of files where lib/addon.ts looks. static-calls.ts loads files too. */
const ownUrl = {
  name: 'own URL',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/dist\/(addon|static-calls)\.js$/ }, ({ path }) => ({
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
  await bundleTransform()
  commonJsTypes('api')
  commonJsTypes('register')
}

/**
 * dist/transform/: what makes call sites static, with the parser and all else that it stands on inside, so that who installs
 * blkin gets no package more; their licences stand beside them. What a program loads is CommonJS, as it is required there, and Node
 * before 20.19 and 22.12 requires no other.
 */
async function bundleTransform() {
  const how = { bundle: true, format: 'esm', platform: 'node', target: 'node20.17', metafile: true }
  const entry = (name, more = {}, extension = 'mjs') =>
    build({
      ...how,
      ...more,
      entryPoints: [dist(`transform/${name}.js`)],
      outfile: dist(`transform/${name}.${extension}`),
    })
  const made = await Promise.all([
    entry('load', { format: 'cjs' }, 'cjs'),
    entry('plugin', { external: ['unplugin'] }),
  ])
  await entry('parser', { format: 'cjs', plugins: [beside('load', 'cjs')] }, 'cjs')
  await entry('thread')
  for (const name of ['vite', 'rollup', 'esbuild', 'webpack'])
    await entry(name, { plugins: [beside('plugin', 'mjs')] })
  const files = made.flatMap(({ metafile }) => Object.keys(metafile.inputs))
  const names = files.map((file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]).filter(Boolean)
  const licences = [...new Set(names)].sort().map((name) => {
    const folder = join(root, 'node_modules', name)
    const files = readdirSync(folder)
    const file = files.find((one) => /^licen[cs]e/i.test(one)) ?? files.find((one) => /^readme/i.test(one)) // some have it there
    return `These files hold parts of ${name}:\n\n${readFileSync(join(folder, file), 'utf8')}`
  })
  writeFileSync(dist('transform/LICENSE'), licences.join('\n\n'))
}

/** What stands in a file beside, and not in this one too. */
const beside = (name, extension) => ({
  name: 'beside',
  setup: ({ onResolve }) =>
    onResolve({ filter: new RegExp(`^\\./${name}\\.js$`) }, () => ({
      path: `./${name}.${extension}`,
      external: true,
    })),
})

/** The same declarations under the name that says CommonJS, and those that they import. */
function commonJsTypes(name, done = new Set()) {
  if (done.has(name)) return
  done.add(name)
  const text = readFileSync(dist(`${name}.d.ts`), 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, '')
  const imported = /(?<=["'])(\.\.?\/[^"']+)\.js(?=["'])/g
  writeFileSync(dist(`${name}.d.cts`), text.replace(imported, '$1.cjs'))
  for (const [, other] of text.matchAll(imported)) commonJsTypes(posix.join(posix.dirname(name), other), done)
}
