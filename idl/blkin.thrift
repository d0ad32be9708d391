/**
 * What traced processes, relays and controllers say to each other. Strict binary protocol, framed transport.
 *   Relay    a traced process to a relay, one connection a session, by TCP or a unix socket
 *   Control  a controller (the CLI) to a traced process, over the unix socket in the process's folder
 *   Fleet    a controller to a relay, on the port where it takes events
 * Several calls may be in flight. They are answered in the order they came, but for Control's closeSession and flush,
 * whose answers may come behind later ones.
 * The C++ side is native/thrift; relay/gen is compiled from this file.
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
  2: required i64 offset        // nanoseconds to add to get CLOCK_REALTIME at the start: of epoch 0
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
  10: optional string session   // which of the process's sessions this is; "default" where it is missing
  /** The context of every event of this session, in the order of its bytes before the payload. */
  11: optional list<Field> contexts
  /** 16 random bytes that the session alone has: whoever comes again with its uuid must show them. */
  12: optional binary secret
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
  8: optional i64 events        // events stored
  9: optional i32 epoch         // of the last put; bytes, packets and lost are of that epoch's file
  10: optional i64 lostBefore   // events_discarded of its files before
  11: optional i64 unstored     // Lost.unstored, as far as it is told there
}

// ---- rules ----

/** A condition on fields and contexts: docs/filter.md. What it means to a tracepoint, the traced process works out. */
struct Filter {
  1: required string text       // as a person wrote it
}

/** Each event is kept with the probability keep/of. */
struct Sample {
  1: required i32 keep          // 1 to of
  2: required i32 of            // 1 to 1,000,000,000
}

/** Who gave a rule. */
enum Origin {
  PROGRAM = 1,   // the traced program itself, or its environment
  CONTROL = 2,   // a controller
  STANDING = 3,  // this user's standing rules, for programs of a name
  RELAY = 4      // the relay
}

/** Switches tracepoints on, or off. Of the rules that cover a tracepoint the last decides. */
struct Rule {
  1: required i32 id            // given by who keeps it; 0 in a request
  2: required bool on
  3: required string pattern    // provider:event, `*` for any run of characters on its side of the colon
  4: required list<string> exclude
  5: required i32 level         // tracepoints at least as severe as this,
  6: required bool exactly      // or of just this level
  7: optional Sample sample
  8: optional Filter filter
  9: required Origin origin
  10: optional string target    // STANDING and RELAY: names of programs, `*` for any run of characters
}

/** Takes the place of what the relay said before. */
struct RuleSet {
  1: required i64 version       // grows with every change, also over restarts of the relay
  2: required list<Rule> rules  // those whose target is this process
}

/** What the file of a user's standing rules holds, as it is: no frame, no message. docs/control.md. */
struct StandingRules {
  1: required list<Rule> rules
}

struct HelloReply {
  1: required i32 version
  2: required i32 tracepoints   // how many tracepoints the relay knows of this process: ids below it
  3: required list<Held> held
  4: optional RuleSet rules
  5: optional bool epochs       // this relay makes a trace of each epoch: without it all puts are of epoch 0
}

/** Events refused in the process, counted from its start. Never goes down. */
struct Lost {
  1: required i64 noRoom        // the ring was full
  2: required i64 tooBig        // the record can never fit
  3: required i64 badValue      // a field was missing or of another type
  4: required i64 noRing        // no ring could be made
  5: optional i64 overwritten   // in overwrite mode: newer ones took its place before it was read
  6: optional i64 unstored      // the relay had said they are stored, and its disk lost them
}

/** Whole CTF packets of one stream, in order. Laid out as docs/ctf.md says. */
struct Put {
  1: required i32 stream
  2: required i64 sequence      // counts from 1 in each stream; one seen before is answered and dropped
  3: required i64 position      // bytes of the ring consumed up to the end of this put
  4: required i32 events        // events in these packets
  5: required Lost lost         // of this stream, when the last packet was closed
  6: required binary packets    // at most 1 MiB
  /** How often the time of day was set since the start: each time begins an epoch, and in it the stream's next file. */
  7: optional i32 epoch
  8: optional i64 offset        // Clock.offset of the epoch
}

struct PutReply {
  1: required i32 stream
  2: required i64 sequence
  3: optional RuleSet rules     // when they changed since the connection was last told
  4: optional bool followed     // somebody watches what comes: the next puts are to come sooner
}

struct EnabledTracepoint {
  1: required i32 tracepoint    // its id
  2: required i32 rule          // the id of the session's rule that switches it on
}

/** What is on in a session, in place of what it told before. */
struct Enabled {
  1: required list<Rule> rules  // that switch on, of those that stand in it: as many as 1 MiB holds
  2: required list<EnabledTracepoint> tracepoints
}

enum Refusal {
  VERSION = 1,
  TOKEN = 2,       // the token, or the session's secret, is missing or another; or it gives no right to the call
  NO_HELLO = 3,
  MALFORMED = 4,   // the message names the field, what came and what may come
  SEQUENCE = 5,    // a gap: the message names the sequence expected
  STORAGE = 6,     // the disk refused; try again later
  NO_SESSION = 7,  // the message names it, and those that are there
  EXISTS = 8,      // a session of that name is there already
  LIMIT = 9,       // of sessions, rules, processes
  FILTER = 10      // fits none of the tracepoints that the rule covers; the message says why
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
  /**
   * Answers at once where the rules are newer than `known`, else when they change, when waitMs have passed or
   * when the next call comes, whichever is first.
   */
  RuleSet rules(1: i64 known, 2: i32 waitMs) throws (1: Refused refused)
  /** After hello, and whenever it changes: for controllers, who ask the relay. */
  void enabled(1: Enabled enabled) throws (1: Refused refused)
}

