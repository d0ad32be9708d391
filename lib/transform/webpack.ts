// lib/transform/webpack.ts: `import blkin from 'blkin/webpack'`: static tracepoints at build time.
import { plugin } from './plugin.js'

export default plugin.webpack
