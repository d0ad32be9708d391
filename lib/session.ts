// lib/session.ts: sessions of this process: consumers of events, each with its own relay, rings, contexts and rules. The
// default one is made by the first enable(); others live beside it.
import { applyEnvironment, environmentSession } from './environment.js'
import { type NativeSession, native } from './native.js'
import { addRule, checkPattern, type Rule, type RuleOptions } from './rule.js'
import { checkSessionName, type SessionOptions, sessionSpec } from './session-spec.js'
import { checkWait, flushSession } from './status.js'
import { tellProgram } from './untraced.js'

export interface Session {
  readonly name: string
  /** As enable(), in this session. */
  enable(pattern: string, options?: RuleOptions): Rule
  /** As disable(), in this session. */
  disable(pattern: string): void
  /**
   * Goes on with other rings, another mode, other contexts or another relay: the rules stay and no event is missed. What
   * the rings held goes to the relay that was there, however long it is away, and to the new one where there was none;
   * until then the older form keeps a place among the 8. Where only a relay is given, the rings stay.
   */
  change(options: SessionOptions): void
  /** As flush(), of this session, and of what it held before a change. */
  flush(milliseconds?: number): Promise<boolean>
  /** Ends it: delivers what it holds, for `milliseconds` at the most, and gives its memory back. False: not all went. */
  close(milliseconds?: number): Promise<boolean>
}

/**
 * Opens a session beside those that are there, at most 8.
 *
 * @throws TypeError for options that cannot be; RangeError where the name is open already, a context is not there, or 8
 *   sessions are
 */
export function openSession(name: string, options: SessionOptions = {}): Session {
  applyEnvironment()
  checkSessionName(name)
  let spec: NativeSession = sessionSpec(name, options, environmentSession())
  native?.openSession(spec)
  tellProgram()
  return Object.freeze({
    name,
    enable: (pattern: string, rule: RuleOptions = {}) => addRule(name, pattern, rule),
    disable: (pattern: string) => native?.disable(name, checkPattern(pattern)),
    change(changes: SessionOptions) {
      const changed = sessionSpec(name, changes, spec)
      native?.changeSession(changed)
      spec = changed
    },
    flush: (milliseconds = 5000) => flushSession(name, milliseconds),
    close: async (milliseconds = 5000) => {
      const wait = checkWait('close', milliseconds)
      return native === undefined ? true : native.closeSession(name, wait)
    },
  })
}
