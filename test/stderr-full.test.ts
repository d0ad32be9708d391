// test/stderr-full.test.ts: stderr is a pipe that is full, and nobody reads it. What the tracer has to tell is not told, and the traced program runs
// to its end; while there is room it is told.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { installIn } from './support/installed.js'
import { cleanEnvironment, folder, root } from './support/run.js'

/** Both ends of it, here; the program gets one more. */
function namedPipe(): { path: string; fd: number } {
  const path = join(folder(), 'stderr')
  execFileSync('mkfifo', [path])
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  onTestFinished(() => closeSync(fd))
  return { path, fd }
}

function fill(fd: number): void {
  const bytes = Buffer.alloc(4096)
  for (;;)
    try {
      writeSync(fd, bytes)
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('EAGAIN')
      return
    }
}

async function codeOf(tracer: string, stderr: string): Promise<number | null> {
  const fd = openSync(stderr, 'w')
  const script = `import { provider, t } from ${JSON.stringify(tracer)}
    provider('full', { e: { fields: { a: t.u8 } } }).e({ a: 1 })`
  const env = {
    ...cleanEnvironment(),
    BLKIN_REQUIRE_NATIVE: '',
    BLKIN_LEVEL: 'wrong',
    BLKIN_ENABLE: 'full:*',
  }
  const args = ['--input-type=module', '-e', script]
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', fd] })
  closeSync(fd)
  onTestFinished(() => void child.kill('SIGKILL'))
  const [code] = await once(child, 'exit')
  return code as number | null
}

test.each<[string, () => string]>([
  ['with the addon', () => root],
  ['without an addon', () => installIn(folder(), [])],
])('a full stderr holds no program up, %s', async (_, at) => {
  const tracer = join(at(), 'dist/index.js')
  const { path, fd } = namedPipe()
  expect(await codeOf(tracer, path)).toBe(0)
  const said = Buffer.alloc(65536)
  const text = said.toString('utf8', 0, readSync(fd, said))
  expect(text).toMatch(/^blkin: /)
  fill(fd)
  expect(await codeOf(tracer, path)).toBe(0)
})
