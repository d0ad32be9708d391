// relay/vitest.config.ts: how the relay's tests run on their own: `npx vitest run --root relay`.

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['test/**/*.test.ts'], pool: 'forks', testTimeout: 60_000 },
})
