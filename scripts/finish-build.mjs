// scripts/finish-build.mjs: what tsc leaves undone: the CLI must be executable, what programs load is bundled, and so is what
// @blkin/relay carries.
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { bundleThrift, bundleTypes } from './lib/bundle.mjs'
import { bundleEntries } from './lib/entries.mjs'
import { root } from './lib/run.mjs'

chmodSync(join(root, 'dist/cli/main.js'), 0o755)
await bundleEntries()
await bundleThrift()
await bundleTypes()
