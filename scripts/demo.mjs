#!/usr/bin/env node
// scripts/demo.mjs: `npm run demo`: the block device of examples/blockstore under `blkin record`, real QEMU tools and
// fio driving it, and what the trace then says. Sets up by itself. Progress goes to stderr, the report to stdout.
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { missingPackages } from './lib/debian.mjs'
import { report } from './lib/demo-report.mjs'
import { startStore } from './lib/demo-store.mjs'
import { traceOneWrite } from './lib/demo-trace.mjs'
import { mustRun, root, seconds } from './lib/run.mjs'
import { ensureSetup } from './setup.mjs'

const folder = join(root, 'build/demo')
const trace = join(folder, 'trace')
const say = (line) => process.stderr.write(`demo: ${line}\n`)

/** Starts the store under `blkin record`; resolves when it listens. */
function startRecorded() {
  const events = ['-e', 'blockstore:*', '-e', 'objstore:*']
  const record = ['dist/cli/main.js', 'record', '-o', trace, '-b', '8x1M', ...events, '--', process.execPath]
  const volumes = ['--volume', 'disk0=64M', '--volume', 'disk1=64M']
  return startStore(record, ['--dir', join(folder, 'data'), '--stores', '2', ...volumes])
}

async function step(title, work) {
  const start = performance.now()
  const said = await work()
  say(`${title}: ${said ?? 'right'} (${seconds(performance.now() - start)})`)
}

/** An image with something in it, and holes. */
async function makeImage(path) {
  const image = Buffer.alloc(48 << 20)
  for (let at = 0; at < image.length; at += 3 << 20) image.fill(`block ${at} `, at, at + (1 << 20))
  await writeFile(path, image)
}

async function driveWithQemu(uri) {
  const image = join(folder, 'image.raw')
  await makeImage(image)
  const disk0 = `${uri}/disk0`
  await step('qemu-img convert of 48 MiB into disk0', () =>
    mustRun('qemu-img', ['convert', '-n', '-f', 'raw', '-O', 'raw', image, disk0]).then(() => undefined),
  )
  await step('qemu-img compare', async () => {
    const said = await mustRun('qemu-img', ['compare', '-f', 'raw', '-F', 'raw', image, disk0])
    return said.trim().split('\n').at(-1)
  })
  const patterns = [
    'write -P 0xab 1M 512k',
    'write -P 0xcd 5M 64k',
    'flush',
    'read -P 0xab 1M 512k',
    'read -P 0xcd 5M 64k',
  ]
  const more = [
    'discard 8M 4M',
    'aio_write -P 0x11 16M 256k',
    'aio_write -P 0x22 20M 256k',
    'aio_flush',
    'read -P 0x22 20M 256k',
  ]
  await step('qemu-io writes patterns and verifies them', () =>
    mustRun('qemu-io', [
      '-f',
      'raw',
      disk0,
      ...[...patterns, ...more].flatMap((command) => ['-c', command]),
    ]).then((said) => {
      if (/failed|verification/i.test(said)) throw new Error(said)
    }),
  )
}

async function driveWithFio(uri) {
  const job = [
    '--name=demo',
    '--rw=randrw',
    '--bs=4k',
    '--iodepth=16',
    '--time_based',
    '--runtime=4',
    '--size=64m',
  ]
  await step('fio, 4 KiB random reads and writes at depth 16 for 4 s', async () => {
    const said = await mustRun('fio', [
      '--ioengine=nbd',
      `--uri=${uri}/disk1`,
      ...job,
      '--output-format=json',
    ])
    const [result] = JSON.parse(said.slice(said.indexOf('{'))).jobs
    return `${Math.round(result.read.iops + result.write.iops).toLocaleString('en-US')} IOPS while traced`
  })
}

async function driveWithOurs(uri) {
  const { drive } = await import('../examples/blockstore/dist/load.js')
  await step('our own NBD client, verified 4 KiB reads and writes at depth 16 for 4 s', async () => {
    const { iops, verified, mismatches } = await drive({ uri: `${uri}/disk1`, seconds: 4 })
    if (mismatches > 0) throw new Error(`${mismatches} blocks came back wrong`)
    return `${Math.round(iops).toLocaleString('en-US')} IOPS while traced, ${verified} reads verified`
  })
}

async function main() {
  await ensureSetup({ debian: ['babeltrace2', 'qemu-utils', 'fio'] })
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const store = await startRecorded()
  say(`the block store listens on ${store.uri}, recorded to build/demo/trace`)
  try {
    const without = (name) => missingPackages([name]).length > 0
    if (without('qemu-utils')) say('qemu-img and qemu-io are not here: our own NBD client drives the store')
    else await driveWithQemu(store.uri)
    if (without('fio')) await driveWithOurs(store.uri)
    else await driveWithFio(store.uri)
  } finally {
    store.child.kill('SIGTERM')
  }
  const [code] = await store.ended
  if (code !== 0) throw new Error(`blkin record exited with ${code}`)
  await report(trace, { babeltrace: missingPackages(['babeltrace2']).length === 0 })
  const qemu = missingPackages(['qemu-utils']).length === 0
  const tree = await traceOneWrite(folder, qemu)
  console.log(`\nOne write of 1 MiB ${qemu ? 'by qemu-io' : ''} over two objects, each on two stores\n`)
  console.log(tree.trimEnd())
}

await main().catch((error) => {
  process.stderr.write(`demo: ${error.message}\n`)
  process.exitCode = 1
})
