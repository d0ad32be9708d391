// lib/transform/rollup.ts: `import blkin from 'blkin/rollup'`: static tracepoints at build time.
import { plugin } from './plugin.js'

export default plugin.rollup
