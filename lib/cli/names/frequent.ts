// lib/cli/names/frequent.ts: the tracepoints that the tracer declares for itself, for span names and keys that come often: up to 512,
// under a few names that end in a number (lib/trace/frequent.ts). People are shown what they stand for. Pure.

const form = /^(blkin:span_\w+)\.\d$/

/** `blkin:span_begin.0` counts as `blkin:span_begin`, which it stands for; any other name as itself. */
export const generalName = (name: string): string => form.exec(name)?.[1] ?? name

/** Those of them as one for each name that they stand for, with how many they are; the others as they came. */
export function gathered<One>(
  all: readonly One[],
  nameOf: (one: One) => string,
): { one: One; name: string; count: number }[] {
  const shown = new Map<string | One, { one: One; name: string; count: number }>()
  for (const one of all) {
    const name = nameOf(one)
    const general = generalName(name)
    const key = general === name ? one : `${general}.*`
    const known = shown.get(key)
    if (known !== undefined) known.count++
    else shown.set(key, { one, name: general === name ? name : `${general}.*`, count: 1 })
  }
  return [...shown.values()]
}
