// lib/transform/finder.ts: which file an import means, and whether tracepoints can come from it, asked of the file system.
// It reads a file whole; what says nothing of blkin, and passes nothing on that does, is never parsed.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire, isBuiltin } from 'node:module'
import { dirname, extname, join, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Following, Import } from './known.js'
import type { Source } from './syntax.js'
import { stripTypes } from './types.js'

const specifiers = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(["'])([^"'\n]+)\1/g
/** TypeScript names a file by what it will be compiled to. */
const compiledFrom: Record<string, string[]> = { '.js': ['.ts', '.tsx'], '.mjs': ['.mts'], '.cjs': ['.cts'] }

export class Finder {
  /** By file; null for one that has none. A text stays until the next collection: the program's memory is not for its source. */
  readonly #sources = new Map<string, WeakRef<Source> | null>()
  readonly #brings = new Map<string, boolean>()
  readonly #dependents = new Map<string, boolean>()

  /**
   * @param own the folder that blkin's own modules are in, with a separator at its end
   * @param toJavaScript gives a module as it would run; undefined where it cannot
   */
  constructor(
    readonly own: string,
    readonly toJavaScript: (file: string, code: string) => string | undefined = stripTypes,
  ) {}

  /** Drives what follows imports. */
  follow<T>(following: Following<T>): T {
    let step = following.next()
    while (!step.done) step = following.next(this.find(step.value))
    return step.value
  }

  /** Whether a tracepoint may be called in it. */
  concerns({ file, code }: Source): boolean {
    if (file.startsWith(this.own) || !this.#mayDepend(file)) return false
    return code.includes('blkin') || this.#imports(file, code)
  }

  #imports(from: string, code: string): boolean {
    for (const [, , specifier] of code.matchAll(specifiers)) {
      const found = this.find({ specifier: specifier as string, from })
      if (found === 'blkin' || (found && this.#mayBring(found))) return true
    }
    return false
  }

  #mayBring({ file, code }: Source): boolean {
    const known = this.#brings.get(file)
    if (known !== undefined) return known
    this.#brings.set(file, false) // in a circle of imports: nothing by this way
    const brings = code.includes('blkin') || (/\bexports?\b/.test(code) && this.#imports(file, code))
    this.#brings.set(file, brings)
    return brings
  }

  find({ specifier, from }: Import): 'blkin' | Source | undefined {
    if (specifier === 'blkin') return 'blkin'
    if (isBuiltin(specifier)) return undefined
    const file = this.#resolve(specifier, from)
    if (file === undefined) return undefined
    if (!file.startsWith(this.own)) return this.read(file)
    return /^index\.[cm]?[jt]s$/.test(file.slice(this.own.length)) ? 'blkin' : undefined
  }

  #resolve(specifier: string, from: string): string | undefined {
    if (specifier.startsWith('file:')) return fileURLToPath(specifier)
    if (/^\.{0,2}\//.test(specifier)) {
      const exact = resolve(dirname(from), specifier)
      const extension = extname(exact)
      const typed = (compiledFrom[extension] ?? []).map((one) => exact.slice(0, -extension.length) + one)
      const found = extension === '' ? undefined : [exact, ...typed].find((one) => existsSync(one))
      if (found !== undefined) return found
    } else if (!specifier.startsWith('#') && !this.#mayDepend(this.#packageOf(specifier, from))) {
      return undefined
    }
    try {
      return createRequire(from).resolve(specifier)
    } catch {
      return undefined // it is only there for import, or not at all
    }
  }

  /** A path in the package that a bare specifier names, or '' where none is found. */
  #packageOf(specifier: string, from: string): string {
    const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join(sep)
    for (let folder = dirname(from); ; folder = dirname(folder)) {
      const found = join(folder, 'node_modules', name, 'package.json')
      if (existsSync(found)) return found
      if (folder === dirname(folder)) return ''
    }
  }

  /** What is installed brings no tracepoints unless its package asks for blkin. */
  #mayDepend(file: string): boolean {
    const [root] = /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(file) ?? []
    if (root === undefined) return file !== ''
    const known = this.#dependents.get(root)
    if (known !== undefined) return known
    const may = asksForBlkin(join(root, 'package.json'))
    this.#dependents.set(root, may)
    return may
  }

  read(file: string): Source | undefined {
    const known = this.#sources.get(file)
    if (known === null) return undefined
    const kept = known?.deref()
    if (kept !== undefined) return kept
    let source: Source | undefined
    try {
      const code = this.toJavaScript(file, readFileSync(file, 'utf8'))
      source = code === undefined ? undefined : { file, code }
    } catch {} // a folder, or what only a loader would find
    this.#sources.set(file, source === undefined ? null : new WeakRef(source))
    return source
  }
}

function asksForBlkin(packageJson: string): boolean {
  try {
    const { name, dependencies, peerDependencies, optionalDependencies } = JSON.parse(
      readFileSync(packageJson, 'utf8'),
    )
    if (name === 'blkin' || name === '@blkin/relay') return false
    return 'blkin' in { ...dependencies, ...peerDependencies, ...optionalDependencies }
  } catch {
    return false
  }
}
