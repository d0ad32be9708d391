// scripts/lib/arm-guest.mjs: a QEMU guest with two processors of arm64, Debian's kernel for it and glibc, that runs one
// GoogleTest program and ends. For what an emulator of programs has not: rseq, threads that the guest's kernel preempts and moves.
// All is emulated on this machine's processor, whose order of loads and stores is the stronger one: that stays untested.
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { unpackedDebs } from './deb.mjs'
import { missingPackages } from './debian.mjs'
import { packInitramfs } from './guest.mjs'
import { mustRun } from './run.mjs'

const packages = ['qemu-system-arm', 'libc6-arm64-cross', 'cpio']
const libraries = [
  'ld-linux-aarch64.so.1',
  'libc.so.6',
  'libm.so.6',
  'libpthread.so.0',
  'libdl.so.2',
  'librt.so.1',
]
const TIMEOUT_S = 1200
const SLOWER = 30 // than a processor, where a processor and a kernel are emulated

/** What runs a program there, or why nothing does. */
export function armGuest() {
  if (process.arch !== 'x64') return { reason: `the guest's glibc is one for x64, this is ${process.arch}` }
  const missing = missingPackages(packages)
  if (missing.length > 0) return { reason: `${missing.join(' ')} not installed` }
  const unpacked = unpackedDebs('bookworm', 'arm64', ['linux-image-cloud-arm64*', 'busybox-static'])
  if (unpacked === undefined) return { reason: 'its kernel cannot be had' }
  return { run: (program) => runInGuest(unpacked, program) }
}

/** All that the program printed. */
async function runInGuest(unpacked, program) {
  const work = await mkdtemp(join(tmpdir(), 'blkin-guest-'))
  try {
    const boot = join(unpacked, 'boot')
    const kernel = (await readdir(boot)).find((name) => name.startsWith('vmlinuz'))
    const initramfs = join(work, 'initramfs')
    await makeTree(join(work, 'tree'), join(unpacked, 'bin/busybox'), program)
    await packInitramfs(join(work, 'tree'), initramfs)
    return await mustRun('timeout', [
      String(TIMEOUT_S),
      'qemu-system-aarch64',
      ...['-machine', 'virt,gic-version=3', '-accel', 'tcg,thread=multi', '-cpu', 'cortex-a72'],
      ...['-smp', '2', '-m', '512', '-nographic', '-nodefaults', '-serial', 'stdio', '-no-reboot'],
      ...['-kernel', join(boot, kernel), '-initrd', initramfs, '-append', 'console=ttyAMA0 quiet panic=-1'],
    ])
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function makeTree(tree, busybox, program) {
  for (const dir of ['bin', 'lib', 'proc', 'sys', 'dev', 'tmp'])
    await mkdir(join(tree, dir), { recursive: true })
  await copyFile(busybox, join(tree, 'bin/busybox'))
  await symlink('busybox', join(tree, 'bin/sh'))
  await copyFile(program, join(tree, 'bin', basename(program)))
  for (const name of libraries) {
    const from = join('/usr/aarch64-linux-gnu/lib', name)
    if (existsSync(from)) await copyFile(from, join(tree, 'lib', name))
  }
  await writeFile(join(tree, 'init'), init(basename(program)), { mode: 0o755 })
}

const init = (program) => `#!/bin/sh
export PATH=/bin
busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs dev /dev
busybox mkdir -p /dev/shm
busybox mount -t tmpfs tmpfs /dev/shm
export BLKIN_TEST_SLOWER=${SLOWER}
${program} --gtest_color=no
busybox stty -F /dev/ttyAMA0 -echo # waits until all is out of the serial port
busybox poweroff -f
`
