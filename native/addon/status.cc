// native/addon/status.cc: status() -> what lib/status.ts documents, field by field.
#include "environment.hpp"

namespace blkin::addon {

namespace {

Napi::Array rules_of(Napi::Env env, const std::vector<control::Rule>& rules) {
  auto out = Napi::Array::New(env, rules.size());
  for (uint32_t i = 0; i < rules.size(); ++i) {
    auto rule = Napi::Object::New(env);
    rule.Set("on", rules[i].on);
    rule.Set("pattern", rules[i].pattern);
    rule.Set("level", rules[i].level);
    auto exclude = Napi::Array::New(env, rules[i].exclude.size());
    for (uint32_t k = 0; k < rules[i].exclude.size(); ++k) exclude.Set(k, rules[i].exclude[k]);
    rule.Set("exclude", exclude);
    out.Set(i, rule);
  }
  return out;
}

Napi::Array rings_of(Napi::Env env, const std::vector<control::RingStatus>& rings) {
  auto out = Napi::Array::New(env, rings.size());
  for (uint32_t i = 0; i < rings.size(); ++i) {
    auto ring = Napi::Object::New(env);
    ring.Set("stream", rings[i].stream);
    ring.Set("head", static_cast<double>(rings[i].head));
    ring.Set("tail", static_cast<double>(rings[i].tail));
    out.Set(i, ring);
  }
  return out;
}

void describe(Napi::Env env, control::Session& session, Napi::Object& out) {
  const consumer::Status consumer = session.consumer_status();
  const std::vector<control::RingStatus> rings = session.rings_status();
  thrift::Lost lost = session.lost_without_ring();
  for (const control::RingStatus& ring : rings) {
    lost.no_room += static_cast<int64_t>(ring.lost_no_room);
    lost.too_big += static_cast<int64_t>(ring.lost_too_big);
  }
  const auto counts = lost;
  auto losses = Napi::Object::New(env);
  losses.Set("noRoom", static_cast<double>(counts.no_room));
  losses.Set("tooBig", static_cast<double>(counts.too_big));
  losses.Set("badValue", static_cast<double>(counts.bad_value));
  losses.Set("noRing", static_cast<double>(counts.no_ring));
  out.Set("lost", losses);
  out.Set("uuid", Napi::Buffer<uint8_t>::Copy(env, session.hello().uuid.data(), session.hello().uuid.size()));
  out.Set("clock", session.tsc() ? "tsc" : "monotonic");
  out.Set("rings", rings_of(env, rings));
  out.Set("ringKind", session.leases() ? "thread" : "cpu");
  out.Set("folder", session.folder().path());
  out.Set("folderError", session.folder().path().empty() ? session.folder().error() : "");
  out.Set("ringError", session.ring_error());
  out.Set("relayState", consumer.state);
  out.Set("relayError", consumer.error);
  out.Set("acknowledged", static_cast<double>(consumer.acknowledged));
  out.Set("bytesSent", static_cast<double>(consumer.bytes_sent));
  out.Set("putsInFlight", consumer.puts_in_flight);
}

}  // namespace

Napi::Value status(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  control::Process& process = control::Process::get();
  const control::Settings settings = process.settings();
  auto out = Napi::Object::New(env);
  out.Set("relay", settings.relay.text());
  out.Set("tracepoints", static_cast<double>(process.registry().size()));
  out.Set("enabled", process.registry().count_on());
  out.Set("rules", rules_of(env, process.registry().rules()));
  if (control::Session* session = control::Process::session(); session != nullptr)
    describe(env, *session, out);
  return out;
}

}  // namespace blkin::addon
