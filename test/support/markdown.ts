// test/support/markdown.ts: the fenced blocks of the pages that people read, for tests that compile and run them. Pure but
// for reading the files.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './run.js'

export interface Block {
  /** From the repository's root. */
  page: string
  /** Of its first line in the page, from 1. */
  line: number
  /** What stands behind the fence; empty where nothing does. */
  language: string
  text: string
  /** What a hidden comment right before the fence says, `<!-- ts: declare const store: Store -->`, without its `ts:`. */
  prelude: string
}

/** Those that hold code; others come when somebody writes them. */
export const pages: string[] = [
  ...['README.md', 'CONTRIBUTING.md', 'RATIONALE.md'],
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  ...readdirSync(join(root, 'examples')).map((name) => `examples/${name}/README.md`),
]

const fence = /(?:<!-- ts:([\s\S]*?)-->\n)?^```([\w-]*)[^\n]*\n([\s\S]*?)^```$/gm

export function blocksOf(page: string, text = readFileSync(join(root, page), 'utf8')): Block[] {
  return [...text.matchAll(fence)].map((match) => {
    const [whole, prelude = '', language = '', body = ''] = match
    const before = text.slice(0, match.index + whole.length - body.length - '```'.length)
    return { page, line: before.split('\n').length, language, text: body, prelude: prelude.trim() }
  })
}

export const blocks = (...languages: string[]): Block[] =>
  pages.flatMap((page) => blocksOf(page)).filter(({ language }) => languages.includes(language))

export const place = ({ page, line }: Block): string => `${page}:${line}`

/** The commands of a block of `sh`, or of those lines of a `console` that have a prompt, as a shell would take them. */
export function commandsOf({ language, text }: Block): string {
  if (language !== 'console') return text
  const lines = text.split('\n')
  const isCommand = (i: number): boolean =>
    /^\$ /.test(lines[i] ?? '') || (i > 0 && (lines[i - 1] ?? '').endsWith('\\') && isCommand(i - 1))
  return lines
    .filter((_, i) => isCommand(i))
    .map((line) => line.replace(/^\$ /, ''))
    .join('\n')
}
