// bench/lib/rows.mjs: what is measured, in the order of the table, and the targets. A table and nothing else.
//   in     the process that runs it: js (bench/js/slices.mjs), spans, peers (of the same folder), pack, lttng
//   most   turns a slice may have: a recording one must leave half of the ring free
//   over   the loop without the call, to take away
const ring = 2 * 2 ** 20

export const rows = [
  { id: 'js.loop', in: 'js', says: 'the loop that every JavaScript row is in' },
  { id: 'js.off', in: 'js', over: 'js.loop', says: 'tracepoint off, 3 integers' },
  { id: 'js.switched', in: 'js', over: 'js.loop', says: '... one that was on before' },
  { id: 'js.noop', in: 'js', says: 'Node-API call that does nothing' },
  { id: 'js.floor', in: 'js', says: '**floor**: Node-API call that reads the TSC and stores it' },
  { id: 'js.none', in: 'js', most: ring / 16, says: 'tracepoint on, no fields' },
  { id: 'js.ints', in: 'js', most: ring / 32, says: '**tracepoint on, 3 integers** (u32)' },
  { id: 'js.request', in: 'js', most: ring / 32, says: 'tracepoint on, a block request (enum, u64, u32)' },
  { id: 'js.text', in: 'js', most: ring / 40, says: 'tracepoint on, a string of 16 bytes' },
  { id: 'js.three', in: 'js', most: ring / 32, says: '3 integers, on in three sessions at once' },
  { id: 'js.context', in: 'js', most: ring / 40, says: '3 integers, with the contexts tid and cpu' },
  { id: 'js.overwriting', in: 'js', says: '3 integers, in overwrite mode' },
  { id: 'js.small', in: 'js', says: '3 integers, in overwrite mode, a ring that stays in the cache' },
  { id: 'js.kept', in: 'js', most: ring / 32, says: '3 integers, kept by a filter of two comparisons' },
  { id: 'js.filtered', in: 'js', says: '3 integers, refused by a filter of two comparisons' },
  { id: 'js.sampled', in: 'js', says: '3 integers, refused by a sample of 1/1000000' },
  { id: 'js.named', in: 'js', says: 'a string of 16 bytes, refused by a filter that compares it' },
  { id: 'pack.ticks', in: 'pack', says: 'C++: the TSC read and stored' },
  { id: 'pack.write', in: 'pack', most: ring / 32, says: 'C++: 3 integers into the ring' },
  { id: 'pack.pack', in: 'pack', most: ring / 32, says: 'C++: out of the ring and into CTF packets' },
  { id: 'lttng.loop', in: 'lttng', says: 'LTTng-UST from C: the loop' },
  { id: 'lttng.off', in: 'lttng', over: 'lttng.loop', says: 'LTTng-UST from C, off, 3 integers' },
  { id: 'lttng.none', in: 'lttng', most: 40_000, says: 'LTTng-UST from C, no fields' },
  { id: 'lttng.ints', in: 'lttng', most: 30_000, says: 'LTTng-UST from C, 3 integers' },
  { id: 'lttng.request', in: 'lttng', most: 30_000, says: 'LTTng-UST from C, a block request' },
  { id: 'lttng.text', in: 'lttng', most: 30_000, says: 'LTTng-UST from C, a string of 16 bytes' },
  { id: 'spans.loop', in: 'spans', says: 'the loop that every row of spans is in' },
  { id: 'spans.off', in: 'spans', over: 'spans.loop', says: 'span, 3 tags, nobody records' },
  { id: 'spans.out', in: 'spans', over: 'spans.loop', says: '... sampled out' },
  { id: 'spans.empty', in: 'spans', most: 5000, says: 'span recorded, no tags' },
  { id: 'spans.span', in: 'spans', most: 5000, says: 'span recorded, 3 tags one by one' },
  { id: 'spans.started', in: 'spans', most: 5000, says: '**span recorded, 3 tags at its beginning**' },
  { id: 'spans.declared', in: 'spans', most: 5000, says: '**declared span recorded, 3 tags**' },
  { id: 'spans.otelout', in: 'spans', says: 'OpenTelemetry SDK: span, 3 tags, sampled out' },
  { id: 'spans.otel', in: 'spans', most: 5000, says: 'OpenTelemetry SDK: span recorded, 3 tags' },
  { id: 'js.channelsilent', in: 'js', over: 'js.loop', says: 'diagnostics_channel, nobody listens' },
  { id: 'js.channelheard', in: 'js', says: 'diagnostics_channel, one listener that keeps the object' },
  { id: 'js.now', in: 'js', says: 'performance.now()' },
  { id: 'js.mark', in: 'js', most: 5000, says: 'performance.mark()' },
  { id: 'js.marktraced', in: 'js', most: 5000, says: 'performance.mark() under node:trace_events' },
  { id: 'js.json', in: 'js', says: 'JSON.stringify() into a Buffer' },
  { id: 'js.devnull', in: 'js', says: 'fs.writeSync() of a line to /dev/null' },
  { id: 'peers.pino', in: 'peers', most: 2000, says: 'pino with a transport in a Worker, to a file' },
  { id: 'peers.console', in: 'peers', most: 2000, says: 'console.log() of a line, stdout a file' },
]

