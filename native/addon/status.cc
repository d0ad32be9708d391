// native/addon/status.cc: status() -> what lib/native.ts lists, field by field, for every session.
#include "environment.hpp"

namespace blkin::addon {

namespace {

Napi::Array strings(Napi::Env env, const std::vector<std::string>& texts) {
  auto out = Napi::Array::New(env, texts.size());
  for (uint32_t i = 0; i < texts.size(); ++i) out.Set(i, texts[i]);
  return out;
}

Napi::Array rules_of(Napi::Env env, const std::vector<thrift::Rule>& rules) {
  auto out = Napi::Array::New(env, rules.size());
  for (uint32_t i = 0; i < rules.size(); ++i) {
    auto rule = Napi::Object::New(env);
    rule.Set("id", rules[i].id);
    rule.Set("on", rules[i].on);
    rule.Set("pattern", rules[i].pattern);
    rule.Set("level", rules[i].level);
    rule.Set("exactly", rules[i].exactly);
    rule.Set("keep", rules[i].sample.keep);
    rule.Set("of", rules[i].sample.of);
    rule.Set("filter", rules[i].filter.value_or(""));
    rule.Set("origin", static_cast<int32_t>(rules[i].origin));
    rule.Set("exclude", strings(env, rules[i].exclude));
    out.Set(i, rule);
  }
  return out;
}

Napi::Array rings_of(Napi::Env env, const std::vector<control::RingStatus>& rings) {
  auto out = Napi::Array::New(env, rings.size());
  for (uint32_t i = 0; i < rings.size(); ++i) {
    auto ring = Napi::Object::New(env);
    ring.Set("channel", control::name_of(rings[i].channel));
    ring.Set("stream", rings[i].stream);
    ring.Set("head", static_cast<double>(rings[i].head));
    ring.Set("tail", static_cast<double>(rings[i].tail));
    out.Set(i, ring);
  }
  return out;
}

Napi::Object losses_of(Napi::Env env, const thrift::Lost& lost) {
  auto out = Napi::Object::New(env);
  out.Set("noRoom", static_cast<double>(lost.no_room));
  out.Set("tooBig", static_cast<double>(lost.too_big));
  out.Set("badValue", static_cast<double>(lost.bad_value));
  out.Set("noRing", static_cast<double>(lost.no_ring));
  out.Set("overwritten", static_cast<double>(lost.overwritten));
  out.Set("unstored", static_cast<double>(lost.unstored));
  return out;
}

Napi::Object describe(Napi::Env env, control::Session& session) {
  const thrift::SessionState state = session.describe();
  auto out = Napi::Object::New(env);
  out.Set("name", state.spec.name);
  out.Set("relay", state.spec.sends ? state.spec.relay : "");
  out.Set("subBufferBytes", static_cast<double>(state.spec.channel.sub_buffer_bytes));
  out.Set("subBuffers", state.spec.channel.sub_buffers);
  out.Set("mode", static_cast<int32_t>(state.spec.channel.mode));
  out.Set("blockMs", state.spec.channel.block_ms);
  out.Set("contexts", strings(env, state.spec.contexts));
  out.Set("attached", state.spec.attached);
  out.Set("rules", rules_of(env, state.rules));
  out.Set("enabled", state.enabled);
  out.Set("lost", losses_of(env, state.lost));
  out.Set("uuid", Napi::Buffer<uint8_t>::Copy(env, state.uuid.data(), state.uuid.size()));
  out.Set("clock", session.tsc() ? "tsc" : "monotonic");
  out.Set("rings", rings_of(env, session.rings_status()));
  out.Set("ringKind", session.leases() ? "thread" : "cpu");
  out.Set("folder", session.folder().path());
  out.Set("folderError", session.folder().path().empty() ? session.folder().error() : "");
  out.Set("spareFolder", session.spare_path());
  out.Set("ringError", session.ring_error());
  out.Set("ringsInMemory", static_cast<double>(session.rings_in_memory()));
  out.Set("memoryError", session.memory_error());
  out.Set("relayState", state.relay_state);
  out.Set("relayError", state.relay_error);
  out.Set("acknowledged", static_cast<double>(state.events));
  out.Set("bytesSent", static_cast<double>(state.bytes_sent));
  out.Set("putsInFlight", session.consumer_status().puts_in_flight);
  return out;
}

}  // namespace

Napi::Value status(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  control::Process& process = control::Process::get();
  auto out = Napi::Object::New(env);
  out.Set("relay", process.settings().session.relay);
  out.Set("tracepoints", static_cast<double>(process.registry().size()));
  out.Set("enabled", process.registry().count_on());
  out.Set("folder", process.folder_path());
  out.Set("controlError", process.folder_error());
  auto sessions = Napi::Array::New(env);
  process.each_session(
      [&](control::Session& session) { sessions.Set(sessions.Length(), describe(env, session)); });
  out.Set("sessions", sessions);
  return out;
}

}  // namespace blkin::addon
