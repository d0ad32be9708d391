// relay/src/ports/scribe/categories.ts: where the messages of a category go: to the spans, or to a folder of files. Pure.
// A name from the wire becomes part of a path here, and nowhere else: whatever it is, the folder is below the one for all.

/**
 * Patterns to places. A pattern is a category, or the beginning of its name and `*`: `*` alone is any other. A place is `spans`,
 * or the name of a folder, in which `*` stands for the category's name.
 */
export type Categories = Record<string, string>

/** Where spans go; no folder's name is that. */
export const SPANS = Symbol('spans')

const spans = 'spans'
/** What stands where nothing else is said. */
const usual: Categories = { zipkin: spans, '*': '*' }

/** Characters of a category, and of its folder's name. */
const longest = 200

export class Routes {
  readonly #exact = new Map<string, string>()
  /** The longest first, which wins. */
  readonly #prefixes: [prefix: string, place: string][] = []

  /** @throws TypeError naming what was given */
  constructor(given: Categories = {}) {
    for (const [pattern, place] of Object.entries({ ...usual, ...given })) {
      check(pattern, place)
      if (pattern.endsWith('*')) this.#prefixes.push([pattern.slice(0, -1), place])
      else this.#exact.set(pattern, place)
    }
    this.#prefixes.sort(([a], [b]) => b.length - a.length)
  }

  /** SPANS, or the name of a folder. Undefined where the category has no name, or it or its folder's would be too long. */
  placeOf(category: string): string | typeof SPANS | undefined {
    if (category === '' || category.length > longest) return undefined
    const place =
      this.#exact.get(category) ?? this.#prefixes.find(([prefix]) => category.startsWith(prefix))![1]
    if (place === spans) return SPANS
    if (!place.includes('*')) return place
    const folder = place.replace('*', () => folderName(category))
    return folder.length > longest ? undefined : folder
  }
}

/**
 * The name itself, where it is an ordinary one; what is not comes as %XX, so that no two names have one folder. Bytes that are
 * no UTF-8 came as U+FFFD: names that differ in such only are one.
 */
function folderName(category: string): string {
  const escaped = (byte: string) => [...Buffer.from(byte)].map(percent).join('')
  return category.replace(/^\.|[^\w.-]+/g, escaped)
}

const percent = (byte: number): string => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`

function check(pattern: string, place: string): void {
  const at = pattern.indexOf('*')
  if (pattern === '' || pattern.length > longest || (at !== -1 && at !== pattern.length - 1))
    throw new TypeError(
      `category ${JSON.stringify(pattern)}: expected a name of at most ${longest} characters, with * at its end or not at all`,
    )
  if (
    typeof place !== 'string' ||
    !/^(?!\.)[\w.-]*\*?[\w.-]*$/.test(place) ||
    place === '' ||
    place.length > 64
  )
    throw new TypeError(
      `category ${JSON.stringify(pattern)} goes to ${JSON.stringify(place)}; expected "${spans}", or the name of a folder: ` +
        'letters, digits and _ . -, at most 64, with one * for the category',
    )
}
