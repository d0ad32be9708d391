// bench/chain/untraced.mjs: stands in the place of `blkin` in the build of the block store that has no tracing code (build.mjs): its
// tracepoints are gone with their calls, and of spans there is one, which is not recorded and whose methods are empty.
const nothing = () => {}
const methods = ['tag', 'annotate', 'end', 'pack', 'received', 'done', 'sent']
const span = { enabled: false, ...Object.fromEntries(methods.map((name) => [name, nothing])) }
const begin = () => span
const remote = { start: begin }

export const trace = { current: begin, start: begin, unpack: () => remote }
export const t = { enum() {} }
export const provider = () => undefined
export const spans = (_, declared) => Object.fromEntries(Object.keys(declared).map((name) => [name, begin]))
