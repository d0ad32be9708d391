// lib/cli/overhead/slices.ts: what is timed: a loop of its own around each thing that is measured, for `blkin overhead` and the benchmark
// (bench/js, bench/lib/serve.mjs).

/**
 * A loop around `body`, which may use x (a new u32 each turn), i, sink and what stands in scope. It is a function of its own, with type
 * feedback and code of its own, and stores a value that depends on the last one, so V8 can neither drop a turn nor take
 * anything out of the loop.
 */
export function loopAround(scope: object, body: string, setup = ''): (count: number) => void {
  const names = Object.keys(scope)
  const source = `${setup}
    return function slice(count) {
      let x = count >>> 0
      for (let i = 0; i < count; i++) {
        x = (Math.imul(x, 1664525) + 1013904223) >>> 0
        sink[x >>> 24] = x
        ${body}
      }
    }`
  return new Function('sink', ...names, source)(new Uint32Array(256), ...Object.values(scope))
}

/** A function that is called often is compiled whole. Code that V8 puts in place of a loop that runs makes what nobody needs, 8 ns for an object. */
const piece = 500

export function turn(run: (count: number) => void, count: number): void {
  for (let left = count; left > 0; left -= piece) run(Math.min(piece, left))
}
