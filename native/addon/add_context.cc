// native/addon/add_context.cc: addContext(name, type) -> the slot of a context that the program provides, or why it cannot
// be (a string). lib/context.ts has checked the values.
#include "environment.hpp"

namespace blkin::addon {

Napi::Value add_context(const Napi::CallbackInfo& info) {
  std::string why;
  const int32_t slot = control::Process::get().contexts().add(
      info[0].As<Napi::String>().Utf8Value(),
      static_cast<thrift::Type>(info[1].As<Napi::Number>().Int32Value()), why);
  if (slot < 0) return Napi::String::New(info.Env(), why);
  return Napi::Number::New(info.Env(), slot);
}

}  // namespace blkin::addon
