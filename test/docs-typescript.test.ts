// test/docs-typescript.test.ts: every block of TypeScript in the pages compiles against the package's own types, as a file
// at the repository's root would, so that `blkin` is what users import. One that needs what the page does not declare has
// it in a hidden comment before its fence; those that need nothing are run too.
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { type Block, blocks, blocksOf, place } from './support/markdown.js'
import { relay } from './support/relays.js'
import { folder, root, run } from './support/run.js'

const all = blocks('ts')
const fileOf = ({ page, line }: Block) => join(root, `${page.replaceAll(/\W/g, '-')}-${line}.ts`)

/** What stands before a block's first line, all on one line: a module, whatever the block has. */
const headOf = ({ prelude }: Block) => `export {}; ${prelude.replaceAll('\n', '; ')}\n`

function errorsOf(given: readonly Block[]): string[] {
  const texts = new Map(given.map((block) => [fileOf(block), headOf(block) + block.text]))
  const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), ts.sys.readFile)
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)
  delete options.tsBuildInfoFile
  Object.assign(options, { noEmit: true, composite: false, declaration: false, noUnusedLocals: false })
  const host = ts.createCompilerHost(options)
  const { readFile, fileExists, getSourceFile } = host
  host.fileExists = (path) => texts.has(path) || fileExists(path)
  host.readFile = (path) => texts.get(path) ?? readFile(path)
  host.getSourceFile = (path, target, ...rest) => {
    const text = texts.get(path)
    return text === undefined ? getSourceFile(path, target, ...rest) : ts.createSourceFile(path, text, target)
  }
  const program = ts.createProgram([...texts.keys()], options, host)
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const words = ts.flattenDiagnosticMessageText(messageText, ' ')
    const block = given.find((one) => fileOf(one) === file?.fileName)
    if (file === undefined || block === undefined) return `${file?.fileName}: ${words}`
    const { line } = ts.getLineAndCharacterOfPosition(file, start)
    return `${block.page}:${block.line + line - 1}: ${words}`
  })
}

test('each block compiles', () => {
  expect(all.length).toBeGreaterThan(7)
  expect(errorsOf(all)).toEqual([])
}, 60_000)

test('one that does not is told with its page and line', () => {
  const page =
    "# A\n\n<!-- ts: declare const n: number -->\n```ts\nimport { trace } from 'blkin'\ntrace.begin(n)\n```\n"
  expect(errorsOf(blocksOf('docs/a.md', page))).toEqual([
    expect.stringMatching(/^docs\/a\.md:6: Property 'begin' does not exist on type/),
  ])
}, 60_000)

/** Ready to run: it imports what it uses. */
const runnable = all.filter(({ prelude, text }) => prelude === '' && text.includes('import '))

test.each(runnable.map((block) => [place(block), block] as const))('%s runs', async (_, block) => {
  const { outputText } = ts.transpileModule(block.text, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    },
  })
  const { output, env } = await relay()
  await run(
    "import { provider, t } from 'blkin'; provider('disk', { io: { fields: { n: t.u32 } } }).io({ n: 1 })",
    { env },
  )
  const here = folder()
  symlinkSync(output, join(here, 'trace'))
  const { code, stderr } = await run(`process.chdir(${JSON.stringify(here)})\n${outputText}`)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})
