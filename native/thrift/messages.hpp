// native/thrift/messages.hpp: the structs and calls of idl/blkin.thrift, as a sender needs them. Field numbers are
// the IDL's; a test has the Apache runtime read what is written here. Every call is framed: i32 length, message.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "binary.hpp"
#include "rules.hpp"

namespace blkin::thrift {

constexpr int32_t kProtocolVersion = 1;

// The numbers of the IDL's enum Type; lib/types.ts and the relay have the same.
enum class Type : int32_t {
  kU8 = 1,
  kU16,
  kU32,
  kU64,
  kI8,
  kI16,
  kI32,
  kI64,
  kF32,
  kF64,
  kBool,
  kString,
  kEnum,
  kBytes,
};
enum class Shape : int32_t { kScalar = 0, kArray = 1, kSequence = 2 };

struct Label {
  std::string name;
  int64_t value;
};

struct Field {
  std::string name;
  Type type;
  Shape shape;
  int32_t length;  // arrays
  Type container;  // enums
  std::vector<Label> labels;
};

struct Tracepoint {
  int32_t id;
  std::string provider;
  std::string event;
  int32_t level;
  std::vector<Field> fields;
};

enum class Ack : int32_t { kWritten = 1, kSynced = 2 };

struct Hello {
  std::array<uint8_t, 16> uuid;
  int32_t pid;
  int64_t started_at;
  std::string hostname;
  std::string program;
  std::array<uint8_t, 16> boot_id;
  int64_t clock_offset;
  Ack ack;
  std::string token;
  std::string session;          // empty: "default"
  std::vector<Field> contexts;  // of each event, before its payload
  std::string secret;           // 16 bytes, or none: by it the relay knows the session again
};

struct Held {
  int32_t stream;
  int64_t sequence, position, bytes, packets, last_time, lost, events = 0;
  int32_t epoch = 0;
  int64_t lost_before = 0;
  int64_t unstored = 0;
};

struct Lost {
  int64_t no_room, too_big, bad_value, no_ring, overwritten = 0, unstored = 0;
  int64_t total() const { return no_room + too_big + bad_value + no_ring + overwritten + unstored; }
};

struct PutHead {
  int32_t stream;
  int64_t sequence, position;
  int32_t events;
  Lost lost;
  int32_t epoch = 0;
  int64_t clock_offset = 0;
};

struct EnabledTracepoint {
  int32_t tracepoint;
  int32_t rule;
};

struct Enabled {
  std::vector<Rule> rules;
  std::vector<EnabledTracepoint> tracepoints;
};

struct Reply {
  // kForeign: another service answered, which has no such call.
  enum class Kind { kHello, kDeclare, kPut, kRules, kEnabled, kRefused, kForeign } kind;
  int32_t call;  // the sequence id of the call that it answers
  int32_t tracepoints;
  std::vector<Held> held;
  bool takes_epochs;
  int32_t stream;
  int64_t sequence;
  bool followed;
  std::string message;  // kRefused, kForeign: why
  bool has_rules;
  RuleSet rules;
};

std::vector<uint8_t> rules_call(int32_t call, int64_t known, int32_t wait_ms);
std::vector<uint8_t> enabled_call(int32_t call, const Enabled& enabled);
std::vector<uint8_t> hello_call(int32_t call, const Hello& hello);
std::vector<uint8_t> declare_call(int32_t call, const std::vector<Tracepoint>& tracepoints);

// A put is built around its packets, which are never copied: they are packed at data() + kPutPrefix of a buffer,
// then finish_put() writes what stands before and behind them. Two bytes must be free behind.
constexpr size_t kPutPrefix = 153;
constexpr size_t kPutSuffix = 2;
void finish_put(uint8_t* frame, int32_t call, const PutHead& head, size_t packet_bytes);

// False: not a reply that this protocol knows.
bool parse_reply(const uint8_t* frame, size_t size, Reply& out);

// The parts, as they stand in a process's folder, for recovery, and in other messages.
void write_hello(Writer& writer, const Hello& hello);
void write_field(Writer& writer, const Field& field);
void write_tracepoint(Writer& writer, const Tracepoint& tracepoint);
void write_lost(Writer& writer, const Lost& lost);
Hello read_hello(Reader& reader);
Tracepoint read_tracepoint(Reader& reader);

}  // namespace blkin::thrift
