// lib/staging.ts: this thread's views on the memory that it shares with the addon. Without the addon every flag is 0
// and stays 0, so that a tracepoint is a flag test and nothing else.
import { native } from './native.js'

/** flags[id] is 0 while nobody wants tracepoint id. Written by the addon, from any thread. */
export const flags: Uint8Array = native === undefined ? new Uint8Array(16384) : new Uint8Array(native.flags())

const buffer = native === undefined ? new ArrayBuffer(4000) : native.staging()

/** First a u32: the payload's length and, 16 bits up, the tracepoint's id. From byte 8 the payload's fixed parts. */
export const staging = new DataView(buffer)

export const payloadAt = 8
