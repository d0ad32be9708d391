// native/addon/refuse.cc: counts an event whose values the emitter refused. refuse(id) -> undefined
#include "environment.hpp"

namespace blkin::addon {

Napi::Value refuse(const Napi::CallbackInfo& info) {
  control::Process::count_bad_value(static_cast<uint16_t>(info[0].As<Napi::Number>().Uint32Value()),
                                    t_thread);
  return info.Env().Undefined();
}

}  // namespace blkin::addon
