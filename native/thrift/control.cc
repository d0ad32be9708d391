// native/thrift/control.cc: see control.hpp.
#include "control.hpp"

namespace blkin::thrift {

namespace {

using FieldHead = Reader::FieldHead;

bool is(FieldHead head, int16_t id, FieldType type) { return head.id == id && head.type == type; }

// The IDL's enums travel as i32.
template <typename Enum>
Enum read_enum(Reader& reader) {
  return static_cast<Enum>(reader.i32());
}

Channel read_channel(Reader& reader) {
  Channel channel;
  reader.fields([&](FieldHead head) {
    if (is(head, 1, FieldType::kI64)) channel.sub_buffer_bytes = reader.i64();
    else if (is(head, 2, FieldType::kI32)) channel.sub_buffers = reader.i32();
    else if (is(head, 3, FieldType::kI32)) channel.mode = read_enum<Mode>(reader);
    else if (is(head, 4, FieldType::kI32)) channel.block_ms = reader.i32();
    else reader.skip(head.type);
  });
  return channel;
}

void write_channel(Writer& writer, const Channel& channel) {
  writer.field_i64(1, channel.sub_buffer_bytes);
  writer.field_i32(2, channel.sub_buffers);
  writer.field_i32(3, static_cast<int32_t>(channel.mode));
  if (channel.mode == Mode::kBlock) writer.field_i32(4, channel.block_ms);
  writer.stop();
}

// All but the token.
void write_session_spec(Writer& writer, const SessionSpec& spec) {
  writer.field_string(1, spec.name);
  if (spec.sends) writer.field_string(2, spec.relay);
  writer.field_i32(4, static_cast<int32_t>(spec.ack));
  writer.field(FieldType::kStruct, 5);
  write_channel(writer, spec.channel);
  write_strings(writer, 6, spec.contexts);
  writer.field_bool(7, spec.attached);
  writer.stop();
}

}  // namespace

SessionSpec read_session_spec(Reader& reader) {
  SessionSpec spec;
  reader.fields([&](FieldHead head) {
    if (is(head, 1, FieldType::kString)) spec.name = reader.string();
    else if (is(head, 2, FieldType::kString)) spec.relay = reader.string(), spec.sends = true;
    else if (is(head, 3, FieldType::kString)) spec.token = reader.string();
    else if (is(head, 4, FieldType::kI32)) spec.ack = read_enum<Ack>(reader);
    else if (is(head, 5, FieldType::kStruct)) spec.channel = read_channel(reader);
    else if (is(head, 6, FieldType::kList)) spec.contexts = read_strings(reader);
    else if (is(head, 7, FieldType::kBool)) spec.attached = reader.u8() != 0;
    else reader.skip(head.type);
  });
  return spec;
}

void write_session_state(Writer& writer, const SessionState& state) {
  writer.field(FieldType::kStruct, 1);
  write_session_spec(writer, state.spec);
  writer.field_string(2, {reinterpret_cast<const char*>(state.uuid.data()), state.uuid.size()});
  writer.field_string(3, state.relay_state);
  writer.field_string(4, state.relay_error);
  writer.field_i64(5, state.events);
  writer.field_i64(6, state.bytes_sent);
  writer.field(FieldType::kStruct, 7);
  write_lost(writer, state.lost);
  writer.field_list(8, FieldType::kStruct, state.rules.size());
  for (const Rule& rule : state.rules) write_rule(writer, rule);
  writer.field_i32(9, state.enabled);
  writer.field_i64(10, state.ring_bytes);
  writer.stop();
}

void write_process_state(Writer& writer, const ProcessState& state) {
  writer.field_i32(1, state.pid);
  writer.field_string(2, state.program);
  writer.field_i64(3, state.started_at);
  writer.field_string(4, state.hostname);
  writer.field_string(5, state.version);
  writer.field_i32(6, state.tracepoints);
  writer.field_list(7, FieldType::kStruct, state.sessions.size());
  for (const SessionState& session : state.sessions) write_session_state(writer, session);
  writer.field_list(8, FieldType::kStruct, state.contexts.size());
  for (const Field& context : state.contexts) write_field(writer, context);
  writer.stop();
}

void write_tracepoint_state(Writer& writer, const Tracepoint& tracepoint, const std::vector<On>& on) {
  writer.field(FieldType::kStruct, 1);
  write_tracepoint(writer, tracepoint);
  writer.field_list(2, FieldType::kStruct, on.size());
  for (const On& one : on) {
    writer.field_string(1, one.session);
    writer.field_i32(2, one.rule);
    writer.stop();
  }
  writer.stop();
}

void write_changed(Writer& writer, const Changed& changed) {
  writer.field_i32(1, changed.rule);
  writer.field_i32(2, changed.covered);
  writer.field_i32(3, changed.enabled);
  write_strings(writer, 4, changed.unfit);
  writer.stop();
}

}  // namespace blkin::thrift
