// scripts/lib/guest.mjs: a QEMU guest whose disk is an NBD export, and fio inside it: Debian's cloud kernel, its virtio
// modules, busybox, and nothing else. For the demo and the chain's benchmark. All is emulated, so it runs where there is no KVM; slowly.
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { missingPackages } from './debian.mjs'
import { mustRun, root, spawnBound } from './run.mjs'
import { hashOf, isFresh, writeStamp } from './stamp.mjs'

export const guestPackages = ['qemu-system-x86', 'busybox-static', 'cpio', 'kmod', 'fio']

const place = '.cache/guest'
const cache = join(root, place)
const stamp = `${place}/stamp`
const modules = ['virtio_pci', 'virtio_blk']
const PATIENCE_MS = 120_000

/** Why there can be no guest, or undefined. */
export function whyNoGuest() {
  const missing = missingPackages(guestPackages)
  if (missing.length > 0) return `${missing.join(' ')} not installed`
  if (!existsSync('/usr/bin/apt-get')) return 'there is no apt-get to fetch its kernel'
  return process.arch === 'x64' ? undefined : `the guest is for x64, this is ${process.arch}`
}

/**
 * Boots a guest, lets fio work on the disk and ends it.
 *
 * @param {string} uri nbd://HOST:PORT/EXPORT
 * @param {Record<string, string | number>} job fio's options
 * @returns what fio says, as its JSON has it
 */
export async function fioInGuest(uri, job) {
  const guest = await startGuest([uri])
  try {
    return await guest.fio(0, job)
  } finally {
    await guest.stop()
  }
}

/**
 * Boots a guest with a disk for each export.
 *
 * @param {string[]} uris at most 26
 * @param {{ merging?: boolean }} options whether its kernel and QEMU may join requests that lie side by side, as they do by themselves
 */
export async function startGuest(uris, { merging = true } = {}) {
  const { kernel, initramfs } = await guestFiles()
  const drives = uris.flatMap((uri, i) => [
    ...['-drive', `file=${uri},format=raw,if=none,id=d${i},cache=none`],
    ...['-device', `virtio-blk-pci,drive=d${i},request-merging=${merging ? 'on' : 'off'}`],
  ])
  const child = spawnBound(
    'qemu-system-x86_64',
    [
      ...['-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max', '-m', '512'],
      ...['-nographic', '-nodefaults', '-serial', 'stdio', '-no-reboot'],
      ...['-kernel', kernel, '-initrd', initramfs, '-append', 'console=ttyS0 quiet panic=-1'],
      ...drives,
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const ended = once(child, 'exit')
  const serial = new Serial(child)
  const stop = async () => {
    child.stdin.end('busybox poweroff -f\n')
    const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
    await ended
    clearTimeout(timer)
  }
  try {
    await serial.answer()
    for (const i of uris.keys()) await serial.run(`while [ ! -b ${disk(i)} ]; do busybox sleep 0.1; done`)
    if (!merging) await serial.run('for one in /sys/block/vd*/queue/nomerges; do echo 2 > $one; done')
  } catch (error) {
    await stop()
    throw error
  }
  return {
    /** @returns what fio says of a job on that disk, as its JSON has it */
    async fio(i, job) {
      const options = Object.entries({ ioengine: 'libaio', direct: 1, ...job }).map(
        ([key, value]) => `--${key}=${value}`,
      )
      const output = await serial.run(
        `fio --name=guest --filename=${disk(i)} --output-format=json ${options.join(' ')}`,
      )
      const [said] = JSON.parse(output.slice(output.indexOf('{'))).jobs
      if (said.error !== 0) throw new Error(`fio failed in the guest: error ${said.error}`)
      return said
    },
    stop,
  }
}

/** As the guest calls the disk. */
const disk = (i) => `/dev/vd${String.fromCharCode(97 + i)}`

/** The guest's shell, a line at a time, by its serial port. */
class Serial {
  #child
  #said = ''
  #heard = () => {}

  constructor(child) {
    this.#child = child
    child.stdin.on('error', () => {}) // it has ended, which answer() tells
    child.stdout.setEncoding('utf8').on('data', (text) => {
      this.#said += text.replaceAll('\r', '')
      this.#heard()
    })
    child.on('exit', () => this.#heard())
  }

  run(command) {
    this.#child.stdin.write(`${command}\n`)
    return this.answer()
  }

  /** What the shell says until it is done with a command. */
  answer() {
    return new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`the guest ${why}:\n${this.#said.slice(-2000)}`))
      const timer = setTimeout(() => fail(`does not answer for ${PATIENCE_MS / 1000} s`), PATIENCE_MS)
      this.#heard = () => {
        const done = doneLine.exec(this.#said)
        if (done === null && this.#child.exitCode === null && this.#child.signalCode === null) return
        clearTimeout(timer)
        if (done === null) return fail('ended')
        const output = this.#said.slice(0, done.index)
        if (done[1] !== '0') return fail(`failed with ${done[1]}`)
        this.#said = this.#said.slice(done.index + done[0].length)
        resolve(output)
      }
      this.#heard()
    })
  }
}

