// native/addon/rules.cc: enable({pattern, exclude, level}) -> the rule's id, 0 where no more rules can be had;
// disable(id | pattern) -> boolean. lib/rules.ts has checked the values.
#include "environment.hpp"

namespace blkin::addon {

Napi::Value enable(const Napi::CallbackInfo& info) {
  const auto object = info[0].As<Napi::Object>();
  control::Rule rule;
  rule.pattern = object.Get("pattern").As<Napi::String>().Utf8Value();
  rule.level = object.Get("level").As<Napi::Number>().Int32Value();
  const auto exclude = object.Get("exclude").As<Napi::Array>();
  for (uint32_t i = 0; i < exclude.Length(); ++i)
    rule.exclude.push_back(exclude.Get(i).As<Napi::String>().Utf8Value());
  return Napi::Number::New(info.Env(), control::Process::get().enable(std::move(rule)));
}

Napi::Value disable(const Napi::CallbackInfo& info) {
  control::Registry& registry = control::Process::get().registry();
  const bool done = info[0].IsNumber() ? registry.disable(info[0].As<Napi::Number>().Uint32Value())
                                       : registry.disable(info[0].As<Napi::String>().Utf8Value());
  return Napi::Boolean::New(info.Env(), done);
}

}  // namespace blkin::addon
