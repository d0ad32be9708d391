// native/addon/environment.cc: see environment.hpp.
#include "environment.hpp"

#include <cstdlib>
#include <new>

namespace blkin::addon {

constinit thread_local control::Thread t_thread;

namespace {

// A module loader that forgets the addon (jest's does, between test files) opens it again in the same thread; all of
// these share the thread's staging, since an event is staged and taken without anything in between.
thread_local int t_opened = 0;

void close_environment(void* token) {
  delete static_cast<char*>(token);
  if (--t_opened > 0) return;
  control::Process::get().detach(t_thread);
  // A terminated Worker ends here too, between two calls of ours: no emit can come after it.
  std::free(reinterpret_cast<uint8_t*>(t_thread.staging) - kContextRoom);
  t_thread.staging = nullptr;
}

}  // namespace

void open_environment(Napi::Env env) {
  napi_add_env_cleanup_hook(env, close_environment,
                            new char);  // Node takes no pair of hook and argument twice
  if (t_opened++ > 0) return;
  // Pages that are never touched, such as the contexts' where none are wanted, take no memory.
  constexpr size_t kBlockAt = kContextRoom + kStagingBytes + kScratchBytes;
  constexpr size_t kWhole = kBlockAt + sizeof(control::ContextBlock);
  auto* memory = static_cast<uint8_t*>(std::aligned_alloc(64, (kWhole + 63) / 64 * 64));
  t_thread.staging = reinterpret_cast<uint64_t*>(memory + kContextRoom);
  t_thread.contexts = new (memory + kBlockAt) control::ContextBlock{};
  control::Process::get().attach(t_thread);
}

Napi::Value staging(const Napi::CallbackInfo& info) {
  return Napi::ArrayBuffer::New(info.Env(), t_thread.staging, kStagingBytes);
}

Napi::Value flags(const Napi::CallbackInfo& info) {
  return Napi::ArrayBuffer::New(info.Env(), control::Process::get().registry().flags(),
                                control::kTracepointsMax * sizeof(uint16_t));
}

Napi::Value generations(const Napi::CallbackInfo& info) {
  return Napi::ArrayBuffer::New(info.Env(), control::Process::get().registry().generations(),
                                control::kTracepointsMax * sizeof(uint32_t));
}

Napi::Value context_block(const Napi::CallbackInfo& info) {
  return Napi::ArrayBuffer::New(info.Env(), t_thread.contexts, sizeof(control::ContextBlock));
}

}  // namespace blkin::addon
