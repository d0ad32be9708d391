// native/thrift/messages.cc: see messages.hpp.
#include "messages.hpp"

#include <algorithm>
#include <cstring>

#include "visible.hpp"

namespace blkin::thrift {

namespace {

template <size_t N>
std::string_view bytes_of(const std::array<uint8_t, N>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), N};
}

template <size_t N>
void copy_bytes(const std::string& from, std::array<uint8_t, N>& to) {
  to.fill(0);
  std::copy_n(from.begin(), std::min(N, from.size()), to.begin());
}

// Writes a call's frame; `body` writes the fields of its argument struct.
template <typename Body>
std::vector<uint8_t> framed_call(const char* name, int32_t call, Body body) {
  return framed([&](Writer& writer) {
    writer.message(name, MessageType::kCall, call);
    body(writer);
    writer.stop();
  });
}

Field read_field(Reader& reader) {
  Field field{};
  reader.fields([&](Reader::FieldHead head) {
    switch (head.id) {
      case 1:
        field.name = reader.string();
        break;
      case 2:
        field.type = static_cast<Type>(reader.i32());
        break;
      case 3:
        field.shape = static_cast<Shape>(reader.i32());
        break;
      case 4:
        field.length = reader.i32();
        break;
      case 5:
        field.container = static_cast<Type>(reader.i32());
        break;
      case 6:
        for (uint32_t n = reader.struct_list(); n > 0 && reader.ok(); --n) {
          Label label{};
          reader.fields([&](Reader::FieldHead inner) {
            if (inner.id == 1) label.name = reader.string();
            else if (inner.id == 2) label.value = reader.i64();
            else reader.skip(inner.type);
          });
          field.labels.push_back(std::move(label));
        }
        break;
      default:
        reader.skip(head.type);
    }
  });
  return field;
}

Held read_held(Reader& reader) {
  Held held{};
  reader.fields([&](Reader::FieldHead head) {
    int64_t* const numbers[] = {&held.sequence,  &held.position, &held.bytes, &held.packets,
                                &held.last_time, &held.lost,     &held.events};
    if (head.id == 1 && head.type == FieldType::kI32) held.stream = reader.i32();
    else if (head.id >= 2 && head.id <= 8 && head.type == FieldType::kI64)
      *numbers[head.id - 2] = reader.i64();
    else if (head.id == 9 && head.type == FieldType::kI32) held.epoch = reader.i32();
    else if (head.id == 10 && head.type == FieldType::kI64) held.lost_before = reader.i64();
    else if (head.id == 11 && head.type == FieldType::kI64) held.unstored = reader.i64();
    else reader.skip(head.type);
  });
  return held;
}

void read_hello_reply(Reader& reader, Reply& out) {
  reader.fields([&](Reader::FieldHead head) {
    if (head.id == 2 && head.type == FieldType::kI32) out.tracepoints = reader.i32();
    else if (head.id == 3 && head.type == FieldType::kList) {
      for (uint32_t n = reader.struct_list(); n > 0 && reader.ok(); --n)
        out.held.push_back(read_held(reader));
    } else if (head.id == 4 && head.type == FieldType::kStruct) {
      out.has_rules = true;
      out.rules = read_rule_set(reader);
    } else if (head.id == 5 && head.type == FieldType::kBool) out.takes_epochs = reader.u8() != 0;
    else reader.skip(head.type);
  });
}

void read_put_reply(Reader& reader, Reply& out) {
  reader.fields([&](Reader::FieldHead head) {
    if (head.id == 1 && head.type == FieldType::kI32) out.stream = reader.i32();
    else if (head.id == 2 && head.type == FieldType::kI64) out.sequence = reader.i64();
    else if (head.id == 3 && head.type == FieldType::kStruct)
      out.has_rules = true, out.rules = read_rule_set(reader);
    else if (head.id == 4 && head.type == FieldType::kBool) out.followed = reader.u8() != 0;
    else reader.skip(head.type);
  });
}

// Bytes of a relay's words: they go to status(), to stderr and to whoever asks the process.
constexpr size_t kMessageMost = 1000;

// Refused, and the runtime's own TApplicationException {1: string message, 2: i32 type}, both carry words.
int32_t read_words(Reader& reader, Reply& out) {
  int32_t number = 0;
  reader.fields([&](Reader::FieldHead head) {
    if (head.type == FieldType::kString) out.message = visible(reader.string(), kMessageMost);
    else if (head.type == FieldType::kI32) number = reader.i32();
    else reader.skip(head.type);
  });
  return number;
}

}  // namespace

