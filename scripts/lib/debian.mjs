// scripts/lib/debian.mjs: the Debian packages that building, testing and benchmarking can use, and how
// each is found without asking dpkg, so that a tool from elsewhere counts as well.
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { mustRun, run } from './run.mjs'

const triplet = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch]
const header = (path) => () =>
  ['/usr/include', '/usr/local/include', `/usr/include/${triplet}`].some((dir) => existsSync(join(dir, path)))
const command =
  (...names) =>
  () =>
    names.some(onPath)

/** package -> is what it brings there already? */
const probes = {
  // node-gyp
  'g++': command('g++', 'c++'),
  make: command('make'),
  python3: command('python3'),
  // C++ tests, lint
  cmake: command('cmake'),
  'libgtest-dev': header('gtest/gtest.h'),
  'clang-format': command('clang-format'),
  'clang-tidy': command('clang-tidy', 'clang-tidy-14'),
  // fuzzers of C++
  'clang-14': command('clang++-14'),
  'libclang-rt-14-dev': () => existsSync('/usr/lib/llvm-14/lib/clang/14.0.6/lib/linux'),
  // models of the ring and of puts
  spin: command('spin'),
  // readers and rivals of our traces
  babeltrace2: command('babeltrace2'),
  'lttng-tools': command('lttng'),
  'liblttng-ust-dev': header('lttng/tracepoint.h'),
  'thrift-compiler': command('thrift'),
  // Zig, Node for musl, and Go for the OpenTelemetry Collector come from PyPI
  'python3-pip': () => existsSync('/usr/lib/python3/dist-packages/pip/__init__.py'),
  // A file, not `import thrift`: a python3 first on PATH need not be Debian's. Tests run /usr/bin/python3.
  'python3-thrift': () => existsSync('/usr/lib/python3/dist-packages/thrift/Thrift.py'),
  // a real Zipkin server to compare answers with
  'default-jre-headless': command('java'),
  maven: command('mvn'),
  // what scrapes a relay, and what it tells of alerts
  prometheus: command('prometheus'),
  'prometheus-alertmanager': command('prometheus-alertmanager'),
  // clients of the block device
  'qemu-utils': command('qemu-io'),
  fio: command('fio'),
  'libnbd-bin': command('nbdinfo'),
  // a real RADOS cluster for the block store
  'ceph-mon': command('ceph-mon'),
  'ceph-osd': command('ceph-osd'),
  'ceph-base': command('monmaptool'),
  'ceph-common': command('ceph'),
  librados2: () => existsSync(`/usr/lib/${triplet}/librados.so.2`),
  // a guest that uses the block store
  'qemu-system-x86': command('qemu-system-x86_64'),
  'busybox-static': command('busybox'),
  cpio: command('cpio'),
  kmod: command('kmod'),
  // what runs the addon of another processor, and what its Node needs there
  ...(process.arch === 'x64' && {
    'qemu-user-static': command('qemu-aarch64-static'),
    'qemu-system-arm': command('qemu-system-aarch64'),
    'libc6-arm64-cross': () => existsSync('/usr/aarch64-linux-gnu/lib/libc.so.6'),
    'libstdc++6-arm64-cross': () => existsSync('/usr/aarch64-linux-gnu/lib/libstdc++.so.6'),
  }),
  // pictures of pages
  chromium: command('chromium'),
  // terminals for the CLI's screens
  tmux: command('tmux'),
  // shells that it completes in
  zsh: command('zsh'),
  fish: command('fish'),
}

/** Debian starts these when they are installed; we start our own. */
const services = ['prometheus', 'prometheus-alertmanager']

export const buildTools = ['g++', 'make', 'python3']
/** What tests can use; a browser is for pictures only. */
export const allPackages = Object.keys(probes).filter((name) => name !== 'chromium')

/** Those of the names that are not there yet. */
export function missingPackages(names) {
  return names.filter((name) => {
    if (!(name in probes))
      throw new RangeError(`Debian package "${name}": expected one of ${allPackages.join(', ')}`)
    return !probes[name]()
  })
}

export const installCommand = (names) => `apt-get install -y --no-install-recommends ${names.join(' ')}`

/** Why apt-get cannot be used here, or undefined when it can. */
export function whyNoApt() {
  if (!onPath('apt-get')) return 'there is no apt-get'
  if (process.getuid() !== 0) return 'this is not root'
  return undefined
}

/** Updates the lists and installs; tries once more, for a mirror in the middle of an update. */
export async function install(names) {
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  const attempt = async () => {
    await run('apt-get', ['update', '-q'], { env }) // a stale list can still be good enough
    await mustRun('apt-get', [...installCommand(names).split(' ').slice(1), '-q'], { env })
  }
  await attempt().catch(attempt)
  const started = services.filter((name) => names.includes(name))
  if (started.length > 0 && existsSync('/run/systemd/system'))
    await run('systemctl', ['disable', '--now', ...started])
}

function onPath(name) {
  return (process.env.PATH ?? '').split(delimiter).some((dir) => {
    try {
      accessSync(join(dir, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
