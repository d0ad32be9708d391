// native/addon/stderr.cc: writeStderr(text) -> undefined: text as it is, or nothing where it would have to wait.
#include "../consumer/stderr.hpp"

#include "environment.hpp"

namespace blkin::addon {

Napi::Value write_stderr(const Napi::CallbackInfo& info) {
  consumer::write_stderr(info[0].As<Napi::String>().Utf8Value());
  return info.Env().Undefined();
}

}  // namespace blkin::addon
