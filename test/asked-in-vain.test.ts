// test/asked-in-vain.test.ts: where tracing was asked for and cannot be, one line on stderr says why and what to do; where
// nobody asked, none does.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { blkin, startBlkin } from './support/cli.js'
import { app } from './support/installed.js'
import { freeAddress } from './support/relays.js'
import { folder, privateShm, type RunOptions, root, run } from './support/run.js'

const declares = `
  const { provider } = require('blkin')
  const { tick } = provider('vain', { tick: {} })
  for (let i = 0; i < 3; i++) tick()`

const bare = (main: string, name = 'main.cjs') => app({ [name]: main }, [])
const inApp = (at: string, options: RunOptions = {}): RunOptions => ({
  cwd: at,
  ...options,
  env: { BLKIN_REQUIRE_NATIVE: '', ...options.env },
})

const noAddon = /^blkin: not traced: there is no addon at \S+.*docs\/bundling\.md\)\n$/
const switchedOff = /^blkin: not traced: addons are switched off; --permission needs --allow-addons, .*\n$/

test('each way of asking is answered once, and who asks for nothing hears nothing', async () => {
  const at = bare(declares)
  const silent = await run(join(at, 'main.cjs'), inApp(at))
  expect(silent).toMatchObject({ code: 0, stdout: '', stderr: '' })
  const asks: Record<string, string>[] = [
    { BLKIN_ENABLE: '*:*' }, { BLKIN_TRACE: 'http' }, { BLKIN_RELAY: '127.0.0.1:1' },
    { BLKIN_ENABLE: '*:*', BLKIN_TRACE: 'http', BLKIN_LEVEL: 'wrong' },
  ] // biome-ignore format: a table
  for (const env of asks) {
    const ended = await run(join(at, 'main.cjs'), inApp(at, { env, flags: ['--require=blkin/register'] }))
    expect(ended, JSON.stringify(env)).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringMatching(noAddon),
    })
  }
  for (const asking of ["enable('*:*'); b.enable('a:b')", "openSession('other', { relay: null })"]) {
    writeFileSync(join(at, 'code.cjs'), `const b = require('blkin'); b.${asking}`)
    expect((await run(join(at, 'code.cjs'), inApp(at))).stderr, asking).toMatch(noAddon)
  }
})

test('an addon of another version is no addon: the program runs, and one line says so', async () => {
  const at = bare(declares)
  mkdirSync(join(at, 'build/Release'), { recursive: true })
  const other = 'node_modules/@koromix/koffi-linux-x64/linux_x64/koffi.node' // any that Node loads
  copyFileSync(join(root, other), join(at, 'build/Release/blkin.node'))
  const env = { BLKIN_ENABLE: '*:*', BLKIN_PREBUILD: at }
  const ended = await run(join(at, 'main.cjs'), inApp(at, { env, flags: ['--require=blkin/register'] }))
  expect(ended).toMatchObject({ code: 0, stdout: '' })
  expect(ended.stderr).toMatch(
    /^blkin: not traced: the addon has no emit\(\): it is of another version of blkin than \S+\n$/,
  )
})

test('all copies and the Workers of a process are answered once', async () => {
  const at = bare(
    `
    import { provider } from 'blkin'
    import { Worker } from 'node:worker_threads'
    provider('vain', { tick: {} }).tick()
    const worker = () => new Promise((resolve) => new Worker("const b = require('blkin'); b.provider('vain', { tick: {} }); b.enable('*:*')", { eval: true }).on('exit', resolve))
    await Promise.all([worker(), worker()])`,
    'main.mjs',
  )
  const flags = ['--require=blkin/register']
  const ended = await run(join(at, 'main.mjs'), inApp(at, { env: { BLKIN_ENABLE: '*:*' }, flags }))
  expect(ended).toMatchObject({ code: 0, stdout: '', stderr: expect.stringMatching(noAddon) })
})

test('addons that are switched off are told with the flag that allows them', async () => {
  const at = app({ 'main.cjs': declares })
  const permission = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission'
  const denied = [
    permission,
    '--allow-fs-read=*',
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=SecurityWarning',
  ]
  for (const flags of [denied, ['--no-addons']]) {
    const ended = await run(join(at, 'main.cjs'), inApp(at, { env: { BLKIN_ENABLE: '*:*' }, flags }))
    expect(ended, flags.join(' ')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringMatching(switchedOff),
    })
  }
  const allowed = await run(join(at, 'main.cjs'), {
    cwd: at,
    env: { BLKIN_ENABLE: '*:*', BLKIN_RELAY: await freeAddress() },
    flags: [...denied, '--allow-addons'],
  })
  expect(allowed.code).toBe(0)
  expect(allowed.stderr, 'only of the relay, which is not there').toMatch(/^blkin: relay .*\n$/)
})

