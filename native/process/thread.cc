// native/process/thread.cc: see thread.hpp.
#include "thread.hpp"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "../clock/clock.hpp"

namespace blkin::control {

namespace {

constexpr useconds_t kLookAgainUs = 50;
constexpr useconds_t kStoresDrainUs = 10'000;  // far above what a store buffer can hold back

// Makes every running thread of the process pass a full fence.
void barrier() {
  static const bool expedited = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
  if (expedited && syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0) return;
  usleep(kStoresDrainUs);
}

}  // namespace

void Threads::add(Thread& thread) {
  const std::lock_guard lock(mutex_);
  threads_.push_back(&thread);
}

void Threads::remove(Thread& thread) {
  const std::lock_guard lock(mutex_);
  std::erase(threads_, &thread);
}

bool Threads::quiet(uint64_t within_us) {
  barrier();  // Q
  std::vector<Thread*> busy;
  {
    const std::lock_guard lock(mutex_);
    busy = threads_;
  }
  const uint64_t until = clock::monotonic_ns() + within_us * 1000;
  for (;;) {
    {
      const std::lock_guard lock(mutex_);  // one that has gone is not looked at
      std::erase_if(busy, [&](const Thread* thread) {
        return std::find(threads_.begin(), threads_.end(), thread) == threads_.end() ||
               thread->inside.load(std::memory_order_acquire) == 0;  // Q
      });
    }
    if (busy.empty()) return true;
    if (clock::monotonic_ns() >= until) return false;
    usleep(kLookAgainUs);
  }
}

}  // namespace blkin::control
