// scripts/lib/guest.mjs: a QEMU guest whose disk is an NBD export, and fio inside it: Debian's cloud kernel, its virtio
// modules, busybox, and nothing else. For the demo. All is emulated, so it runs where there is no KVM; slowly.
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { missingPackages } from './debian.mjs'
import { mustRun, root } from './run.mjs'
import { hashOf, isFresh, writeStamp } from './stamp.mjs'

export const guestPackages = ['qemu-system-x86', 'busybox-static', 'cpio', 'kmod', 'fio']

const place = '.cache/guest'
const cache = join(root, place)
const stamp = `${place}/stamp`
const modules = ['virtio_pci', 'virtio_blk']
const PATIENCE_S = 120

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
  const { kernel, initramfs } = await guest()
  const options = Object.entries({ ioengine: 'libaio', direct: 1, ...job }).map(
    ([key, value]) => `fio.${key}=${value}`,
  )
  const output = await mustRun('timeout', [
    String(PATIENCE_S),
    'qemu-system-x86_64',
    ...['-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max', '-m', '512'],
    ...['-nographic', '-nodefaults', '-serial', 'stdio', '-no-reboot'],
    ...['-kernel', kernel, '-initrd', initramfs],
    ...['-append', `console=ttyS0 quiet panic=-1 ${options.join(' ')}`],
    ...['-drive', `file=${uri},format=raw,if=none,id=d0,cache=none`, '-device', 'virtio-blk-pci,drive=d0'],
  ])
  const json = /\{\n {2}.fio version[\s\S]*?^\}$/m.exec(output.replaceAll('\r', ''))?.[0]
  if (json === undefined) throw new Error(`fio said nothing in the guest:\n${output.slice(-2000)}`)
  const [said] = JSON.parse(json).jobs
  if (said.error !== 0) throw new Error(`fio failed in the guest: error ${said.error}`)
  return said
}

/** Made once and kept, as long as nothing here changes. */
async function guest() {
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

/** The kernel hands on words that it does not know as arguments: they are dropped, and read where all are whole. */
function init(moduleFiles) {
  return `#!/bin/sh
set --
export PATH=/bin:/usr/bin
busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs dev /dev
${moduleFiles.map((file) => `busybox insmod /modules/${file}`).join('\n')}
while [ ! -b /dev/vda ]; do busybox sleep 0.1; done
for word in $(busybox cat /proc/cmdline); do
  case $word in fio.*) set -- "$@" "--\${word#fio.}" ;; esac
done
cd /tmp
fio --name=guest --filename=/dev/vda --output-format=json "$@"
busybox stty -F /dev/ttyS0 -echo # waits until all is out of the serial port: the end of what fio said, else, is lost
busybox poweroff -f
`
}
