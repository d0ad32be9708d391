// bench/chain/untraced.mjs: stands in the place of `blkin` in the build of the block store that has no tracing code (build.mjs): its
// tracepoints are gone with their calls, and of spans there is one, which is not recorded and whose methods are empty.
const span = { enabled: false, tag() {}, annotate() {}, end() {}, pack() {} }
const remote = { start: () => span }

export const trace = { current: () => span, start: () => span, unpack: () => remote }
export const t = { enum() {} }
export const provider = () => undefined
