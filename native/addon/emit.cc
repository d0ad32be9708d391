// native/addon/emit.cc: the hot call. An event whose fields all have fixed sizes is in staging already; this puts it
// into the ring. No argument is read and no callback data is asked for: the environment's staging is in the thread's
// memory, and staging's first word says which event it is. Never throws.
#include "environment.hpp"

namespace blkin::addon {

napi_value emit(napi_env env, napi_callback_info) {
  control::Thread& thread = t_thread;
  // One word of 32 bits, as JavaScript stored it: a wider load of two stores would wait for both to leave the store buffer.
  const uint32_t head = *reinterpret_cast<const uint32_t*>(thread.staging);
  const control::Event event(static_cast<uint16_t>(head >> 16));
  if (control::Process::emit(event, head & kStagedLength, thread.staging + 1, thread,
                             [&] { return asked_of(event, thread.staging); })) [[likely]]
    return nullptr;
  return once_more(env);
}

napi_value once_more(napi_env env) noexcept {
  napi_value yes = nullptr;
  napi_get_boolean(env, true, &yes);
  return yes;
}

}  // namespace blkin::addon