void write_hello(Writer& writer, const Hello& hello) {
  writer.field_i32(1, kProtocolVersion);
  writer.field_string(2, bytes_of(hello.uuid));
  writer.field_i32(3, hello.pid);
  writer.field_i64(4, hello.started_at);
  writer.field_string(5, hello.hostname);
  writer.field_string(6, hello.program);
  writer.field(FieldType::kStruct, 7);
  writer.field_string(1, bytes_of(hello.boot_id));
  writer.field_i64(2, hello.clock_offset);
  writer.stop();
  writer.field_i32(8, static_cast<int32_t>(hello.ack));
  if (!hello.token.empty()) writer.field_string(9, hello.token);
  if (!hello.session.empty()) writer.field_string(10, hello.session);
  if (!hello.contexts.empty()) {
    writer.field_list(11, FieldType::kStruct, hello.contexts.size());
    for (const Field& field : hello.contexts) write_field(writer, field);
  }
  if (!hello.secret.empty()) writer.field_string(12, hello.secret);
  writer.stop();
}

Hello read_hello(Reader& reader) {
  Hello hello{};
  hello.ack = Ack::kWritten;
  reader.fields([&](Reader::FieldHead head) {
    switch (head.id) {
      case 2:
        copy_bytes(reader.string(), hello.uuid);
        break;
      case 3:
        hello.pid = reader.i32();
        break;
      case 4:
        hello.started_at = reader.i64();
        break;
      case 5:
        hello.hostname = reader.string();
        break;
      case 6:
        hello.program = reader.string();
        break;
      case 7:
        reader.fields([&](Reader::FieldHead inner) {
          if (inner.id == 1) copy_bytes(reader.string(), hello.boot_id);
          else if (inner.id == 2) hello.clock_offset = reader.i64();
          else reader.skip(inner.type);
        });
        break;
      case 8:
        hello.ack = static_cast<Ack>(reader.i32());
        break;
      case 10:
        hello.session = reader.string();
        break;
      case 11:
        for (uint32_t n = reader.struct_list(); n > 0 && reader.ok(); --n)
          hello.contexts.push_back(read_field(reader));
        break;
      case 12:
        hello.secret = reader.string();
        break;
      default:
        reader.skip(head.type);
    }
  });
  return hello;
}

void write_field(Writer& writer, const Field& field) {
  writer.field_string(1, field.name);
  writer.field_i32(2, static_cast<int32_t>(field.type));
  writer.field_i32(3, static_cast<int32_t>(field.shape));
  if (field.shape == Shape::kArray) writer.field_i32(4, field.length);
  if (field.type == Type::kEnum) {
    writer.field_i32(5, static_cast<int32_t>(field.container));
    writer.field_list(6, FieldType::kStruct, field.labels.size());
    for (const Label& label : field.labels) {
      writer.field_string(1, label.name);
      writer.field_i64(2, label.value);
      writer.stop();
    }
  }
  writer.stop();
}

void write_tracepoint(Writer& writer, const Tracepoint& tracepoint) {
  writer.field_i32(1, tracepoint.id);
  writer.field_string(2, tracepoint.provider);
  writer.field_string(3, tracepoint.event);
  writer.field_i32(4, tracepoint.level);
  writer.field_list(5, FieldType::kStruct, tracepoint.fields.size());
  for (const Field& field : tracepoint.fields) write_field(writer, field);
  writer.stop();
}

Tracepoint read_tracepoint(Reader& reader) {
  Tracepoint tracepoint{};
  reader.fields([&](Reader::FieldHead head) {
    switch (head.id) {
      case 1:
        tracepoint.id = reader.i32();
        break;
      case 2:
        tracepoint.provider = reader.string();
        break;
      case 3:
        tracepoint.event = reader.string();
        break;
      case 4:
        tracepoint.level = reader.i32();
        break;
      case 5:
        for (uint32_t n = reader.struct_list(); n > 0 && reader.ok(); --n)
          tracepoint.fields.push_back(read_field(reader));
        break;
      default:
        reader.skip(head.type);
    }
  });
  return tracepoint;
}

void write_lost(Writer& writer, const Lost& lost) {
  writer.field_i64(1, lost.no_room);
  writer.field_i64(2, lost.too_big);
  writer.field_i64(3, lost.bad_value);
  writer.field_i64(4, lost.no_ring);
  writer.field_i64(5, lost.overwritten);
  writer.field_i64(6, lost.unstored);
  writer.stop();
}

std::vector<uint8_t> rules_call(int32_t call, int64_t known, int32_t wait_ms) {
  return framed_call("rules", call, [&](Writer& writer) {
    writer.field_i64(1, known);
    writer.field_i32(2, wait_ms);
  });
}

