// bench/lib/machine.mjs: where the numbers come from, read from the machine.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'

function first(path, pattern) {
  try {
    return pattern.exec(readFileSync(path, 'utf8'))?.[1]
  } catch {
    return undefined
  }
}

function glibc() {
  try {
    return execFileSync('getconf', ['GNU_LIBC_VERSION'], { encoding: 'utf8', stdio: 'pipe' }).trim()
  } catch {
    return 'another libc'
  }
}

export function machine() {
  return {
    cpu: `${cpus().length} x ${cpus()[0]?.model.trim()}`,
    kernel: `Linux ${release()} ${process.arch}`,
    clocksource: first('/sys/devices/system/clocksource/clocksource0/current_clocksource', /(\S+)/) ?? '?',
    system: first('/etc/os-release', /PRETTY_NAME="(.*)"/) ?? '?',
    libc: glibc(),
    load: loadavg()[0].toFixed(2),
  }
}

/** @param node path of its binary */
export function nodeVersion(node) {
  const text = execFileSync(node, ['-p', 'JSON.stringify(process.versions)'], { encoding: 'utf8' })
  const { node: version, v8 } = JSON.parse(text)
  return { version, v8 }
}
