// test/support/tools.ts: which tools of the machine are here. A test that needs a missing one is skipped, and says so.
import { spawnSync } from 'node:child_process'
import { describe } from 'vitest'

/** True when the command answers; `arguments_` must make it end at once. */
function answers(command: string, ...arguments_: string[]): boolean {
  return spawnSync(command, arguments_, { stdio: 'ignore' }).status === 0
}

const checks = {
  babeltrace2: () => answers('babeltrace2', '--version'),
  gcc: () => answers('gcc', '--version'),
  cmake: () => answers('cmake', '--version'),
  'lttng-sessiond': () => answers('lttng-sessiond', '--version') && answers('lttng', '--version'),
  'liblttng-ust-dev': () =>
    spawnSync('gcc', ['-E', '-include', 'lttng/tracepoint.h', '-'], { input: '', stdio: 'pipe' }).status ===
    0,
  'unshare -m': () => answers('unshare', '-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/dev/shm'),
  'unshare -n': () => answers('unshare', '-n', 'ip', 'link', 'set', 'lo', 'up'),
  prlimit: () => answers('prlimit', '--version'),
  setpriv: () => answers('setpriv', '--version'),
  tmux: () => answers('tmux', '-V'),
  bash: () => answers('bash', '--version'),
  zsh: () => answers('zsh', '--version'),
  fish: () => answers('fish', '--version'),
} satisfies Record<string, () => boolean>

export type Tool = keyof typeof checks

const found = new Map<Tool, boolean>()

export function have(tool: Tool): boolean {
  const known = found.get(tool) ?? checks[tool]()
  found.set(tool, known)
  return known
}

/** describe(), skipped with the missing tools in its name. */
export function describeWith(tools: Tool[], name: string, tests: () => void): void {
  const missing = tools.filter((tool) => !have(tool))
  describe.skipIf(missing.length > 0)(missing.length > 0 ? `${name} (without ${missing})` : name, tests)
}
