// native/addon/gates.cc: what lib/gates.ts makes its functions of. gates(id) -> {generation, gates: [{session, rule, keep, of,
// filter, contexts}]}, filter: its text, '' for none, contexts: what JavaScript fills of those that events carry; unfit(session, rule, id, why): that filter does not fit the tracepoint;
// contexts() -> [{name, type}], in the order of their slots; cpu() -> the one this thread is on.
#include <sched.h>

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
    one.Set("rule", found[i].rule);
    one.Set("keep", found[i].sample.keep);
    one.Set("of", found[i].sample.of);
    one.Set("filter", found[i].filter);
    one.Set("contexts", found[i].contexts);
    list.Set(i, one);
  }
  auto out = Napi::Object::New(env);
  out.Set("generation", generation);
  out.Set("gates", list);
  return out;
}

Napi::Value unfit(const Napi::CallbackInfo& info) {
  const auto number = [&](size_t i) { return info[i].As<Napi::Number>().Uint32Value(); };
  control::Process::get().registry().add_misfit(number(0), static_cast<int32_t>(number(1)), number(2),
                                                info[3].As<Napi::String>().Utf8Value());
  // What is on is another: a relay is told.
  for (const auto& consumer : control::Process::get().consumers("")) consumer->wake();
  return info.Env().Undefined();
}

Napi::Value contexts(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto known = control::Process::get().contexts().fields();
  auto out = Napi::Array::New(env, known.size());
  for (uint32_t i = 0; i < known.size(); ++i) {
    auto one = Napi::Object::New(env);
    one.Set("name", known[i].name);
    one.Set("type", static_cast<int32_t>(known[i].type));
    out.Set(i, one);
  }
  return out;
}

Napi::Value cpu(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), sched_getcpu()); }

}  // namespace blkin::addon
