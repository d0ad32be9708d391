/**
 * What a traced process says to a relay. Strict binary protocol, framed transport, one TCP connection a
 * process. Calls are answered in the order they came; several puts may be in flight.
 * The C++ client (native/thrift) and the relay's intake (relay/gen, compiled from this file) both follow it.
 */
namespace js blkin
namespace py blkin

const i32 PROTOCOL_VERSION = 1

/** The type of one value. Numbers are little-endian in a packet, however the wire sends them here. */
enum Type {
  U8 = 1, U16 = 2, U32 = 3, U64 = 4,
  I8 = 5, I16 = 6, I32 = 7, I64 = 8,
  F32 = 9, F64 = 10,
  BOOL = 11,    // one byte, 0 or 1
  STRING = 12,  // UTF-8, ended by a NUL
  ENUM = 13,    // an integer of the field's container type, with labels
  BYTES = 14    // u32 length, then the bytes
}

enum Shape {
  SCALAR = 0,
  ARRAY = 1,    // Field.length values
  SEQUENCE = 2  // u32 length, then the values
}

struct Label {
  1: required string name
  2: required i64 value
}

struct Field {
  1: required string name
  2: required Type type
  3: required Shape shape
  4: optional i32 length        // ARRAY only
  5: optional Type container    // ENUM only: U8, U16 or I32
  6: optional list<Label> labels  // ENUM only
}

/** A tracepoint. Ids count from 0 within a process and never change their meaning. */
struct Tracepoint {
  1: required i32 id
  2: required string provider
  3: required string event
  4: required i32 level         // LTTng's 0 (emerg) to 14 (debug)
  5: required list<Field> fields
}

/** Packet times are nanoseconds of CLOCK_MONOTONIC. */
struct Clock {
  1: required binary bootId     // 16 bytes: two clocks with one boot id are one clock
  2: required i64 offset        // nanoseconds to add to get CLOCK_REALTIME, measured at the start
}

/** When a put is answered: once handed to the kernel, or once on the disk (fdatasync). */
enum Ack { WRITTEN = 1, SYNCED = 2 }

struct Hello {
  1: required i32 version
  2: required binary uuid       // 16 bytes: names the traced process, and its trace
  3: required i32 pid
  4: required i64 startedAt     // nanoseconds since the epoch
  5: required string hostname
  6: required string program
  7: required Clock clock
  8: required Ack ack
  9: optional string token
}

/** What the relay already holds of a stream; a sender goes on from there. */
struct Held {
  1: required i32 stream
  2: required i64 sequence      // of the last put stored
  3: required i64 position      // its Put.position
  4: required i64 bytes         // length of the stream's file
  5: required i64 packets       // CTF packets stored, so also the next packet_seq_num
  6: required i64 lastTime      // timestamp_end of the last packet
  7: required i64 lost          // events_discarded of the last packet
}

struct HelloReply {
  1: required i32 version
  2: required i32 tracepoints   // how many tracepoints the relay knows of this process: ids below it
  3: required list<Held> held
}

/** Events refused in the process, counted from its start. Never goes down. */
struct Lost {
  1: required i64 noRoom        // the ring was full
  2: required i64 tooBig        // the record can never fit
  3: required i64 badValue      // a field was missing or of another type
  4: required i64 noRing        // no ring could be made
}

/** Whole CTF packets of one stream, in order. Laid out as docs/ctf.md says. */
struct Put {
  1: required i32 stream
  2: required i64 sequence      // counts from 1 in each stream; one seen before is answered and dropped
  3: required i64 position      // bytes of the ring consumed up to the end of this put
  4: required i32 events        // events in these packets
  5: required Lost lost         // of this stream, when the last packet was closed
  6: required binary packets    // at most 1 MiB
}

struct PutReply {
  1: required i32 stream
  2: required i64 sequence
}

enum Refusal {
  VERSION = 1, TOKEN = 2, NO_HELLO = 3,
  MALFORMED = 4,   // the message names the field, what came and what may come
  SEQUENCE = 5,    // a gap: the message names the sequence expected
  STORAGE = 6      // the disk refused; try again later
}

exception Refused {
  1: required Refusal reason
  2: required string message
}

service Relay {
  /** First call on every connection. */
  HelloReply hello(1: Hello hello) throws (1: Refused refused)
  /** Before the first put that holds one of these. Ids are contiguous; one already known must be the same. */
  void declareTracepoints(1: list<Tracepoint> tracepoints) throws (1: Refused refused)
  PutReply put(1: Put put) throws (1: Refused refused)
}
