// relay/src/ctf/epochs.ts: what a session's times are by the time of day, which changes when somebody sets the clock. CTF has one such
// number a trace, so each epoch is a trace of its own: docs/ctf.md. Pure.

export interface Epoch {
  /** Counted from 0, which is what hello says. */
  number: number
  /** Nanoseconds from packet time to the epoch of 1970. */
  offset: bigint
}

/** Readers take traces of one uuid for one trace. */
export function uuidOf(session: Buffer, { number }: Epoch): Buffer {
  const uuid = Buffer.from(session)
  uuid.writeUInt32LE((uuid.readUInt32LE(12) ^ number) >>> 0, 12)
  return uuid
}
