// native/addon/configure.cc: configure({program, version, lease, monotonic, listens, session: spec}) -> boolean: false where
// another thread came first and the settings in force stay. lib/environment.ts has checked the values.
#include "session_spec.hpp"

namespace blkin::addon {

Napi::Value configure(const Napi::CallbackInfo& info) {
  const auto options = info[0].As<Napi::Object>();
  const auto truth = [&](const char* name) { return options.Get(name).ToBoolean().Value(); };
  control::Settings settings;
  const std::string program = options.Get("program").As<Napi::String>().Utf8Value();
  if (!program.empty()) settings.program = program;
  settings.version = options.Get("version").As<Napi::String>().Utf8Value();
  settings.lease = truth("lease");
  settings.monotonic = truth("monotonic");
  settings.listens = truth("listens");
  settings.session = session_spec(options.Get("session").As<Napi::Object>());
  return Napi::Boolean::New(info.Env(), control::Process::get().configure(std::move(settings)));
}

}  // namespace blkin::addon
