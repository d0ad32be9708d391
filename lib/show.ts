// lib/show.ts: a value that was refused, for the error that names it. Never throws, whatever it is given, and stays short. Pure.

const most = 120

export function show(value: unknown): string {
  if (typeof value === 'string')
    return JSON.stringify(value.length > most ? `${value.slice(0, most)}…` : value)
  if (typeof value === 'function') return 'a function'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}
