// native/addon/rules.cc: enable(session, {pattern, exclude, level, exactly, keep, of, filter, unfit: [[id, why]]}) ->
// {rule, covered, unfit}; covered(rule) -> [{id, provider, event, fields}]; disable(session, id | pattern). filter: its
// text, '' for none. lib/rule.ts has checked the values.
#include "session_spec.hpp"

namespace blkin::addon {

namespace {

thrift::Rule rule_of(const Napi::Object& object) {
  const auto number = [&](const char* name) { return object.Get(name).As<Napi::Number>().Int32Value(); };
  thrift::Rule rule;
  rule.pattern = object.Get("pattern").As<Napi::String>().Utf8Value();
  rule.exclude = strings_of(object.Get("exclude"));
  rule.level = number("level");
  rule.exactly = object.Get("exactly").ToBoolean().Value();
  rule.sample = {number("keep"), number("of")};
  if (std::string filter = object.Get("filter").As<Napi::String>().Utf8Value(); !filter.empty())
    rule.filter = std::move(filter);
  return rule;
}

control::Misfits misfits_of(const Napi::Array& given) {
  control::Misfits out;
  for (uint32_t i = 0; i < given.Length(); ++i) {
    const auto one = given.Get(i).As<Napi::Array>();
    out.emplace(one.Get(0U).As<Napi::Number>().Uint32Value(), one.Get(1U).As<Napi::String>().Utf8Value());
  }
  return out;
}

}  // namespace

Napi::Value enable(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto object = info[1].As<Napi::Object>();
  control::Outcome outcome;
  const auto refused =
      control::Process::get().enable(info[0].As<Napi::String>().Utf8Value(), rule_of(object),
                                     misfits_of(object.Get("unfit").As<Napi::Array>()), outcome);
  if (refused) throw_refused(env, *refused);
  auto out = Napi::Object::New(env);
  out.Set("rule", outcome.rule);
  out.Set("covered", outcome.covered);
  auto unfit = Napi::Array::New(env, outcome.unfit.size());
  for (uint32_t i = 0; i < outcome.unfit.size(); ++i) unfit.Set(i, outcome.unfit[i]);
  out.Set("unfit", unfit);
  return out;
}

Napi::Value covered(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto found = control::Process::get().registry().covered(rule_of(info[0].As<Napi::Object>()));
  auto out = Napi::Array::New(env, found.size());
  for (uint32_t i = 0; i < found.size(); ++i) out.Set(i, described(env, found[i]));
  return out;
}

Napi::Value disable(const Napi::CallbackInfo& info) {
  control::Process& process = control::Process::get();
  const std::string session = info[0].As<Napi::String>().Utf8Value();
  if (info[1].IsNumber()) {
    process.disable(session, info[1].As<Napi::Number>().Uint32Value());
    return info.Env().Undefined();
  }
  control::Outcome outcome;
  const auto refused =
      process.disable(session, info[1].As<Napi::String>().Utf8Value(), thrift::Origin::kProgram, outcome);
  if (refused) throw_refused(info.Env(), *refused);
  return info.Env().Undefined();
}

}  // namespace blkin::addon
