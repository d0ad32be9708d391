// scripts/finish-build.mjs: what tsc leaves undone: the CLI must be executable, and what programs load is bundled.
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { bundleEntries } from './lib/entries.mjs'
import { root } from './lib/run.mjs'

chmodSync(join(root, 'dist/cli/main.js'), 0o755)
await bundleEntries()
