// lib/levels.ts: LTTng's 15 log levels. The smaller the number, the more severe. A table and nothing else.

export const levels = {
  emerg: 0,
  alert: 1,
  crit: 2,
  err: 3,
  warning: 4,
  notice: 5,
  info: 6,
  debug_system: 7,
  debug_program: 8,
  debug_process: 9,
  debug_module: 10,
  debug_unit: 11,
  debug_function: 12,
  debug_line: 13,
  debug: 14,
} as const

export type Level = keyof typeof levels

/** What a tracepoint has that names none: LTTng's default. */
export const defaultLevel: Level = 'debug_line'

export const levelNames = Object.keys(levels) as Level[]

export function isLevel(name: unknown): name is Level {
  return typeof name === 'string' && Object.hasOwn(levels, name)
}
