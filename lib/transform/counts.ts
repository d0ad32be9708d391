// lib/transform/counts.ts: how much was made static in this thread, for status(); in shared memory, since before Node 22.15
// modules are loaded by a thread of their own.

export const counts: Uint32Array = new Uint32Array(new SharedArrayBuffer(12))

/** Slots of counts. */
export const Count = { modules: 0, calls: 1, left: 2 } as const

export interface TransformCounts {
  readonly modules: number
  readonly calls: number
  readonly left: number
}

export const transformCounts = (): TransformCounts => ({
  modules: Atomics.load(counts, Count.modules),
  calls: Atomics.load(counts, Count.calls),
  left: Atomics.load(counts, Count.left),
})
