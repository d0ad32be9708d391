// native/addon/gates.cc: gates(id) -> {generation, gates: [{session, keep, of, filter}]}: what lib/gates.ts makes a function
// of, which then asks it in C++'s place. filter: its text, '' for none.
#include "environment.hpp"

namespace blkin::addon {

Napi::Value gates(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  uint32_t generation = 0;
  const auto found =
      control::Process::get().registry().gates(info[0].As<Napi::Number>().Uint32Value(), generation);
  auto list = Napi::Array::New(env, found.size());
  for (uint32_t i = 0; i < found.size(); ++i) {
    auto one = Napi::Object::New(env);
    one.Set("session", static_cast<uint32_t>(found[i].session));
    one.Set("keep", found[i].sample.keep);
    one.Set("of", found[i].sample.of);
    one.Set("filter", found[i].filter);
    list.Set(i, one);
  }
  auto out = Napi::Object::New(env);
  out.Set("generation", generation);
  out.Set("gates", list);
  return out;
}

}  // namespace blkin::addon
