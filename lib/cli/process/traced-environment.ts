// lib/cli/process/traced-environment.ts: the environment that makes the Node.js processes of a command trace to a relay, for record and overhead. The
// flags' variables are the very ones that a traced program reads, so what is set around the command counts as if it were given to it.
import type { ChannelFlags, EnableFlags, RuleFlags } from '../options/flags.js'

/** @param errorFile where processes say why they are not traced: error-file.ts */
export function tracedEnvironment(
  relay: { address: string; token: string },
  errorFile: string,
  flags: EnableFlags & RuleFlags & ChannelFlags,
): NodeJS.ProcessEnv {
  const { buffer, mode, sample } = flags
  const rule: Record<string, string | undefined> = {
    BLKIN_ENABLE: flags.enable.join(','),
    BLKIN_EXCLUDE: flags.exclude.join(','),
    BLKIN_LEVEL: flags.level,
    BLKIN_EXACTLY: flags.exactly,
    BLKIN_FILTER: flags.filter,
    BLKIN_SAMPLE: sample && `${sample.keep}/${sample.of}`,
    BLKIN_BUFFER: buffer && `${buffer.subBuffers}x${buffer.subBufferBytes}`,
    BLKIN_MODE: mode && (mode.blockMs === undefined ? mode.mode : `${mode.mode}:${mode.blockMs}`),
    BLKIN_CONTEXT: flags.context?.join(','),
  }
  return {
    ...process.env,
    NODE_OPTIONS: importing('register.mjs'),
    BLKIN_RELAY: relay.address,
    BLKIN_TOKEN: relay.token,
    BLKIN_ERROR_FILE: errorFile,
    ...Object.fromEntries(Object.entries(rule).filter(([, value]) => value !== undefined)),
  }
}

/** NODE_OPTIONS under which Node.js processes load these of our files first, beside what it says already. */
export function importing(...files: string[]): string {
  const flags = files.map((file) => `--import=${new URL(`../../${file}`, import.meta.url).href}`)
  return [process.env.NODE_OPTIONS ?? '', ...flags].join(' ').trim()
}
