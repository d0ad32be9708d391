// test/cli-output.test.ts: folders that record and relay cannot write to, and view cannot read: said at once, before any
// command runs or any port is taken.
import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cli } from './support/cli.js'
import { cleanEnvironment, folder } from './support/run.js'
import { describeWith, have } from './support/tools.js'

/** `before`: what stands before node, such as a mount of its own. */
function blkin(args: string[], before: string[] = []) {
  const [command = '', ...rest] = [...before, process.execPath, cli, ...args]
  const options = { encoding: 'utf8', env: cleanEnvironment(), timeout: 20_000 } as const
  const { status, stdout, stderr } = spawnSync(command, rest, options)
  return { code: status, out: stdout, err: stderr }
}

/** As each verb that writes is told where. `touched` is what the recorded command would make. */
function refused(output: string, words: RegExp, before: string[] = []) {
  const touched = join(folder(), 'touched')
  const verbs = [
    ['record', '-o', output, '-e', '*:*', '--', 'touch', touched],
    ['relay', '-o', output, '--listen', '127.0.0.1:0'],
    ['relay', '-o', output, '--listen', '127.0.0.1:0', '--http', '127.0.0.1:0'],
  ]
  for (const verb of verbs) {
    const { code, err } = blkin(verb, before)
    expect(err, verb.join(' ')).toMatch(words)
    expect(err.trimEnd().split('\n'), 'one line').toHaveLength(1)
    expect(code, verb.join(' ')).toBe(2)
  }
  expect(existsSync(touched)).toBe(false)
}

const said = (path: string, why: string) => new RegExp(`^blkin: (output is "${path}"|-o ${path}): .*${why}`)

test('where the kernel makes no folder', () => {
  refused('/proc/x', said('/proc/x', 'nothing can be made there \\(ENOENT\\); expected a folder to write to'))
  refused('/proc/x/y', said('/proc/x/y', 'nothing can be made there'))
})

test('a file in the way, or above', () => {
  const file = join(folder(), 'file')
  writeFileSync(file, '')
  refused(file, said(file, '(not a directory|a file is in the way)'))
  refused(join(file, 'below'), said(join(file, 'below'), '(not a directory|a file is in the way)'))
})

test('a name that is too long', () => {
  const long = join(folder(), 'x'.repeat(300))
  refused(long, said(long, '(name too long|the name is too long)'))
})

describeWith(['unshare -m'], 'a file system', () => {
  const mounted = (at: string, options: string, also = 'true') => [
    ...['unshare', '-m', '--propagation', 'private', 'sh', '-c'],
    ...[`mount -t tmpfs -o ${options} tmpfs ${at} && ${also} && exec "$@"`, 'sh'],
  ]

  test('that is read-only', () => {
    const at = folder()
    refused(join(at, 'new'), said(join(at, 'new'), 'a read-only file system'), mounted(at, 'ro'))
    refused(at, said(at, 'a read-only file system'), mounted(at, 'ro'))
  })

  test('that is full', () => {
    const at = folder()
    const full = mounted(
      at,
      'size=64k',
      `(mkdir ${at}/new; head -c 65536 /dev/zero > ${at}/fill || true) 2>/dev/null`,
    )
    refused(join(at, 'new'), said(join(at, 'new'), 'no space left on the device'), full)
  })
})

test.skipIf(process.getuid?.() !== 0 || !have('setpriv'))("another user's folder", () => {
  const at = join(folder(), 'own')
  mkdirSync(at, { mode: 0o700 })
  const nobody = ['setpriv', '--reuid=65534', '--clear-groups']
  refused(join(at, 'new'), said(join(at, 'new'), 'permission denied'), nobody)
})

test('a file for stdout on a disk that is full is told in one line', () => {
  const full = openSync('/dev/full', 'w')
  const { status, stderr } = spawnSync(process.execPath, [cli, 'help'], {
    ...{ encoding: 'utf8', env: cleanEnvironment() },
    stdio: ['ignore', full, 'pipe'],
  })
  closeSync(full)
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: 'blkin: stdout: ENOSPC: no space left on device, write\n',
  })
})

test('view says which it cannot read, with the exit code for nothing where there is none', () => {
  const empty = folder()
  const file = join(folder(), 'file')
  writeFileSync(file, '')
  expect(blkin(['view', '/proc/x'])).toEqual({ code: 3, out: '', err: 'blkin: /proc/x: no such folder\n' })
  expect(blkin(['view', file])).toEqual({ code: 1, out: '', err: `blkin: ${file}: not a folder\n` })
  const { code, err } = blkin(['view', empty])
  expect({ code, err }).toEqual({
    code: 3,
    err: `blkin: ${empty}: no trace here; expected a folder with a file "metadata", or folders that have one\n`,
  })
})
