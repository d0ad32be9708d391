// native/addon/leave.cc: leave() -> undefined: this process is about to exit. Node waits then for the threads of libuv's pool,
// before anything of ours is told, so whatever waits on one of them looks here now and then and gives up.
#include <atomic>

#include "environment.hpp"

namespace blkin::addon {

namespace {

std::atomic<bool> g_leaving{false};

}  // namespace

bool leaving() noexcept { return g_leaving.load(std::memory_order_relaxed); }

Napi::Value leave(const Napi::CallbackInfo& info) {
  g_leaving.store(true, std::memory_order_relaxed);
  return info.Env().Undefined();
}

}  // namespace blkin::addon
