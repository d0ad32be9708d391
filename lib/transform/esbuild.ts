// lib/transform/esbuild.ts: `import blkin from 'blkin/esbuild'`: static tracepoints at build time.
import { plugin } from './plugin.js'

export default plugin.esbuild
