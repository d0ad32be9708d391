// test/transform-blockstore.test.ts: the block store of examples/, built by esbuild with the plugin, records for the same requests what it
// records as it stands.
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import blkin from 'blkin/esbuild'
import * as esbuild from 'esbuild'
import { expect, test } from 'vitest'
import { NbdClient } from '../examples/blockstore/src/nbd-client.js'
import { OBJECT_SIZE } from '../examples/blockstore/src/object-store.js'
import { MAIN, startBuilt } from './blockstore-harness.js'
import { relay } from './support/relays.js'
import { cleanEnvironment, folder, root } from './support/run.js'
import { recorded } from './support/trace.js'

async function build(): Promise<string> {
  const home = folder()
  const main = join(home, 'main.js')
  await esbuild.build({
    ...{ entryPoints: [join(root, 'examples/blockstore/src/main.ts')], outfile: main, sourcemap: true },
    ...{ bundle: true, platform: 'node', format: 'esm', external: ['blkin', '@blkin/relay', 'koffi'] },
    plugins: [blkin()],
  })
  writeFileSync(join(home, 'package.json'), '{ "type": "module" }')
  mkdirSync(join(home, 'node_modules'))
  for (const name of ['blkin', '@blkin', 'koffi'])
    symlinkSync(name === 'blkin' ? root : join(root, 'node_modules', name), join(home, 'node_modules', name))
  return main
}

/** One request after the other, with each operation, over the edge of an object and of what was never written. */
async function load(uri: string): Promise<void> {
  const client = await NbdClient.connect(uri)
  for (let i = 0; i < 100; i++) {
    const offset = i * 3 * 65_536
    await client.write(offset, Buffer.alloc(4096 * (1 + (i % 5)), i + 1))
    await client.read(offset - (offset % 8192), 8192)
    if (i % 10 === 0) await client.flush()
  }
  await client.write(OBJECT_SIZE - 4096, Buffer.alloc(8192, 7))
  await client.read(OBJECT_SIZE * 3 - 4096, 8192)
  await client.close()
}

/** What each tracepoint recorded, by its name, in no order: stores answer when they like. */
async function record(main: string): Promise<Record<string, string[]>> {
  const { output, env } = await relay()
  const layout = ['--stores', '2', '--replicas', '2', '--volume', 'disk0=64M']
  const own = { ...cleanEnvironment(), ...env, BLKIN_ENABLE: 'blockstore:*,objstore:*' }
  const server = await startBuilt(main, own, join(folder(), 'data'), ...layout)
  await load(`${server.uri}/disk0`)
  expect(await server.end()).toBe(0)
  const { events, lost } = await recorded(output)
  expect(lost).toBe(0)
  const found: Record<string, string[]> = {}
  const objects = new Map<unknown, number>() // their names are drawn
  for (const { tracepoint, fields } of events) {
    if (fields.object && !objects.has(fields.object)) objects.set(fields.object, objects.size)
    const text = JSON.stringify({ ...fields, object: objects.get(fields.object) }, (_, value) =>
      typeof value === 'bigint' ? String(value) : value,
    )
    const name = `${tracepoint.provider}:${tracepoint.event}`
    found[name] = [...(found[name] ?? []), text]
  }
  for (const name of Object.keys(found)) found[name]?.sort()
  return found
}

test('the block store, built with the plugin, records what the plain one does', {
  timeout: 120_000,
}, async () => {
  const main = await build()
  const src = join(root, 'examples/blockstore/src')
  const sources = readdirSync(src).map((name) => readFileSync(join(src, name), 'utf8'))
  const calls = sources.flatMap((text) => text.match(/\b(blk|obj)\.\w+\(/g) ?? [])
  const isStatic = readFileSync(main, 'utf8').match(/globalThis\["blkin:/g)
  expect(isStatic, 'all of its calls').toHaveLength(calls.length)
  const plain = await record(MAIN)
  const built = await record(main)
  expect(Object.keys(plain).sort()).toMatchInlineSnapshot(`
    [
      "blockstore:commit",
      "blockstore:committed",
      "blockstore:connect",
      "blockstore:disconnect",
      "blockstore:mapped",
      "blockstore:reply",
      "blockstore:request",
      "objstore:client_receive",
      "objstore:client_send",
      "objstore:server_done",
      "objstore:server_receive",
    ]
  `)
  expect(plain['blockstore:request']).toHaveLength(212)
  for (const name of Object.keys(plain)) expect(built[name], name).toEqual(plain[name])
  expect(Object.keys(built).sort()).toEqual(Object.keys(plain).sort())
})
