// vitest.static.config.ts: tests of tracepoints once more with each call static, at load time in the programs that they start and by
// the plugin in what they import: a transformed program records what the plain one does. scripts/test.mjs runs it.
import blkin from 'blkin/vite'
import { defineConfig } from 'vitest/config'

const files = [
  ...['accounting', 'blockstore-trace', 'contexts', 'gates', 'memory', 'rules', 'sessions', 'session-turns'],
  ...['trace-spans', 'wrong-values'],
]
// Not: values, filter-differential, declarations, redeclared, whose programs ask for tracepoints by names that they work out, or are made
// of code that is no file, so that nothing becomes static; asked-in-vain, no-native, two-copies, which are about the copy of the package
// that a program loads first; control-*, cli*, whose programs are killed, or are those of the files above.

const countCalls = {
  name: 'count static calls',
  enforce: 'post' as const,
  transform(code: string) {
    const calls = code.split('globalThis["blkin:').length - 1
    const counting = `\n;globalThis.staticCalls = (globalThis.staticCalls ?? 0) + ${calls}`
    return calls > 0 ? { code: code + counting, map: null } : undefined
  },
}

export default defineConfig({
  plugins: [blkin(), countCalls],
  test: {
    name: 'static',
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 90_000, // where Workers start by dozens, each loads the parser
    hookTimeout: 60_000,
    env: { TEST_STATIC: '1' },
    setupFiles: ['test/support/static.ts'],
    include: files.map((name) => `test/${name}.test.ts`),
  },
})
