// relay/src/ports/fleet/fleet-session.ts: what one controller has said so far on its connection, and the calls it may make.
// The generated processor calls it, one call at a time. It checks, then asks what the relay has; it knows no socket.
// The generated code counts the parameters of a call to tell promises from callbacks: no defaults, none left out.

import { Wait } from '../../common/wait.js'
import { toWire } from '../../ctf/from-wire.js'
import { dashed } from '../../ctf/metadata.js'
import { checkGreeting } from '../../protocol/check/hello.js'
import { bytes16, int, malformed, refuse } from '../../protocol/check/refuse.js'
import type { Right } from '../../protocol/check/rights.js'
import { checkPattern, checkTarget } from '../../protocol/check/rule.js'
import { i64, type Tracepoint, types } from '../../protocol/wire.js'
import type { Follower } from '../../recording/live/follower.js'
import type { Rule } from '../../recording/rules/rule-book.js'
import type { SessionContext } from '../context.js'
import type { Side } from '../side.js'
import { fleetProcesses } from './processes.js'

const MAX_PATTERNS = 64

export class FleetSession implements Side {
  greeted = false
  finished: string | undefined
  readonly name = 'a controller'
  readonly isRefused = false
  #follower: Follower | undefined
  #rights: readonly Right[] = []

  constructor(readonly context: SessionContext) {}

  get belongs(): boolean {
    return this.greeted
  }

  get wait(): Wait | undefined {
    return this.#follower?.wait
  }

  async greet(version: number, token: string): Promise<void> {
    try {
      this.#rights = checkGreeting('greet', version, token, this.context.rightsOf, 'read')
    } catch (error) {
      this.finished = (error as Error).message
      throw error
    }
    this.greeted = true
  }

  async processes() {
    this.#greeted()
    return fleetProcesses(this.context.processes)
  }

  async tracepoints(uuid: Buffer): Promise<Tracepoint[]> {
    this.#greeted()
    const name = dashed(bytes16('uuid', uuid))
    const tracepoints = await this.context.processes.tracepoints(name)
    if (tracepoints === undefined) return refuse('NO_SESSION', `no session has the uuid ${name}`)
    return tracepoints.map(toWire)
  }

  async enabled(uuid: Buffer) {
    this.#greeted()
    const none = { rules: [], tracepoints: [] }
    return this.context.processes.enabled(dashed(bytes16('uuid', uuid))) ?? new types.Enabled(none)
  }

  async rules(): Promise<Rule[]> {
    this.#greeted()
    return this.context.rules.rules
  }

  async enable(rule: Rule): Promise<Rule[]> {
    this.#mayControl()
    return this.context.rules.enable(rule)
  }

  async disable(target: string, pattern: string): Promise<Rule[]> {
    this.#mayControl()
    return this.context.rules.disable(target, pattern)
  }

  async follow(target: string, patterns: string[]): Promise<void> {
    this.#greeted()
    checkTarget('target', target)
    if (patterns === null || patterns.length > MAX_PATTERNS)
      malformed('patterns', patterns && `${patterns.length} long`, `at most ${MAX_PATTERNS}`)
    for (const pattern of patterns) checkPattern('patterns', pattern)
    if (this.#follower) this.context.followers.leave(this.#follower)
    this.#follower = undefined
    this.#follower = this.context.followers.follow(target, patterns)
  }

  async take(waitMs: number) {
    this.#greeted()
    const ms = int('waitMs', waitMs, 0, 2 ** 31 - 1)
    const follower = this.#follower ?? refuse('NO_SESSION', 'nothing is followed; expected follow first')
    if (follower.waiting === 0) {
      follower.wait = new Wait(ms)
      await follower.wait.over
      follower.wait = undefined
    }
    const { events, dropped } = follower.take()
    return new types.Followed({ events, dropped: i64(dropped) })
  }

  async close(): Promise<void> {
    if (this.#follower) this.context.followers.leave(this.#follower)
  }

  #mayControl(): void {
    this.#greeted()
    if (!this.#rights.includes('control'))
      refuse(
        'TOKEN',
        `with this token a client may ${this.#rights.join(' and ')} here; expected one that may control`,
      )
  }

  #greeted(): void {
    if (!this.greeted) refuse('NO_HELLO', 'nothing was said before this call; expected greet first')
  }
}
