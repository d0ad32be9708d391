// lib/transform/vite.ts: `import blkin from 'blkin/vite'`: static tracepoints at build time.
import { plugin } from './plugin.js'

export default plugin.vite
