// native/process/thread.hpp: what a JavaScript thread carries in its thread-local memory, and how others learn that it has
// left what they took away: a session's rings may go only when no emitter can be inside one.
//
//   Q  inside: what was unpublished before the barrier is met by no emit that is outside now.   Inside -> Threads::quiet()
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <vector>

#include "../event/channel.hpp"
#include "../event/context.hpp"
#include "../ring/layout.hpp"
#include "../rules/registry.hpp"

namespace blkin::control {

class Session;

struct Thread {
  using Leased = std::array<ring::Header*, kChannels.size()>;

  uint64_t* staging = nullptr;
  ContextBlock* contexts = nullptr;
  std::atomic<uint32_t> inside{0};
  Session* last = nullptr;  // a guess at the next one: compared, never just followed (Process::session_of)
  std::array<Leased, kSessionsMax> leased{};  // by session and channel, where rings are leased
};

// Around every use of flags, gates, sessions and rings by an emitter. Two plain stores: the fence that the first one
// would need is made by the other side, for all threads at once (membarrier).
class Inside {
 public:
  [[gnu::always_inline]] explicit Inside(Thread& thread) noexcept : thread_(thread) {
    thread_.inside.store(1, std::memory_order_relaxed);  // Q
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
  [[gnu::always_inline]] ~Inside() { thread_.inside.store(0, std::memory_order_release); }  // Q
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  Thread& thread_;
};

class Threads {
 public:
  void add(Thread& thread);
  void remove(Thread& thread);

  template <typename Call>
  void each(Call call) {
    const std::lock_guard lock(mutex_);
    for (Thread* thread : threads_) call(*thread);
  }

  // Called after something was unpublished: true once no emitter can still use it. False: some thread was found in the
  // middle of an emit for all of the time, which means that it has no CPU; ask again later.
  bool quiet(uint64_t within_us);

 private:
  std::mutex mutex_;
  std::vector<Thread*> threads_;
};

}  // namespace blkin::control
