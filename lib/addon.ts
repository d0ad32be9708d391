// lib/addon.ts: finds the addon for this machine, and loads it. For native.ts alone.
//
//   what the starter loaded       in a Worker: two addons in one process would be two tracers
//   BLKIN_PREBUILD=DIR            only there: DIR/build/Release, DIR/build/Debug, DIR/prebuilds
//   build/Release                 what `npm run build` made
//   prebuilds/linux-ARCH          what the package brings; a bundle finds it beside itself, or one folder up
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'
import { version } from './version.js'

type Libc = 'glibc' | 'musl'

/**
 * By architecture and libc. Written out, since bundlers and packers of files read such URLs, and run nothing; those that make
 * CommonJS of this have no URL at all.
 */
function packaged(): Record<string, URL> {
  try {
    return {
      'x64 glibc': new URL('../prebuilds/linux-x64/blkin.glibc.node', import.meta.url),
      'x64 musl': new URL('../prebuilds/linux-x64/blkin.musl.node', import.meta.url),
      'arm64 glibc': new URL('../prebuilds/linux-arm64/blkin.glibc.node', import.meta.url),
      'arm64 musl': new URL('../prebuilds/linux-arm64/blkin.musl.node', import.meta.url),
    }
  } catch {
    return {}
  }
}

/** Where this code lies: bundled as CommonJS it has a file name instead of a URL. */
function codeFolder(): string {
  const url: string | undefined = import.meta.url
  return url === undefined ? __dirname : dirname(fileURLToPath(url))
}

/**
 * The likely one first: what this process is linked with. musl's file is ld-musl-ARCH.so.1 on some systems, and libc.so on
 * others, where that is a link to it; glibc's is libc.so.6, or libc-2.31.so. The wrong one does not load.
 */
function libcs(): Libc[] {
  try {
    const isMusl = /\/(ld-musl-\S+|libc\.so)$/m.test(readFileSync('/proc/self/maps', 'latin1'))
    return isMusl ? ['musl', 'glibc'] : ['glibc', 'musl']
  } catch {
    return ['glibc', 'musl']
  }
}

const prebuilt = (folder: string, libc: Libc) =>
  join(folder, 'prebuilds', `linux-${process.arch}`, `blkin.${libc}.node`)

/** Where Workers find what the thread that starts them has loaded. */
const loadedHere = `blkin ${version}: addon`

function candidates(): string[] {
  const folder = process.env.BLKIN_PREBUILD
  if (folder) {
    const built = ['Release', 'Debug'].map((mode) => join(folder, 'build', mode, 'blkin.node'))
    return [...built, ...libcs().map((libc) => prebuilt(folder, libc))]
  }
  const here = codeFolder()
  const above = dirname(here)
  const urls = packaged()
  const packagedFile = (libc: Libc) => {
    const url = urls[`${process.arch} ${libc}`]
    return url === undefined ? [] : [fileURLToPath(url)]
  }
  return [
    join(above, 'build/Release/blkin.node'),
    ...libcs().flatMap((libc) => [...packagedFile(libc), prebuilt(here, libc), prebuilt(above, libc)]),
  ]
}

const switchedOff = 'addons are switched off; --permission needs --allow-addons, and --no-addons must go'

/** @throws Error that says in one line why there is none, and what to do. */
export function loadAddon(): unknown {
  if (process.platform !== 'linux')
    throw new Error(`there is no addon for ${process.platform}; blkin traces on Linux`)
  if (!['x64', 'arm64'].includes(process.arch))
    throw new Error(`there is no addon for ${process.arch}; expected x64 or arm64`)
  const started = getEnvironmentData(loadedHere)
  const files = [...new Set([...(typeof started === 'string' ? [started] : []), ...candidates()])]
  const there = files.filter((file) => existsSync(file))
  const failures: string[] = []
  // Where none is seen, because there is none or because --permission hides it, the attempt says which.
  for (const file of there.length > 0 ? there : files.slice(0, 1)) {
    const module = { exports: {} }
    try {
      process.dlopen(module, file) // and no require(), which a bundler would take for its own
      setEnvironmentData(loadedHere, file)
      return module.exports
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code === 'ERR_DLOPEN_DISABLED') throw new Error(switchedOff, { cause: error })
      failures.push(message.includes(basename(file)) ? message : `${file}: ${message}`)
    }
  }
  if (there.length > 0) throw new Error(failures.join('; '))
  throw new Error(
    `there is no addon at ${files.join(', ')}; a bundle needs the package's folder prebuilds beside it (docs/bundling.md)`,
  )
}
