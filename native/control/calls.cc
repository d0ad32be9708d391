// native/control/calls.cc: see calls.hpp. One function a call; table at the end.
#include "calls.hpp"

#include <algorithm>
#include <functional>

#include "../process/process.hpp"
#include "../rules/check.hpp"
#include "../thrift/control.hpp"
#include "../thrift/visible.hpp"
#include "controller.hpp"

namespace blkin::control {

namespace {

using thrift::FieldType;
using thrift::Reader;
using thrift::Writer;

constexpr size_t kPageBytes = 1 << 20;  // of tracepoints in an answer
constexpr int32_t kWaitMostMs = 600'000;
constexpr size_t kReasonMax = 2048;  // of a filter that does not fit

struct Call {
  Process& process;
  Controller& controller;
  const Reader::Message& message;
  Reader& arguments;
};

using Body = std::function<void(Writer&)>;

// A whole frame around what `body` writes.
std::vector<uint8_t> framed(const Reader::Message& message, thrift::MessageType type, const Body& body) {
  return thrift::framed([&](Writer& writer) {
    writer.message(message.name, type, message.sequence);
    body(writer);
    writer.stop();
  });
}

std::vector<uint8_t> reply(const Reader::Message& message, const Body& body) {
  return framed(message, thrift::MessageType::kReply, body);
}

std::vector<uint8_t> refusal(const Reader::Message& message, const Refused& refused) {
  return reply(message, [&](Writer& writer) {
    writer.field(FieldType::kStruct, 1);
    writer.field_i32(1, static_cast<int32_t>(refused.reason));
    writer.field_string(2, refused.message);
    writer.stop();
  });
}

// The runtime's own TApplicationException.
std::vector<uint8_t> exception(const Reader::Message& message, const std::string& words, int32_t type) {
  return framed(message, thrift::MessageType::kException, [&](Writer& writer) {
    writer.field_string(1, words);
    writer.field_i32(2, type);
  });
}

std::vector<uint8_t> unknown(const Reader::Message& message) {
  return exception(message, "no call " + thrift::quoted(message.name) + " in Control", 1);
}

std::vector<uint8_t> crowded(const Reader::Message& message) {
  constexpr int32_t kInternal = 6;
  return exception(
      message, std::to_string(kControllersMax) + " controllers are connected; expected one to leave first",
      kInternal);
}

std::vector<uint8_t> malformed(const Reader::Message& message) {
  return refusal(message, {thrift::Refusal::kMalformed, message.name + ": the arguments cannot be read"});
}

std::vector<uint8_t> state_reply(const Call& call, const std::string& session) {
  thrift::SessionState state;
  call.process.each_session([&](Session& one) {
    if (one.spec().name == session) state = one.describe();
  });
  return reply(call.message, [&](Writer& writer) {
    writer.field(FieldType::kStruct, 0);
    thrift::write_session_state(writer, state);
  });
}

std::vector<uint8_t> process(const Call& call) {
  call.arguments.fields([&](Reader::FieldHead head) { call.arguments.skip(head.type); });
  const thrift::ProcessState state = call.process.describe();
  return reply(call.message, [&](Writer& writer) {
    writer.field(FieldType::kStruct, 0);
    thrift::write_process_state(writer, state);
  });
}

std::vector<uint8_t> tracepoints(const Call& call) {
  int32_t first = 0;
  call.arguments.fields([&](Reader::FieldHead head) {
    if (head.id == 1 && head.type == FieldType::kI32) first = call.arguments.i32();
    else call.arguments.skip(head.type);
  });
  if (!call.arguments.ok() || first < 0) return malformed(call.message);
  std::vector<thrift::Tracepoint> all;
  call.process.registry().tracepoints(static_cast<size_t>(first), all);
  std::vector<uint8_t> page;
  Writer states(page);
  size_t count = 0;
  while (count < all.size() && page.size() < kPageBytes) {
    thrift::write_tracepoint_state(states, all[count], call.process.on(static_cast<size_t>(all[count].id)));
    ++count;
  }
  return reply(call.message, [&](Writer& writer) {
    writer.field(FieldType::kStruct, 0);
    writer.field_list(1, FieldType::kStruct, count);
    writer.raw(page);
    writer.field_i32(2, static_cast<int32_t>(call.process.registry().size()));
    writer.stop();
  });
}

bool read_spec(const Call& call, thrift::SessionSpec& spec) {
  call.arguments.fields([&](Reader::FieldHead head) {
    if (head.id == 1 && head.type == FieldType::kStruct) spec = thrift::read_session_spec(call.arguments);
    else call.arguments.skip(head.type);
  });
  return call.arguments.ok();
}

std::vector<uint8_t> open_session(const Call& call) {
  thrift::SessionSpec spec;
  if (!read_spec(call, spec)) return malformed(call.message);
  const uint64_t owner = spec.attached ? call.controller.id() : 0;
  if (const auto refused = call.process.open(spec, owner)) return refusal(call.message, *refused);
  return state_reply(call, spec.name);
}

std::vector<uint8_t> change_session(const Call& call) {
  thrift::SessionSpec spec;
  if (!read_spec(call, spec)) return malformed(call.message);
  if (const auto refused = call.process.change(spec)) return refusal(call.message, *refused);
  return state_reply(call, spec.name);
}

// {1: a session's name, 2: milliseconds}
bool read_wait(const Call& call, std::string& session, int32_t& wait_ms) {
  call.arguments.fields([&](Reader::FieldHead head) {
    if (head.id == 1 && head.type == FieldType::kString) session = call.arguments.string();
    else if (head.id == 2 && head.type == FieldType::kI32) wait_ms = call.arguments.i32();
    else call.arguments.skip(head.type);
  });
  return call.arguments.ok() && wait_ms >= 0 && wait_ms <= kWaitMostMs;
}

std::vector<uint8_t> close_session(const Call& call) {
  std::string session;
  int32_t wait_ms = 0;
  if (!read_wait(call, session, wait_ms)) return malformed(call.message);
  std::shared_ptr<Ending> ending;
  if (const auto refused = call.process.close(session, static_cast<uint64_t>(wait_ms), ending))
    return refusal(call.message, *refused);
  call.controller.answer_later([ending, message = call.message](std::vector<uint8_t>& frame) {
    const std::lock_guard lock(ending->mutex);
    if (!ending->over) return false;
    frame = reply(message, [&](Writer& writer) {
      writer.field(FieldType::kStruct, 0);
      writer.field(FieldType::kStruct, 1);
      thrift::write_session_state(writer, ending->last);
      writer.field_bool(2, ending->delivered);
      writer.stop();
    });
    return true;
  });
  return {};
}

std::vector<uint8_t> flush(const Call& call) {
  std::string session;
  int32_t wait_ms = 0;
  if (!read_wait(call, session, wait_ms)) return malformed(call.message);
  if (const auto refused = call.process.missing(session)) return refusal(call.message, *refused);
  struct Asked {
    std::shared_ptr<consumer::Consumer> consumer;
    uint64_t ticket;
  };
  std::vector<Asked> asked;
  for (auto& consumer : call.process.consumers(session)) {
    const uint64_t ticket = consumer->ask_flush();
    asked.push_back({std::move(consumer), ticket});
  }
  const uint64_t until = clock::monotonic_ns() + static_cast<uint64_t>(wait_ms) * 1'000'000;
  call.controller.answer_later([asked, until, message = call.message](std::vector<uint8_t>& frame) {
    const bool done = std::all_of(asked.begin(), asked.end(),
                                  [](const Asked& one) { return one.consumer->flushed(one.ticket); });
    if (!done && clock::monotonic_ns() < until) return false;
    frame = reply(message, [&](Writer& writer) { writer.field_bool(0, done); });
    return true;
  });
  return {};
}

std::vector<uint8_t> changed_reply(const Call& call, const std::string& session, const Outcome& outcome) {
  thrift::Changed changed;
  changed.rule = static_cast<int32_t>(outcome.rule);
  changed.covered = static_cast<int32_t>(outcome.covered);
  changed.unfit = outcome.unfit;
  call.process.each_session([&](Session& one) {
    if (one.spec().name == session)
      changed.enabled = static_cast<int32_t>(call.process.registry().count_on(one.number()));
  });
  return reply(call.message, [&](Writer& writer) {
    writer.field(FieldType::kStruct, 0);
    thrift::write_changed(writer, changed);
  });
}

// Ids below 0 are none; an id that is not declared yet says nothing, since who sends it cannot know.
Misfits read_misfits(Reader& reader) {
  Misfits out;
  for (uint32_t n = reader.list(FieldType::kStruct); n > 0 && reader.ok(); --n) {
    int32_t id = -1;
    std::string why;
    reader.fields([&](Reader::FieldHead head) {
      if (head.id == 1 && head.type == FieldType::kI32) id = reader.i32();
      else if (head.id == 2 && head.type == FieldType::kString) why = reader.string();
      else reader.skip(head.type);
    });
    if (id >= 0) out.emplace(static_cast<size_t>(id), why.substr(0, kReasonMax));
  }
  return out;
}

std::vector<uint8_t> enable(const Call& call) {
  std::string session;
  thrift::Rule rule;
  Misfits misfits;
  call.arguments.fields([&](Reader::FieldHead head) {
    if (head.id == 1 && head.type == FieldType::kString) session = call.arguments.string();
    else if (head.id == 2 && head.type == FieldType::kStruct) rule = thrift::read_rule(call.arguments);
    else if (head.id == 3 && head.type == FieldType::kList) misfits = read_misfits(call.arguments);
    else call.arguments.skip(head.type);
  });
  if (!call.arguments.ok()) return malformed(call.message);
  if (rule.origin != thrift::Origin::kStanding) rule.origin = thrift::Origin::kControl;
  Outcome outcome;
  if (const auto refused = call.process.enable(session, std::move(rule), std::move(misfits), outcome))
    return refusal(call.message, *refused);
  return changed_reply(call, session, outcome);
}

std::vector<uint8_t> disable(const Call& call) {
  std::string session, pattern;
  call.arguments.fields([&](Reader::FieldHead head) {
    if (head.id == 1 && head.type == FieldType::kString) session = call.arguments.string();
    else if (head.id == 2 && head.type == FieldType::kString) pattern = call.arguments.string();
    else call.arguments.skip(head.type);
  });
  if (!call.arguments.ok()) return malformed(call.message);
  Outcome outcome;
  if (const auto refused = call.process.disable(session, pattern, thrift::Origin::kControl, outcome))
    return refusal(call.message, *refused);
  return changed_reply(call, session, outcome);
}

constexpr struct {
  const char* name;
  std::vector<uint8_t> (*answer)(const Call&);
} kCalls[] = {
    {"process", process},
    {"tracepoints", tracepoints},
    {"openSession", open_session},
    {"changeSession", change_session},
    {"closeSession", close_session},
    {"enable", enable},
    {"disable", disable},
    {"flush", flush},
};

}  // namespace

bool answer_call(Process& process, Controller& controller, const uint8_t* bytes, size_t size,
                 std::vector<uint8_t>& frame) {
  Reader reader(bytes, size);
  const Reader::Message message = reader.message();
  if (!reader.ok() || message.type != thrift::MessageType::kCall) return false;
  const auto* const call = std::find_if(std::begin(kCalls), std::end(kCalls),
                                        [&](const auto& one) { return message.name == one.name; });
  if (controller.crowded()) frame = crowded(message);
  else
    frame =
        call == std::end(kCalls) ? unknown(message) : call->answer({process, controller, message, reader});
  return true;
}

}  // namespace blkin::control
