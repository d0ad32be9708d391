// native/addon/rules.cc: enable(session, {pattern, exclude, level, exactly, keep, of, filter: {text, program}?}) ->
// {rule, covered, unfit}; disable(session, id | pattern). lib/rule.ts has checked the values.
#include "session_spec.hpp"

namespace blkin::addon {

Napi::Value enable(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto object = info[1].As<Napi::Object>();
  const auto number = [&](const char* name) { return object.Get(name).As<Napi::Number>().Int32Value(); };
  thrift::Rule rule;
  rule.pattern = object.Get("pattern").As<Napi::String>().Utf8Value();
  rule.exclude = strings_of(object.Get("exclude"));
  rule.level = number("level");
  rule.exactly = object.Get("exactly").ToBoolean().Value();
  rule.sample = {number("keep"), number("of")};
  if (object.Get("filter").IsObject()) {
    const auto filter = object.Get("filter").As<Napi::Object>();
    const auto program = filter.Get("program").As<Napi::Uint8Array>();
    rule.filter.text = filter.Get("text").As<Napi::String>().Utf8Value();
    rule.filter.program.assign(program.Data(), program.Data() + program.ByteLength());
  }
  control::Outcome outcome;
  const auto refused =
      control::Process::get().enable(info[0].As<Napi::String>().Utf8Value(), std::move(rule), outcome);
  if (refused) throw_refused(env, *refused);
  auto out = Napi::Object::New(env);
  out.Set("rule", outcome.rule);
  out.Set("covered", outcome.covered);
  auto unfit = Napi::Array::New(env, outcome.unfit.size());
  for (uint32_t i = 0; i < outcome.unfit.size(); ++i) unfit.Set(i, outcome.unfit[i]);
  out.Set("unfit", unfit);
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
