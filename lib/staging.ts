// lib/staging.ts: this thread's views on the memory that it shares with the addon. Without the addon every flag is 0
// and stays 0, so that a tracepoint is a flag test and nothing else.
import { native } from './native.js'

/**
 * flags[id] is 0 while nobody wants tracepoint id; from `gated` on, a session has something to ask before it takes it.
 * Written by the addon, from any thread.
 */
export const flags: Uint16Array =
  native === undefined ? new Uint16Array(16384) : new Uint16Array(native.flags())

/** Tracepoint id's flag alone. */
export const flagOf = (id: number): Uint16Array => flags.subarray(id, id + 1)

/** native/rules/registry.hpp, kGated. */
export const gated = 256

/** By tracepoint: rises before flags and gates change. Written by the addon, from any thread. */
export const generations: Uint32Array =
  native === undefined ? new Uint32Array(0) : new Uint32Array(native.generations())

const buffer = native === undefined ? new ArrayBuffer(4000) : native.staging()

/**
 * First a u32, stagedHead(): which event it is, and how long; with `stagedAsked` in it, the u32 behind it is what a gate
 * said. From byte 8 the payload's fixed parts.
 */
export const staging = new DataView(buffer)

export const payloadAt = 8

/** Staging as words of this machine, which is little-endian as the ring is: ids go in by halves. */
export const words: Int32Array = new Int32Array(buffer, 0, buffer.byteLength >> 2)

/** native/addon/environment.hpp, kStagedAsked. */
export const stagedAsked = 0x8000
export const askedAt = 4
