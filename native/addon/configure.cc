// native/addon/configure.cc: configure({host, port, token, synced, subBuffers, subBufferBytes, lease, monotonic})
// -> boolean: false where another thread came first and the settings in force stay. lib/settings.ts has checked the values.
#include "environment.hpp"

namespace blkin::addon {

Napi::Value configure(const Napi::CallbackInfo& info) {
  const auto options = info[0].As<Napi::Object>();
  const auto text = [&](const char* name) { return options.Get(name).As<Napi::String>().Utf8Value(); };
  const auto truth = [&](const char* name) { return options.Get(name).ToBoolean().Value(); };
  const auto number = [&](const char* name) {
    return static_cast<uint64_t>(options.Get(name).As<Napi::Number>().Int64Value());
  };
  control::Settings settings;
  settings.relay = {text("host"), text("port")};
  settings.token = text("token");
  settings.ack = truth("synced") ? thrift::Ack::kSynced : thrift::Ack::kWritten;
  settings.geometry = {number("subBufferBytes"), number("subBufferBytes") * number("subBuffers")};
  settings.lease = truth("lease");
  settings.monotonic = truth("monotonic");
  if (!ring::valid_geometry(settings.geometry.sub_buffer_bytes, settings.geometry.capacity))
    throw Napi::RangeError::New(info.Env(), "sub-buffers: expected powers of two from 8192 bytes");
  return Napi::Boolean::New(info.Env(), control::Process::get().configure(std::move(settings)));
}

}  // namespace blkin::addon
