// lib/string-methods.ts: methods of strings as they were when this was loaded, whatever the program makes of them later. Pure.

const plain = <T extends (...given: never[]) => unknown>(method: T) =>
  Function.prototype.call.bind(method) as unknown as (self: string, ...given: Parameters<T>) => ReturnType<T>

export const startsWith = plain(String.prototype.startsWith)
export const endsWith = plain(String.prototype.endsWith)
export const indexOf = plain(String.prototype.indexOf)
export const unitAt = plain(String.prototype.charCodeAt)
export const split = plain(String.prototype.split as (separator: string) => string[])
/** Node 20 has it; the library of types that we name does not yet. */
export const wellFormed = plain((String.prototype as unknown as { toWellFormed(): string }).toWellFormed)
