// vitest.config.ts: tests load a native addon with state for the whole process, so each file gets a process.
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'relay/test/**/*.test.ts', 'examples/*/test/**/*.test.ts'],
    pool: 'forks',
    // Tests start processes of their own; more files at once than this only make each other late.
    maxWorkers: Math.min(2, availableParallelism()),
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