/** What init() says after each command. */
const doneLine = /^=== (\d+)\n/m

/** Made once and kept, as long as nothing here changes. */
async function guestFiles() {
  const products = [`${place}/vmlinuz`, `${place}/initramfs`]
  const [kernel, initramfs] = products.map((file) => join(root, file))
  const made = hashOf(['scripts/lib/guest.mjs'])
  if (isFresh(stamp, made, products)) return { kernel, initramfs }
  await rm(cache, { recursive: true, force: true })
  const unpacked = join(cache, 'kernel')
  await mkdir(unpacked, { recursive: true })
  const depends = await mustRun('apt-cache', ['depends', 'linux-image-cloud-amd64'])
  const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1]
  if (name === undefined) throw new Error('apt-cache knows no kernel of linux-image-cloud-amd64')
  await mustRun('apt-get', ['download', name], { cwd: cache })
  const deb = (await readdir(cache)).find((file) => file.endsWith('.deb'))
  await mustRun('dpkg', ['-x', join(cache, deb), unpacked])
  const version = name.replace('linux-image-', '')
  await mustRun('depmod', ['-b', unpacked, version])
  await copyFile(join(unpacked, 'boot', `vmlinuz-${version}`), kernel)
  await makeInitramfs(unpacked, version, initramfs)
  await rm(unpacked, { recursive: true })
  await rm(join(cache, deb))
  writeStamp(stamp, made)
  return { kernel, initramfs }
}

async function makeInitramfs(kernel, version, target) {
  const tree = join(cache, 'tree')
  for (const dir of ['bin', 'proc', 'sys', 'dev', 'tmp', 'modules'])
    await mkdir(join(tree, dir), { recursive: true })
  const busybox = (await mustRun('which', ['busybox'])).trim()
  await copyFile(busybox, join(tree, 'bin/busybox'))
  await symlink('busybox', join(tree, 'bin/sh'))
  await copyWithLibraries((await mustRun('which', ['fio'])).trim(), tree)
  const depends = ['-d', kernel, '-S', version, '--show-depends', '-a', ...modules]
  const loaded = [...(await mustRun('/sbin/modprobe', depends)).matchAll(/^insmod (\S+)/gm)].map(
    ([, file]) => file,
  )
  const inOrder = [...new Set(loaded)]
  for (const file of inOrder) await copyFile(file, join(tree, 'modules', basename(file)))
  await writeFile(join(tree, 'init'), init(inOrder.map((file) => basename(file))), { mode: 0o755 })
  await packInitramfs(tree, target)
}

/** As a kernel unpacks it; the tree is gone then. */
export async function packInitramfs(tree, target) {
  const pack = `find . | cpio -o -H newc -R 0:0 --quiet > ../packed && gzip -1c ../packed > ${target}`
  await mustRun('sh', ['-c', pack], { cwd: tree })
  await rm(join(dirname(tree), 'packed'))
  await rm(tree, { recursive: true })
}

async function copyWithLibraries(program, tree) {
  const libraries = [...(await mustRun('ldd', [program])).matchAll(/(\/\S+) \(0x/g)].map(([, file]) => file)
  for (const file of [program, ...libraries]) {
    await mkdir(join(tree, dirname(file)), { recursive: true })
    await copyFile(file, join(tree, file))
  }
}

/** The first program: each line of the serial port is a command. */
function init(moduleFiles) {
  return `#!/bin/sh
export PATH=/bin:/usr/bin
busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs dev /dev
busybox stty -F /dev/ttyS0 -echo
${moduleFiles.map((file) => `busybox insmod /modules/${file}`).join('\n')}
cd /tmp
line=true
while true; do
  eval "$line"
  code=$?
  echo
  echo "=== $code"
  read -r line
done
`
}
