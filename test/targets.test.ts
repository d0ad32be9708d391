// test/targets.test.ts: the addon that we publish for each target: what it asks of a machine, and that it traces exactly under
// a real Node there: musl by musl's own loader, arm64 in an emulator, an older glibc. What cannot be had is skipped.
import { cpSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { TraceEvent } from '@blkin/relay'
import { beforeAll, describe, expect, test } from 'vitest'
import { nodeCommand, oldGlibcNodeCommand } from '../scripts/lib/machines.mjs'
import { prebuildOf, targets } from '../scripts/lib/targets.mjs'
import { whyNoZig } from '../scripts/lib/zig.mjs'
import { ensurePrebuilds } from '../scripts/prebuild.mjs'
import { readLibrary } from './support/elf.js'
import { relay } from './support/relays.js'
import { folder, program, result, root } from './support/run.js'
import { recorded } from './support/trace.js'

const noZig = whyNoZig()
beforeAll(() => ensurePrebuilds(() => {}), 900_000)

const signature = { x64: '53300553', arm64: '00bc28d4' }

describe.skipIf(noZig !== undefined)('a prebuilt addon', () => {
  for (const target of targets) {
    const library = () => readLibrary(join(root, prebuildOf(target)))

    test(`${target.name} asks for no newer library than the oldest that runs Node`, () => {
      const { needed, versions, staticTls } = library()
      expect(
        needed.filter((name) => /stdc\+\+|libgcc|libc\+\+/.test(name)),
        'its C++ library is within',
      ).toEqual([])
      const minor = versions.map((version) => Number(/^GLIBC_2\.(\d+)/.exec(version)?.[1]))
      if (target.libc === 'glibc') expect(Math.max(...minor), versions.join(' ')).toBeLessThanOrEqual(28)
      else expect(versions).toEqual([])
      expect(staticTls, 'which musl refuses to what is loaded late').toBe(target.libc === 'glibc')
    })

    test(`${target.name} gives Node two functions, and keeps all else to itself`, () => {
      const { exported, imported } = library()
      expect(exported.sort()).toEqual(
        ['napi_register_module_v1', 'node_api_module_get_api_version_v1'].sort(),
      )
      expect(
        imported.filter(({ name }) => /^__rseq/.test(name)),
        'are asked for by name',
      ).toEqual([])
      expect(
        imported.filter(({ name, weak }) => /^_Z/.test(name) && !weak),
        'of no other C++',
      ).toEqual([])
    })

    test(`${target.name}: a restartable sequence ends with the store of head, and its way out bears the signature`, () => {
      const { sequences } = library()
      expect(sequences.length).toBeGreaterThan(0)
      for (const { code, beforeAbort } of sequences) {
        expect(beforeAbort.toString('hex')).toBe(signature[target.arch as 'x64'])
        // stlr Xt, [Xn]; or mov %reg, 64(%reg), whose last byte is the 64, behind one more where the base is r12
        if (target.arch === 'arm64')
          expect(code.readUInt32LE(code.length - 4) & 0xfffffc00).toBe(0xc89ffc00 | 0)
        else expect(code.subarray(-5).toString('hex')).toMatch(/4[89cd]89..(24)?40$/)
      }
    })
  }
})

/** The package as it is installed: no build of this machine's is there to be preferred. */
function installed(): string {
  const at = folder()
  for (const name of ['dist', 'package.json', 'prebuilds'])
    cpSync(join(root, name), join(at, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(at, 'node_modules'))
  return at
}

interface Answer {
  arch: string
  buffers: { kind: string; clock: string }
}

const leased = { kind: 'thread' }
const runs = [
  ...targets.map((target) => ({
    how: target.name,
    command: () => nodeCommand(target as never),
    env: { LIBC: target.libc }, // node-gyp-build asks for Alpine's release file, which is not here
    arch: target.arch,
    // musl registers no rseq, and the emulator has none
    rings: target.name === 'linux-x64.glibc' && process.arch === 'x64' ? { kind: 'cpu' } : leased,
  })),
  { how: 'glibc 2.31', command: oldGlibcNodeCommand, env: {}, arch: 'x64', rings: leased },
  {
    how: 'glibc that is told not to register rseq',
    command: () => nodeCommand(targets[0] as never),
    env: { GLIBC_TUNABLES: 'glibc.pthread.rseq=0' },
    arch: 'x64',
    rings: leased,
  },
]

describe.skipIf(noZig !== undefined)('events are exact', () => {
  for (const { how, command, env, arch, rings } of runs) {
    test(`with ${how}`, { timeout: 120_000 }, async (context) => {
      const words = command()
      if (words === undefined) return context.skip('no such Node can be had here')
      const to = await relay()
      const answer = await result<Answer>(program('target.mjs'), {
        before: words.slice(0, -1),
        node: words.at(-1) as string,
        env: { ...to.env, ...env },
        args: [installed()],
        timeout: 100_000,
      })
      expect(answer).toMatchObject({
        arch,
        isNative: true,
        delivered: true,
        lost: { noRoom: 0, tooBig: 0, badValue: 0, noRing: 0, overwritten: 0, unstored: 0 },
        buffers: rings,
        code: 'ERR_BLKIN_SESSION',
      })
      const { events, lost } = await recorded(to.output)
      expect(lost).toBe(0)
      for (const thread of [0, 1, 2])
        expect(events.filter(({ fields }) => fields.thread === thread).map(plain)).toEqual(emitted(thread))
      expect(events).toHaveLength(1500)
    })
  }
})

const emitted = (thread: number) =>
  Array.from({ length: 500 }, (_, number) => ({
    thread,
    number,
    wide: 2n ** 64n - 1n - BigInt(number),
    signed: 0 - number,
    real: number / 8,
    kind: number % 2 === 0 ? 'read' : 'write',
    text: `é${number}`,
    list: [number, 65535],
  }))

const plain = ({ fields }: TraceEvent) => fields