/** Whose garbage is taken, and whose turns are timed one by one. */
export const garbageRows = [
  ...['js.off', 'js.ints', 'js.text', 'js.channelheard', 'js.mark', 'js.json'],
  ...['peers.pino', 'peers.console'],
]
export const latencyRows = ['js.loop', 'js.off', 'js.ints', 'js.text', 'peers.pino', 'peers.console']

/** Bytes of the fields of the events of bench/js/slices.mjs, by id, for whoever counts them in files. */
export const recordedEvents = {
  off: 12, switched: 12, none: 0, ints: 12, request: 13, text: 17,
  three: 12, context: 12, overwriting: 12, kept: 12, filtered: 12, sampled: 12, named: 17, small: 12,
} // biome-ignore format: a table

/** What events carry before their fields, by session: bytes. */
export const contextBytes = { contexts: 8 }

/** The share of js.sampled that is kept. */
export const sample = 1e-6

/**
 * Ratios (`to`) or differences in ns (`less`) of two rows of the same round, and what they shall
 * be at most.
 */
export const targets = [
  { of: 'js.ints', to: 'js.floor', most: 1.2, says: 'on, 3 integers, to the floor' },
  { of: 'js.ints', to: 'lttng.ints', most: 0.2, says: 'on, 3 integers, to LTTng-UST from C' },
  { of: 'js.request', to: 'lttng.request', says: 'on, block request, to LTTng-UST from C' },
  { of: 'js.text', to: 'lttng.text', most: 0.35, says: 'on, string, to LTTng-UST from C' },
  { of: 'js.none', to: 'lttng.none', says: 'on, no fields, to LTTng-UST from C' },
  { of: 'pack.write', to: 'lttng.ints', says: 'C++ into the ring, to LTTng-UST from C' },
  { of: 'js.off', less: 'js.loop', most: 1, says: 'off, over the loop alone' },
  { of: 'js.switched', less: 'js.loop', most: 1, says: 'off after being on, over the loop alone' },
  {
    of: 'js.filtered',
    less: 'js.loop',
    most: 3,
    says: 'refused by a filter of two comparisons, over the loop alone',
  },
  { of: 'js.sampled', less: 'js.loop', most: 3, says: 'refused by a share, over the loop alone' },
  { of: 'js.kept', to: 'js.ints', most: 1.1, says: 'kept by a filter, to without filter' },
  { of: 'js.three', to: 'js.ints', most: 2, says: 'three sessions at once, to one' },
  { of: 'js.context', to: 'js.ints', most: 1.25, says: 'with tid and cpu, to without contexts' },
  { of: 'js.overwriting', to: 'js.ints', says: 'overwrite mode, to discard' },
  { of: 'lttng.off', less: 'lttng.loop', says: "LTTng-UST's off, over its loop alone" },
  {
    of: 'spans.declared',
    to: 'spans.otel',
    most: 0.08,
    says: 'declared span with 3 tags, to the OpenTelemetry SDK',
  },
  { of: 'spans.started', to: 'spans.otel', most: 0.125, says: 'span begun with 3 tags, to the same' },
  { of: 'spans.span', to: 'spans.otel', says: '... that are told one by one' },
  {
    of: 'spans.out',
    less: 'spans.loop',
    most: 10,
    says: 'span with 3 tags, sampled out, over the loop alone',
  },
  { of: 'spans.off', less: 'spans.loop', most: 10, says: 'span with 3 tags, off, over the loop alone' },
]

export const packTarget = 20e6 // events a second, on one core
export const endToEndTarget = 5e6 // events a second, with nothing lost
