// lib/trace/headers.ts: reads and writes headers wherever a program keeps them: an object such as node:http's, or fetch's
// Headers. May run the program's code and throw; propagation.ts catches.

interface HeadersLike {
  get(name: string): unknown
  set(name: string, value: string): unknown
}

function isHeadersLike(carrier: object): carrier is HeadersLike {
  const { get, set } = carrier as Partial<HeadersLike>
  return typeof get === 'function' && typeof set === 'function'
}

/** The header's text; undefined where there is none, or more than one. Names are looked up as node:http has them first. */
export function readHeader(carrier: object, name: string): string | undefined {
  if (isHeadersLike(carrier)) return only(carrier.get(name))
  const headers = carrier as Record<string, unknown>
  if (Object.hasOwn(headers, name)) return only(headers[name])
  for (const key in headers) // which makes no list of them
    if (key.length === name.length && key.toLowerCase() === name && Object.hasOwn(headers, key))
      return only(headers[key])
  return undefined
}

function only(value: unknown): string | undefined {
  const one = Array.isArray(value) && value.length === 1 ? value[0] : value
  return typeof one === 'string' ? one : undefined
}

export function writeHeader(carrier: object, name: string, value: string): void {
  if (isHeadersLike(carrier)) carrier.set(name, value)
  else (carrier as Record<string, unknown>)[name] = value
}
