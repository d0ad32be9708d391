// relay/src/recording/live/followers.ts: those who watch events while a relay records them, told of each put by observed.ts. What a recording
// takes is decoded only while somebody follows the process, once for all who do. No follower is waited for: each has a bounded
// queue of its own (follower.ts).

import type { Reject } from '../../common/rejections.js'
import type { TraceInfo } from '../../ctf/model.js'
import { Decoders, PacketError } from '../../ctf/packet-reader.js'
import { formatJson } from '../../ctf/print/json.js'
import { PutDecoder } from '../../ctf/put-decoder.js'
import type { TraceItem } from '../../ctf/read/merge.js'
import { refuse } from '../../protocol/check/refuse.js'
import type { PutObserver, RecordingObserver, TakenPut } from '../observed.js'
import type { Recording } from '../recording.js'
import { Feed } from './feed.js'
import { Follower } from './follower.js'

const MOST = 64

export class Followers implements RecordingObserver {
  readonly feed = new Feed((items) => this.#deliver(items))
  readonly #all = new Set<Follower>()
  /** Changes whenever the followers do. */
  generation = 0

  constructor(readonly reject: Reject) {}

  opened({ info }: Recording): PutObserver {
    return new FollowedPuts(info, this)
  }

  follow(target: string, patterns: string[]): Follower {
    if (this.#all.size >= MOST) refuse('LIMIT', `${MOST} followers are there already; end one first`)
    const follower = new Follower(target, patterns)
    this.#all.add(follower)
    this.generation++
    return follower
  }

  leave(follower: Follower): void {
    follower.wait?.end()
    this.#all.delete(follower)
    this.generation++
  }

  /** Of those who follow this process now. */
  decoders(info: TraceInfo): Decoders | undefined {
    const followers = [...this.#all].filter((one) => one.follows(info))
    if (followers.length === 0) return undefined
    return new Decoders(info, (name) => followers.some((one) => one.covers(name)))
  }

  #deliver(items: TraceItem[]): void {
    for (const item of items) {
      let line: string | undefined
      for (const follower of this.#all) {
        if (!follower.wants(item)) continue
        if (follower.full) follower.drop(item)
        else {
          line ??= formatJson(item)
          follower.push(line)
        }
      }
    }
  }
}

class FollowedPuts implements PutObserver {
  #generation = -1
  #decoder: PutDecoder | undefined

  constructor(
    readonly info: TraceInfo,
    readonly followers: Followers,
  ) {}

  get isFollowing(): boolean {
    return this.#current() !== undefined
  }

  wants(): boolean {
    return this.isFollowing
  }

  /** The put is stored whatever is in it, so an event that is not as declared is only told. */
  taken({ stream, before, mark, packets }: TakenPut): void {
    try {
      const items = this.#current()?.decode(stream, before, mark.epoch, packets)
      if (items) this.followers.feed.hold(items)
    } catch (error) {
      if (!(error instanceof PacketError)) throw error
      const { program, pid } = this.info
      const put = before.sequence + 1
      const which = `${program} (pid ${pid}): stream ${stream}, put ${put}`
      const why = `${which} cannot be followed: ${error.message} in a packet`
      this.followers.reject('put', 'not as declared', why, { isLost: false })
    }
  }

  close(): void {}

  #current(): PutDecoder | undefined {
    if (this.#generation !== this.followers.generation) {
      this.#generation = this.followers.generation
      const decoders = this.followers.decoders(this.info)
      this.#decoder = decoders && new PutDecoder(decoders)
    }
    return this.#decoder
  }
}