describe.skipIf(spawnSync('sh', ['-c', 'unshare -m true && prlimit --version']).status !== 0)(
  'no ring',
  () => {
    const emits = `
    import { Worker } from 'node:worker_threads'
    import { provider } from 'blkin'
    const { tick } = provider('vain', { tick: {} })
    for (let i = 0; i < 3; i++) tick()
    const text = "import('blkin').then((b) => b.provider('vain', { tick: {} }).tick())"
    await new Promise((resolve) => new Worker(text, { eval: true }).on('exit', resolve))`

    /** What is said beside the relay's absence. */
    const said = async (before: string[], env: Record<string, string> = {}): Promise<string> => {
      const to = { BLKIN_ENABLE: '*:*', BLKIN_RELAY: await freeAddress(), BLKIN_BUFFER: '2x8K' }
      const ended = await run(emits, { before, env: { ...to, ...env } })
      expect(ended).toMatchObject({ code: 0, stdout: '' })
      return ended.stderr.replace(/^blkin: relay .*\n/gm, '')
    }

    test('a limit on the size of files is told once, with the limit’s name', async () => {
      const limited = [...privateShm('64m'), 'prlimit', '--fsize=9000']
      const text =
        'blkin: not traced: no ring: File too large; ulimit -f is below the 20480 bytes of a ring\n'
      expect(await said(limited)).toBe(text)
      const nothing = [...privateShm('64m'), 'prlimit', '--fsize=0']
      expect(await said(nothing), 'not even a folder’s files').toBe(text)
    })

    test('fallocate that is denied is told by name', async () => {
      const at = folder()
      const denies = (name: string) => `int ${name}(int fd, long from, long bytes) { return 1; }\n`
      const source = denies('posix_fallocate') + denies('posix_fallocate64')
      spawnSync('gcc', ['-shared', '-fPIC', '-x', 'c', '-', '-o', join(at, 'deny.so')], { input: source })
      const denied = await said([...privateShm('64m')], { LD_PRELOAD: join(at, 'deny.so') })
      expect(denied).toBe(
        'blkin: not traced: no ring: Operation not permitted; rings need fallocate and memfd_create\n',
      )
    })

    test('where no folder can be had, the rings are in memory, and that is told', async () => {
      const before = privateShm('64m', 'mount -o remount,ro /dev/shm')
      expect(await said(before, { TMPDIR: '/proc' })).toMatch(
        /^blkin: no folder for rings: \/proc.*; they are in memory, so a kill loses .*\n$/,
      )
    })
  },
)

test('on other systems the program’s own calls are the no-op that is promised, and variables are answered', async () => {
  const at = app({ 'main.cjs': `${declares}\nrequire('blkin').enable('*:*')` })
  writeFileSync(join(at, 'mac.cjs'), "Object.defineProperty(process, 'platform', { value: 'darwin' })")
  const flags = [`--require=${join(at, 'mac.cjs')}`]
  expect(await run(join(at, 'main.cjs'), inApp(at, { flags }))).toMatchObject({ code: 0, stderr: '' })
  const asked = await run(join(at, 'main.cjs'), inApp(at, { flags, env: { BLKIN_ENABLE: '*:*' } }))
  expect(asked.stderr).toBe('blkin: not traced: there is no addon for darwin; blkin traces on Linux\n')
})

test('a stderr that nobody reads, or that is closed, costs the line and nothing else', async () => {
  const at = bare(`${declares}\nsetTimeout(() => console.log('lives'), 100)`)
  for (const redirection of ['2>&-', '2> >(exec true)', '2>/dev/full']) {
    const shell = ['bash', '-c', `exec "$@" ${redirection}`, 'bash']
    const ended = await run(join(at, 'main.cjs'), inApp(at, { before: shell, env: { BLKIN_ENABLE: '*:*' } }))
    expect(ended, redirection).toMatchObject({ code: 0, stdout: 'lives\n' })
  }
})

test('blkin record passes on what its command’s processes say', async () => {
  const at = bare(declares)
  const output = join(at, 'trace')
  const record = [
    'record',
    '-o',
    output,
    '-e',
    'vain:*',
    '--',
    'sh',
    '-c',
    `${process.execPath} --no-addons main.cjs`,
  ]
  const { done } = startBlkin(record, {}, at)
  const { code, err } = await done
  expect(err.split('\n').filter((line) => line.startsWith('blkin: not traced: addons are'))).toHaveLength(1)
  expect(err).toMatch(/recorded nothing: not traced: addons are switched off; .*--no-addons must go$/m)
  expect(code).toBe(3)
  const idle = await blkin(
    'record',
    '-o',
    join(at, 'idle'),
    '-e',
    'vain:*',
    '--',
    process.execPath,
    '-e',
    '0',
  )
  expect(idle.err).toContain('no tracepoint that vain:* covers was declared and hit')
})
