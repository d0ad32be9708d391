// scripts/lib/demo-store.mjs: starts the block store of examples/blockstore for the demo, under whatever records it.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { root, spawnBound } from './run.mjs'

/** Resolves to the first line that a child says, or rejects when it ends before. */
export async function firstLine(child) {
  const ended = once(child, 'exit')
  const ready = once(createInterface({ input: child.stdout }), 'line')
  const [line] = await Promise.race([
    ready,
    ended.then(([code]) => Promise.reject(new Error(`it exited with ${code}`))),
  ])
  return line
}

/**
 * Runs node with `before` (such as `blkin record ... -- node`) and the block store behind it.
 * Resolves when it listens: { uri, child, ended }.
 * @param {{ node?: string, main?: string, stderr?: 'inherit' | 'pipe' }} how `main`: another build of the store
 */
export async function startStore(before, options, env = {}, how = {}) {
  const { node = process.execPath, main = 'examples/blockstore/dist/main.js', stderr = 'inherit' } = how
  const child = spawnBound(node, [...before, main, 'serve', '--listen', '127.0.0.1:0', ...options], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', stderr],
  })
  const ended = once(child, 'exit')
  const line = await firstLine(child)
  const [uri] = /nbd:\/\/\S+/.exec(line) ?? []
  if (uri === undefined)
    throw new Error(`the store said ${JSON.stringify(line)}; expected its nbd:// address`)
  return { uri, child, ended }
}
