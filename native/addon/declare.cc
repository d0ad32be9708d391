// native/addon/declare.cc: declare({provider, event, level, schema, fields: [{name, type, shape, length, container,
// labels: [[name, number]]}]}) -> the tracepoint's id, or the schema that the name has already (a string; empty where
// no more tracepoints can be had). lib/provider.ts has checked the values.
#include "environment.hpp"

namespace blkin::addon {

namespace {

thrift::Field field_of(const Napi::Object& object) {
  const auto number = [&](const char* name) { return object.Get(name).As<Napi::Number>().Int32Value(); };
  thrift::Field field{};
  field.name = object.Get("name").As<Napi::String>().Utf8Value();
  field.type = static_cast<thrift::Type>(number("type"));
  field.shape = static_cast<thrift::Shape>(number("shape"));
  field.length = number("length");
  field.container = static_cast<thrift::Type>(number("container"));
  const auto labels = object.Get("labels").As<Napi::Array>();
  for (uint32_t i = 0; i < labels.Length(); ++i) {
    const auto label = labels.Get(i).As<Napi::Array>();
    field.labels.push_back(
        {label.Get(0U).As<Napi::String>().Utf8Value(), label.Get(1U).As<Napi::Number>().Int64Value()});
  }
  return field;
}

Napi::Object described(Napi::Env env, const thrift::Field& field) {
  auto labels = Napi::Array::New(env, field.labels.size());
  for (uint32_t i = 0; i < field.labels.size(); ++i) {
    auto label = Napi::Array::New(env, 2);
    label.Set(0U, field.labels[i].name);
    label.Set(1U, static_cast<double>(field.labels[i].value));
    labels.Set(i, label);
  }
  auto out = Napi::Object::New(env);
  out.Set("name", field.name);
  out.Set("type", static_cast<int32_t>(field.type));
  out.Set("shape", static_cast<int32_t>(field.shape));
  out.Set("length", field.length);
  out.Set("container", static_cast<int32_t>(field.container));
  out.Set("labels", labels);
  return out;
}

}  // namespace

Napi::Object described(Napi::Env env, const thrift::Tracepoint& tracepoint) {
  auto fields = Napi::Array::New(env, tracepoint.fields.size());
  for (uint32_t i = 0; i < tracepoint.fields.size(); ++i) fields.Set(i, described(env, tracepoint.fields[i]));
  auto out = Napi::Object::New(env);
  out.Set("id", tracepoint.id);
  out.Set("provider", tracepoint.provider);
  out.Set("event", tracepoint.event);
  out.Set("fields", fields);
  return out;
}

Napi::Value declare(const Napi::CallbackInfo& info) {
  const auto object = info[0].As<Napi::Object>();
  thrift::Tracepoint tracepoint{};
  tracepoint.provider = object.Get("provider").As<Napi::String>().Utf8Value();
  tracepoint.event = object.Get("event").As<Napi::String>().Utf8Value();
  tracepoint.level = object.Get("level").As<Napi::Number>().Int32Value();
  const auto fields = object.Get("fields").As<Napi::Array>();
  for (uint32_t i = 0; i < fields.Length(); ++i)
    tracepoint.fields.push_back(field_of(fields.Get(i).As<Napi::Object>()));
  const std::string schema = object.Get("schema").As<Napi::String>().Utf8Value();
  const control::Declared declared = control::Process::get().declare(std::move(tracepoint), schema);
  if (declared.id >= 0) return Napi::Number::New(info.Env(), declared.id);
  return Napi::String::New(info.Env(), declared.conflict);
}

}  // namespace blkin::addon