// ---- control ----

enum Mode {
  DISCARD = 1,    // a full ring refuses what is new
  OVERWRITE = 2,  // a full ring gives up what is oldest
  BLOCK = 3       // an emitter waits up to Channel.blockMs for room, then refuses
}

/** The rings of a session: geometry and mode. */
struct Channel {
  1: required i64 subBufferBytes  // a power of two, 8 KiB to 1 GiB
  2: required i32 subBuffers      // a power of two, 1 to 64; 2 at least in OVERWRITE
  3: required Mode mode
  4: optional i32 blockMs         // BLOCK: 1 to 1000
}

/** One consumer of events: who gets them, from which rings, with which contexts. */
struct SessionSpec {
  1: required string name         // letters, digits and _ . -, at most 64
  2: optional string relay        // HOST:PORT or unix:PATH; missing: the newest events stay in memory and go nowhere
  3: optional string token        // never in an answer
  4: required Ack ack
  5: required Channel channel
  6: required list<string> contexts  // names: docs/control.md
  7: required bool attached       // ends with the connection that opened it
}

struct SessionState {
  1: required SessionSpec spec
  2: required binary uuid         // names its trace
  3: required string relayState   // idle, connecting, connected, refused, none
  4: required string relayError   // empty where there is none
  5: required i64 events          // that the relay has said are stored
  6: required i64 bytesSent
  7: required Lost lost
  8: required list<Rule> rules
  9: required i32 enabled         // tracepoints that are on in this session
  10: required i64 ringBytes      // memory of its rings
}

struct ProcessState {
  1: required i32 pid
  2: required string program      // the script's name, or BLKIN_NAME
  3: required i64 startedAt       // nanoseconds since the epoch
  4: required string hostname
  5: required string version      // of blkin
  6: required i32 tracepoints
  7: required list<SessionState> sessions
  8: optional list<Field> contexts  // that its filters may ask for
}

/** Where a tracepoint is on: the session, and which of its rules says so. */
struct On {
  1: required string session
  2: required i32 rule
}

struct TracepointState {
  1: required Tracepoint tracepoint
  2: required list<On> on
}

/** Some of them: ids from `first` on, as many as a frame holds. */
struct TracepointStates {
  1: required list<TracepointState> tracepoints
  2: required i32 total
}

/** A tracepoint that a rule's filter does not fit: what the rule stands over decides there. */
struct Misfit {
  1: required i32 tracepoint      // its id
  2: required string why
}

struct Changed {
  1: required i32 rule            // its id; 0 where none stands for it (disable)
  2: required i32 covered         // declared tracepoints that the pattern, level and exclusions cover
  3: required i32 enabled         // tracepoints on in the session now
  4: required list<string> unfit  // "provider:event: why" for those covered that the filter does not fit
}

struct Closed {
  1: required SessionState last
  2: required bool delivered      // false: what was in its rings was given up
}

/** Every call is answered within 50 ms, but for those that say how long they may take. */
service Control {
  ProcessState process()
  TracepointStates tracepoints(1: i32 first) throws (1: Refused refused)
  SessionState openSession(1: SessionSpec spec) throws (1: Refused refused)
  /** Its rules stay; its events go on in new rings and a new trace. */
  SessionState changeSession(1: SessionSpec spec) throws (1: Refused refused)
  Closed closeSession(1: string name, 2: i32 timeoutMs) throws (1: Refused refused)
  /**
   * misfits: what the caller found who held the filter against the tracepoints. The process itself looks when the first
   * event comes, and at what is declared later. Refused (FILTER) where none of those covered is left.
   */
  Changed enable(1: string session, 2: Rule rule, 3: list<Misfit> misfits) throws (1: Refused refused)
  Changed disable(1: string session, 2: string pattern) throws (1: Refused refused)
  bool flush(1: string session, 2: i32 timeoutMs) throws (1: Refused refused)
}

// ---- fleet ----

struct FleetSession {
  1: required binary uuid
  2: required string name
  3: required bool connected
  4: required i64 events
  5: required i64 bytes
  6: required Lost lost
}

struct FleetProcess {
  1: required i32 pid
  2: required string program
  3: required string hostname
  4: required i64 startedAt
  5: required list<FleetSession> sessions
}

/** Lines of JSON, as `blkin view --json` prints them. */
struct Followed {
  1: required list<string> events
  2: required i64 dropped         // events that this follower was too slow for, since the last answer
}

service Fleet {
  /** First call on every connection. The token must be one that may read; enable and disable need one that may control. */
  void greet(1: i32 version, 2: string token) throws (1: Refused refused)
  list<FleetProcess> processes() throws (1: Refused refused)
  list<Tracepoint> tracepoints(1: binary uuid) throws (1: Refused refused)
  /** What is on in that session; nothing in one that is gone. */
  Enabled enabled(1: binary uuid) throws (1: Refused refused)
  list<Rule> rules() throws (1: Refused refused)
  /** Rule.target says for which programs, now and later. */
  list<Rule> enable(1: Rule rule) throws (1: Refused refused)
  list<Rule> disable(1: string target, 2: string pattern) throws (1: Refused refused)
  /** From now on, events of these programs; an earlier follow on this connection ends. */
  void follow(1: string target, 2: list<string> patterns) throws (1: Refused refused)
  /** What came since the last take, at most 1 MiB of it; waits for something to come. */
  Followed take(1: i32 waitMs) throws (1: Refused refused)
}
