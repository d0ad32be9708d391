// test/support/shell.ts: the `blkin` commands of a block in the pages, as a shell parts them. The shell runs the block with
// `blkin` as a function that notes its words, and with all other programs as functions that do nothing.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Block, commandsOf, place } from './markdown.js'
import { folder } from './run.js'

const silent = 'babeltrace2 cp curl fio gdb mv node npm nbdinfo qemu-img qemu-io sudo'

/** `here`: the folder that it runs in, where a block makes files. @throws Error where the shell finds fault with it */
export function wordsOf(block: Block, here = folder()): string[][] {
  const script = `
    command_not_found_handle() { :; }
    blkin() { printf '%s\\0' "$@" >>"$NOTED"; printf '\\n\\0' >>"$NOTED"; }
    npx() { if [ "$1" = blkin ]; then shift; blkin "$@"; fi; }
    for one in ${silent}; do eval "$one() { :; }"; done
    ${commandsOf(block)}`
  const noted = join(folder(), 'noted')
  writeFileSync(noted, '')
  const env = { NOTED: noted, PATH: '/usr/bin:/bin' }
  const { status, stderr } = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8', cwd: here, env })
  if (status !== 0 || stderr !== '') throw new Error(`${place(block)}: the shell says ${status}: ${stderr}`)
  const commands: string[][] = [[]]
  for (const word of readFileSync(noted, 'utf8').split('\0').slice(0, -1)) {
    if (word === '\n') commands.push([])
    else commands.at(-1)!.push(word)
  }
  return commands.slice(0, -1)
}
