// relay/src/recording/live/followers.ts: those who watch events while a relay records them, and the recordings that tell them.
// A recording is wrapped here when its process says hello; what it takes is decoded only while somebody follows the
// process, once for all who do. No follower is waited for: each has a bounded queue of its own (follower.ts).

import type { Reject } from '../../common/rejections.js'
import type { Epoch } from '../../ctf/epochs.js'
import type { TraceInfo } from '../../ctf/model.js'
import { Decoders, PacketError } from '../../ctf/packet-reader.js'
import { formatJson } from '../../ctf/print/json.js'
import { PutDecoder } from '../../ctf/put-decoder.js'
import type { TraceItem } from '../../ctf/read/merge.js'
import type { Process } from '../../protocol/check/hello.js'
import { refuse } from '../../protocol/check/refuse.js'
import type { Tracepoint } from '../../protocol/wire.js'
import type { Mark, PutMark } from '../mark.js'
import type { Recorder, Recording } from '../recording.js'
import { Feed } from './feed.js'
import { Follower } from './follower.js'

const MOST = 64

export class Followers implements Recorder {
  readonly feed = new Feed((items) => this.#deliver(items))
  readonly #all = new Set<Follower>()
  /** Changes whenever the followers do. */
  generation = 0

  constructor(
    readonly recorder: Recorder,
    readonly reject: Reject,
  ) {}

  async open(process: Process): Promise<Recording> {
    return new Followed(await this.recorder.open(process), this)
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

class Followed implements Recording {
  readonly #followers: Followers
  #generation = -1
  #decoder: PutDecoder | undefined

  constructor(
    readonly inner: Recording,
    followers: Followers,
  ) {
    this.#followers = followers
  }

  get process(): Process {
    return this.inner.process
  }

  get info(): TraceInfo {
    return this.inner.info
  }

  get followed(): boolean {
    return this.inner.followed || this.#current() !== undefined
  }

  get streams(): number[] {
    return this.inner.streams
  }

  held(stream: number): Promise<Mark> {
    return this.inner.held(stream)
  }

  declare(tracepoints: Tracepoint[]): Promise<void> {
    return this.inner.declare(tracepoints)
  }

  async put(stream: number, mark: PutMark, packets: Buffer): Promise<boolean> {
    const decoder = this.#current()
    if (decoder === undefined) return this.inner.put(stream, mark, packets)
    const before = await this.inner.held(stream)
    const taken = await this.inner.put(stream, mark, packets)
    if (taken) this.#tell(decoder, stream, before, mark.epoch, packets)
    return taken
  }

  close(): Promise<void> {
    return this.inner.close()
  }

  #current(): PutDecoder | undefined {
    if (this.#generation !== this.#followers.generation) {
      this.#generation = this.#followers.generation
      const decoders = this.#followers.decoders(this.info)
      this.#decoder = decoders && new PutDecoder(decoders)
    }
    return this.#decoder
  }

  /** The put is stored whatever is in it, so an event that is not as declared is only told. */
  #tell(decoder: PutDecoder, stream: number, before: Mark, epoch: Epoch, packets: Buffer): void {
    try {
      this.#followers.feed.hold(decoder.decode(stream, before, epoch, packets))
    } catch (error) {
      if (!(error instanceof PacketError)) throw error
      const { program, pid } = this.process
      const put = before.sequence + 1
      const which = `${program} (pid ${pid}): stream ${stream}, put ${put}`
      const why = `${which} cannot be followed: ${error.message} in a packet`
      this.#followers.reject('put', 'not as declared', why, { isLost: false })
    }
  }
}
