// vitest.config.ts: tests load a native addon with state for the whole process, so each file gets a process.
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

// Files that act on all processes of this user, or make one that does not answer: one at a time, after the others, whose
// processes they would meet; those that install packages, which would make the others late; and benchmarks, which compare with
// what was published.
const alone = [
  ...['test/cli*.test.ts', 'test/walkthrough.test.ts', 'test/control-hostile.test.ts'],
  ...['test/recovery.test.ts', 'test/output-errors.test.ts'],
  ...['test/install*.test.ts', 'test/bench*.test.ts'],
]

export default defineConfig({
  test: {
    pool: 'forks',
    // Tests start processes of their own; more files at once than this only make each other late.
    maxWorkers: Math.min(2, availableParallelism()),
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts', 'relay/test/**/*.test.ts', 'examples/*/test/**/*.test.ts'],
          exclude: alone,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: alone, fileParallelism: false, sequence: { groupOrder: 2 } },
      },
    ],
  },
})
