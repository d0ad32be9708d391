// native/addon/emit.cc: the hot call. An event whose fields all have fixed sizes is in staging already; this puts it
// into the ring. No argument is read and no callback data is asked for: the environment's staging is in the thread's
// memory, and staging's first word says which event it is. Never throws.
#include "environment.hpp"

namespace blkin::addon {

napi_value emit(napi_env, napi_callback_info) {
  control::Thread& thread = t_thread;
  const uint64_t word = *thread.staging;
  ring::Record record{static_cast<uint16_t>(word >> 32), static_cast<uint32_t>(word), thread.staging + 1, 0};
  control::Process::session()->write(record, thread);
  return nullptr;
}

}  // namespace blkin::addon
