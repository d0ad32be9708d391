// native/addon/environment.cc: see environment.hpp.
#include "environment.hpp"

#include <cstdlib>

namespace blkin::addon {

constinit thread_local control::Thread t_thread;

namespace {

void close_environment(void* staging) {
  control::Process::get().detach(t_thread);
  // A terminated Worker ends here too, between two calls of ours: no emit can come after it.
  if (t_thread.staging == staging) t_thread.staging = nullptr;
  std::free(staging);
}

}  // namespace

void open_environment(Napi::Env env) {
  auto* memory = static_cast<uint64_t*>(std::aligned_alloc(64, (kStagingBytes + kScratchBytes + 63) / 64 * 64));
  t_thread.staging = memory;
  control::Process::get().attach();
  napi_add_env_cleanup_hook(env, close_environment, memory);
}

Napi::Value staging(const Napi::CallbackInfo& info) {
  return Napi::ArrayBuffer::New(info.Env(), t_thread.staging, kStagingBytes);
}

Napi::Value flags(const Napi::CallbackInfo& info) {
  return Napi::ArrayBuffer::New(info.Env(), control::Process::get().registry().flags(), control::kTracepointsMax);
}

}  // namespace blkin::addon
