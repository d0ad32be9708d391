// native/thrift/control.hpp: the structs of idl/blkin.thrift that make up a traced process's Control service: sessions, and what
// it tells of itself. Field numbers are the IDL's. Read from sockets and files, so each reader takes only fields of
// the right type, skips the rest, and leaves the judgement of values to rules/check.hpp.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "messages.hpp"

namespace blkin::thrift {

enum class Mode : int32_t { kDiscard = 1, kOverwrite = 2, kBlock = 3 };
enum class Refusal : int32_t {
  kMalformed = 4,
  kStorage = 6,
  kNoSession = 7,
  kExists = 8,
  kLimit = 9,
  kFilter = 10,
};

struct Channel {
  int64_t sub_buffer_bytes = 1 << 20;
  int32_t sub_buffers = 4;
  Mode mode = Mode::kDiscard;
  int32_t block_ms = 0;

  bool operator==(const Channel&) const = default;
};

struct SessionSpec {
  std::string name;
  bool sends = false;  // false: no relay
  std::string relay;
  std::string token;
  Ack ack = Ack::kWritten;
  Channel channel;
  std::vector<std::string> contexts;
  bool attached = false;
};

struct SessionState {
  SessionSpec spec;
  std::array<uint8_t, 16> uuid{};
  std::string relay_state;
  std::string relay_error;
  int64_t events = 0;
  int64_t bytes_sent = 0;
  Lost lost{};
  std::vector<Rule> rules;
  int32_t enabled = 0;
  int64_t ring_bytes = 0;
};

struct ProcessState {
  int32_t pid = 0;
  std::string program;
  int64_t started_at = 0;
  std::string hostname;
  std::string version;
  int32_t tracepoints = 0;
  std::vector<SessionState> sessions;
  std::vector<Field> contexts;
};

struct On {
  std::string session;
  int32_t rule;
};

struct Changed {
  int32_t rule = 0;
  int32_t covered = 0;
  int32_t enabled = 0;
  std::vector<std::string> unfit;
};

SessionSpec read_session_spec(Reader& reader);

void write_session_state(Writer& writer, const SessionState& state);
void write_process_state(Writer& writer, const ProcessState& state);
void write_tracepoint_state(Writer& writer, const Tracepoint& tracepoint, const std::vector<On>& on);
void write_changed(Writer& writer, const Changed& changed);

}  // namespace blkin::thrift
