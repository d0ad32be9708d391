// test/docs-commands.test.ts: every `blkin` command in the pages goes to the command's own parser, which knows all flags and
// here runs nothing. What can run does in cli-docs.test.ts.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CommanderError } from 'commander'
import { expect, test } from 'vitest'
import { makeProgram } from '../lib/cli/program.js'
import { blocks, blocksOf, pages, place } from './support/markdown.js'
import { root } from './support/run.js'
import { wordsOf } from './support/shell.js'
import { describeWith } from './support/tools.js'

const all = blocks('sh', 'console')

/** What the parser says of it; empty where it is well. Runs nothing. */
async function refusal(words: readonly string[]): Promise<string> {
  const program = makeProgram()
  let said = ''
  const note = (text: string) => {
    said += text
  }
  for (const verb of [program, ...program.commands]) {
    verb.configureOutput({ writeErr: note, outputError: note })
    if (verb !== program) verb.action(() => {})
  }
  try {
    await program.parseAsync(words, { from: 'user' })
    return ''
  } catch (error) {
    return error instanceof CommanderError ? said : (error as Error).message
  }
}

describeWith(['bash'], 'the commands in', () => {
  test.each(all.map((block) => [place(block), block] as const))(
    '%s are as the parser takes them',
    async (_, block) => {
      for (const words of wordsOf(block)) expect(await refusal(words), words.join(' ')).toBe('')
    },
  )

  test('the pages are found, and a flag that is none is', async () => {
    expect(all.flatMap((block) => wordsOf(block)).length).toBeGreaterThan(30)
    const page = "```sh\nX=1 npx blkin enable 'a:*' \\\n  --fitler 'b > 1' # no\nblkin ps | head\n```\n"
    const [enable = [], ps] = wordsOf(blocksOf('a.md', page)[0]!)
    expect([enable, ps]).toEqual([['enable', 'a:*', '--fitler', 'b > 1'], ['ps']])
    expect(await refusal(enable)).toContain("unknown option '--fitler'")
  })
})

test('every variable in the pages is one that something reads', () => {
  const texts = ['lib', 'relay/src', 'examples', 'scripts', 'bench'].flatMap((part) =>
    readdirSync(join(root, part), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(m?ts|mjs)$/.test(path) && !/node_modules|dist/.test(path))
      .map((path) => readFileSync(join(root, part, path), 'utf8')),
  )
  const variable = /\bBLKIN_[A-Z_]*[A-Z]\b/g
  const known = new Set(texts.join('\n').match(variable))
  for (const page of pages)
    for (const name of readFileSync(join(root, page), 'utf8').match(variable) ?? [])
      expect(known.has(name), `${page}: ${name}`).toBe(true)
})
