// scripts/finish-build.mjs: what tsc leaves undone: the CLI must be executable, and what @blkin/relay carries in bundles.
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { bundleThrift, bundleTypes } from './lib/bundle.mjs'
import { root } from './lib/run.mjs'

chmodSync(join(root, 'dist/cli/main.js'), 0o755)
await bundleThrift()
await bundleTypes()
