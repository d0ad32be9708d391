// scripts/lib/targets.mjs: the machines that we publish an addon for, by how node-gyp-build and the package's loader name
// the files. glibc 2.28 is what Node's own builds need, so whoever runs those has it.
export const targets = [
  { name: 'linux-x64.glibc', arch: 'x64', libc: 'glibc', triple: 'x86_64-linux-gnu.2.28' },
  { name: 'linux-x64.musl', arch: 'x64', libc: 'musl', triple: 'x86_64-linux-musl' },
  { name: 'linux-arm64.glibc', arch: 'arm64', libc: 'glibc', triple: 'aarch64-linux-gnu.2.28' },
  { name: 'linux-arm64.musl', arch: 'arm64', libc: 'musl', triple: 'aarch64-linux-musl' },
]

export const prebuildOf = ({ arch, libc }) => `prebuilds/linux-${arch}/blkin.${libc}.node`
