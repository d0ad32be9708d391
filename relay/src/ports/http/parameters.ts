// relay/src/ports/http/parameters.ts: the parameters of a request, read as Zipkin reads them, with its words where they are
// wrong. Routes own one a request. Pure.

export class Parameters {
  constructor(readonly given: URLSearchParams) {}

  text(name: string): string | undefined {
    return this.given.get(name) ?? undefined
  }

  /** @throws RangeError */
  required(name: string): string {
    const value = this.given.get(name)
    if (value === null) throw new RangeError(`Mandatory parameter/header/attribute is missing: ${name}`)
    return value
  }

  /** @throws RangeError */
  number(name: string): number | undefined {
    const value = this.given.get(name)
    if (value === null || value === '') return undefined
    const number = Number(value)
    if (/^[+-]?\d+$/.test(value) && Number.isSafeInteger(number)) return number
    throw new RangeError(`For input string: "${value}"`)
  }
}
