// test/user-folder.test.ts: the command looks for processes where their addon makes their folder, whatever the environment
// says. The program asks `blkin ps` itself, in a mount namespace where /dev/shm has no room.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cli } from './support/cli.js'
import { folder, privateShm, result } from './support/run.js'
import { describeWith } from './support/tools.js'

const text = `
  import { execFile } from 'node:child_process'
  import { promisify } from 'node:util'
  import { provider, status } from 'blkin'
  const { e } = provider('folder', { e: {} })
  e()
  const { BLKIN_ENABLE, ...env } = process.env
  const { stdout } = await promisify(execFile)(process.execPath, [process.argv[1], 'ps', '--json'], { env })
  console.log(JSON.stringify({ folder: status().buffers.folder, found: JSON.parse(stdout).pid === process.pid }))`

describeWith(['unshare -m'], 'a process whose folder is not in /dev/shm is found where', () => {
  const answer = (env: Record<string, string>, also = 'true') =>
    result<{ folder: string; found: boolean }>(text, {
      before: privateShm('4k', also),
      args: [cli],
      env: { BLKIN_ENABLE: 'folder:*', ...env },
    })

  test('TMPDIR says', async () => {
    const base = folder()
    const { folder: made, found } = await answer({ TMPDIR: base })
    expect(made.startsWith(join(base, 'blkin-'))).toBe(true)
    expect(found).toBe(true)
  })

  test.each([
    ['TMP and TEMP mean another, and TMPDIR nothing', { TMP: '/proc', TEMP: '/proc', TMPDIR: '' }],
    ['TMPDIR is no absolute path', { TMPDIR: 'here' }],
  ])('%s', async (_, env) => {
    const { folder: made, found } = await answer(env, 'mount -t tmpfs tmpfs /tmp')
    expect(made).toMatch(/^\/tmp\/blkin-/)
    expect(found).toBe(true)
  })
})
