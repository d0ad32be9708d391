// native/addon/refuse.cc: counts an event whose values the emitter refused. refuse() -> undefined
#include "environment.hpp"

namespace blkin::addon {

Napi::Value refuse(const Napi::CallbackInfo& info) {
  if (control::Session* session = control::Process::session(); session != nullptr) session->count_bad_value();
  return info.Env().Undefined();
}

}  // namespace blkin::addon
