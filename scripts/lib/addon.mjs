// scripts/lib/addon.mjs: what the addon is compiled from, and with which flags; in one place for its two builds, by
// binding.gyp with the compiler of this machine, and by scripts/prebuild.mjs with one that is the same everywhere.
// binding.gyp runs it: `node scripts/lib/addon.mjs KEY` prints a list.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isMain, root } from './run.mjs'

export const addon = {
  /** Every room under native/ but those that only tests and models use. */
  sources: readdirSync(join(root, 'native'), { recursive: true })
    .filter((file) => /\.cc$/.test(file) && !/^(test|fuzz|model)\//.test(file))
    .map((file) => `native/${file}`)
    .sort(),

  // SWALLOW: in a Worker that is being terminated every call fails and nothing can be thrown; without this
  // node-addon-api then throws through Node's own frames, which ends the process.
  defines: [
    'NAPI_VERSION=9',
    'NAPI_CPP_EXCEPTIONS',
    'NODE_ADDON_API_DISABLE_DEPRECATED',
    'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
  ],

  // No detour through the PLT: it is on the path of every event.
  cflags: ['-Wall', '-Wextra', '-Wshadow', '-fvisibility=hidden', '-fno-plt'],

  // Per-thread state at a fixed distance from the thread pointer. glibc keeps some room for what is loaded late; musl
  // keeps none, and refuses to load what asks for it.
  glibc: ['-ftls-model=initial-exec'],

  cxxflags: ['-std=gnu++20', '-fvisibility-inlines-hidden'],

  // A frame pointer is what the hot call would push and pop for nobody.
  optimize: ['-O3', '-fomit-frame-pointer'],

  ldflags: [
    // A Worker that was alone in loading the addon unloads it when it ends. The consumer's code must outlive that dlclose.
    '-Wl,-z,nodelete',
    '-Wl,-z,relro,-z,now',
    `-Wl,--version-script=${join(root, 'native/addon/exports.map')}`,
  ],
}

if (isMain(import.meta)) console.log(addon[process.argv[2]].join(' '))
