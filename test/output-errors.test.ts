// test/output-errors.test.ts: stdout and stderr that cannot be written: a disk that is full, a reader that has gone or does not read. A relay
// and a recording go on, what only prints ends with one line and the exit code for it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { cli, ticking } from './support/cli.js'
import { freeAddress, until } from './support/relays.js'
import { cleanEnvironment, folder, program, root } from './support/run.js'

type Output = 'pipe' | 'full'

/** The command with its outputs on pipes, or on a disk that is full. */
function run(args: string[], stdout: Output, stderr: Output): ChildProcess {
  const full = openSync('/dev/full', 'w')
  const stdio = [stdout, stderr].map((output) => (output === 'full' ? full : output))
  const options = { env: cleanEnvironment(), stdio: ['ignore', ...stdio] as never }
  const child: ChildProcess = spawn(process.execPath, args, options)
  closeSync(full)
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

const textOf = (child: ChildProcess, output: 'stdout' | 'stderr') => {
  let text = ''
  child[output]?.setEncoding('utf8').on('data', (more: string) => {
    text += more
  })
  return () => text
}

/** Each makes a line of the relay's log. */
async function breakOff(address: string): Promise<void> {
  const [host, port] = address.split(':')
  const socket = connect(Number(port), host)
  socket.on('error', () => {}).resume()
  socket.end(Buffer.of(0, 0, 1, 0, 0))
  await new Promise((resolve) => socket.once('close', resolve))
}

const isUp = (http: string) =>
  fetch(`http://${http}/health`).then(
    ({ ok }) => ok,
    () => false,
  )

/** Where the relay listens, and its HTTP. */
async function relay(stdout: Output, stderr: Output) {
  const [listen, http] = [await freeAddress(), await freeAddress()]
  const args = [cli, 'relay', '--json', '-l', listen, '--http', http, '-o', folder()]
  const child = run(args, stdout, stderr)
  const said = { out: textOf(child, 'stdout'), err: textOf(child, 'stderr') }
  await until(() => child.exitCode !== null || isUp(http))
  return { child, listen, http, said }
}

test.each<[string, Output]>([
  ['on a disk that is full', 'full'],
  ['read by nobody any more', 'pipe'],
])('a relay whose stderr is %s goes on, and ends as it should', async (_, stderr) => {
  const { child, listen, http, said } = await relay('pipe', stderr)
  child.stderr?.destroy()
  for (let i = 0; i < 3; i++) await breakOff(listen)
  await fetch(`http://${http}/api/v2/spans`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain' },
    body: 'x',
  })
  expect(await isUp(http)).toBe(true)
  child.kill('SIGTERM')
  expect(await once(child, 'close')).toEqual([0, null])
  expect(said.out()).toMatch(/"what":"post","reason":"415"/)
})

test('a relay whose stdout is on a disk that is full goes on, says so once, and fails in the end', async () => {
  const { child, http, said } = await relay('full', 'pipe')
  await until(() => said.err().includes('ENOSPC'))
  expect(await isUp(http)).toBe(true)
  child.kill('SIGTERM')
  expect(await once(child, 'close')).toEqual([1, null])
  expect(said.err().match(/blkin: stdout: ENOSPC: no space left on device, write\n/g)).toHaveLength(1)
})

test('a relay whose stdout nobody reads any more goes on', async () => {
  const { child, http } = await relay('pipe', 'pipe')
  child.stdout!.destroy()
  expect(await isUp(http)).toBe(true)
  child.kill('SIGTERM')
  expect(await once(child, 'close')).toEqual([0, null])
})

test.each<[string, Output]>([
  ['on a disk that is full', 'full'],
  ['read by nobody', 'pipe'],
])('a recording whose stderr is %s is whole', async (_, stderr) => {
  const output = join(folder(), 'trace')
  const command = [process.execPath, program('burst.mjs'), '100', 'natural', '0']
  const child = run([cli, 'record', '-o', output, '-e', '*:*', '--', ...command], 'pipe', stderr)
  child.stderr?.destroy()
  child.stdout!.resume()
  expect(await once(child, 'close')).toEqual([0, null])
  expect(readdirSync(output).length).toBeGreaterThan(0)
})

test('what only prints ends at a disk that is full, with one line', async () => {
  const { pid } = await ticking()
  for (const args of [['ps'], ['tail', '-p', pid], ['top', '-p', pid], ['list', '--json']]) {
    const child = run([cli, ...args], 'full', 'pipe')
    const err = textOf(child, 'stderr')
    expect(await once(child, 'close'), args.join(' ')).toEqual([1, null])
    // Folders of this user's that are open to others are told of too.
    const told = err().replace(/^blkin: left alone: .*\n/gm, '')
    expect(told, args.join(' ')).toBe('blkin: stdout: ENOSPC: no space left on device, write\n')
  }
})

test('notes that nobody reads are counted, and take no more memory than so much', async () => {
  const print = pathToFileURL(join(root, 'dist/cli/print/print.js'))
  const script = `const { note } = await import(${JSON.stringify(print)})
    for (let i = 0; i < 100_000; i++) note('x'.repeat(100))
    process.stdout.write(String(process.stderr.writableLength))
    process.stderr.on('drain', () => note('the last'))`
  const child = run(['--input-type=module', '-e', script], 'pipe', 'pipe')
  const [length] = (await once(child.stdout!, 'data')) as [Buffer]
  expect(Number(length)).toBeGreaterThan(0)
  expect(Number(length)).toBeLessThan(300_000)
  const err = textOf(child, 'stderr')
  await once(child, 'close')
  expect(err()).toMatch(/\nblkin: [\d,]+ notes left out: nobody read them\nblkin: the last\n$/)
})