std::vector<uint8_t> enabled_call(int32_t call, const Enabled& enabled) {
  return framed_call("enabled", call, [&](Writer& writer) {
    writer.field(FieldType::kStruct, 1);
    writer.field_list(1, FieldType::kStruct, enabled.rules.size());
    for (const Rule& rule : enabled.rules) write_rule(writer, rule);
    writer.field_list(2, FieldType::kStruct, enabled.tracepoints.size());
    for (const EnabledTracepoint& one : enabled.tracepoints) {
      writer.field_i32(1, one.tracepoint);
      writer.field_i32(2, one.rule);
      writer.stop();
    }
    writer.stop();
  });
}

std::vector<uint8_t> hello_call(int32_t call, const Hello& hello) {
  return framed_call("hello", call, [&](Writer& writer) {
    writer.field(FieldType::kStruct, 1);
    write_hello(writer, hello);
  });
}

std::vector<uint8_t> declare_call(int32_t call, const std::vector<Tracepoint>& tracepoints) {
  return framed_call("declareTracepoints", call, [&](Writer& writer) {
    writer.field_list(1, FieldType::kStruct, tracepoints.size());
    for (const Tracepoint& tracepoint : tracepoints) write_tracepoint(writer, tracepoint);
  });
}

void finish_put(uint8_t* frame, int32_t call, const PutHead& head, size_t packet_bytes) {
  std::vector<uint8_t> prefix;
  prefix.reserve(kPutPrefix);
  Writer writer(prefix);
  writer.i32(static_cast<int32_t>(kPutPrefix - 4 + packet_bytes + kPutSuffix));
  writer.message("put", MessageType::kCall, call);
  writer.field(FieldType::kStruct, 1);
  writer.field_i32(1, head.stream);
  writer.field_i64(2, head.sequence);
  writer.field_i64(3, head.position);
  writer.field_i32(4, head.events);
  writer.field(FieldType::kStruct, 5);
  write_lost(writer, head.lost);
  writer.field_i32(7, head.epoch);
  writer.field_i64(8, head.clock_offset);
  writer.field(FieldType::kString, 6);
  writer.i32(static_cast<int32_t>(packet_bytes));
  // The prefix has one size whatever the numbers are; native/test/thrift_test.cc holds kPutPrefix to it.
  std::memcpy(frame, prefix.data(), std::min(prefix.size(), kPutPrefix));
  std::memset(frame + kPutPrefix + packet_bytes, 0, kPutSuffix);  // the stops of Put and of the arguments
}

bool parse_reply(const uint8_t* frame, size_t size, Reply& out) {
  Reader reader(frame, size);
  const Reader::Message message = reader.message();
  out = Reply{};
  out.call = message.sequence;
  if (message.name == "enabled") {  // told for whoever asks the relay: nothing here depends on the answer
    out.kind = Reply::Kind::kEnabled;
    return reader.ok();
  }
  if (message.type == MessageType::kException) {
    constexpr int32_t kUnknownMethod = 1;
    const bool foreign = read_words(reader, out) == kUnknownMethod && message.name == "hello";
    out.kind = foreign ? Reply::Kind::kForeign : Reply::Kind::kRefused;
    return reader.ok();
  }
  if (message.name == "hello") out.kind = Reply::Kind::kHello;
  else if (message.name == "declareTracepoints") out.kind = Reply::Kind::kDeclare;
  else if (message.name == "put") out.kind = Reply::Kind::kPut;
  else if (message.name == "rules") out.kind = Reply::Kind::kRules;
  else return false;
  if (message.type != MessageType::kReply) return false;
  bool answered = out.kind == Reply::Kind::kDeclare;  // void: an empty result is the answer
  reader.fields([&](Reader::FieldHead head) {
    if (head.type != FieldType::kStruct) return reader.skip(head.type);
    if (head.id == 1) {
      out.kind = Reply::Kind::kRefused;
      read_words(reader, out);
    } else if (head.id == 0 && out.kind == Reply::Kind::kHello) {
      read_hello_reply(reader, out);
    } else if (head.id == 0 && out.kind == Reply::Kind::kPut) {
      read_put_reply(reader, out);
    } else if (head.id == 0 && out.kind == Reply::Kind::kRules) {
      out.has_rules = true;
      out.rules = read_rule_set(reader);
    } else {
      return reader.skip(head.type);
    }
    answered = true;
  });
  return reader.ok() && answered;
}

}  // namespace blkin::thrift
