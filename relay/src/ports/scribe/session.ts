// relay/src/ports/scribe/session.ts: what a client of Scribe may ask: Log, and what fb303 has every server tell of itself.
// The generated processor calls it, one call at a time. It knows no socket and no bytes.
// The generated code counts the parameters of a call to tell promises from callbacks: no defaults, none left out.

import { fb303, i64, scribeTypes } from '../../protocol/wire.js'
import type { Side } from '../side.js'
import type { Entry, Intake } from './intake.js'

const { OK, TRY_LATER } = scribeTypes.ResultCode
const { ALIVE, STOPPING, WARNING } = fb303.fb_status

export class ScribeSession implements Side {
  /** Scribe has no hello, and no token. */
  readonly greeted = true
  /** What it can show is that it logs. */
  belongs = false
  readonly finished = undefined
  readonly isRefused = false
  readonly wait = undefined
  readonly name = "Scribe's client"

  constructor(
    readonly intake: Intake,
    readonly version: string,
    /** Seconds since the epoch. */
    readonly since: number,
  ) {}

  async Log(messages: Entry[] | null) {
    const isTaken = await this.intake.log(messages ?? [])
    this.belongs ||= isTaken
    return isTaken ? OK : TRY_LATER
  }

  async getName() {
    return 'blkin'
  }

  async getVersion() {
    return this.version
  }

  async getStatus() {
    if (this.intake.isClosing) return STOPPING
    return this.intake.files.trouble === undefined ? ALIVE : WARNING
  }

  async getStatusDetails() {
    return this.intake.files.trouble ?? ''
  }

  async getCounters() {
    return Object.fromEntries([...this.intake.counters.all()].map(([name, count]) => [name, i64(count)]))
  }

  async getCounter(key: string) {
    return i64(this.intake.counters.get(key))
  }

  /** There are none. */
  async setOption(_key: string, _value: string) {}

  async getOption(_key: string) {
    return ''
  }

  async getOptions() {
    return {}
  }

  async getCpuProfile(_seconds: number) {
    return ''
  }

  async aliveSince() {
    return i64(this.since)
  }

  async close() {}
}
