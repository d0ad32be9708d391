// native/control/deliver.cc: the ways of an event that are not the common one of Process::emit(): several sessions,
// contexts, refused values. Called by emitters, inside Inside; never waits but where a session's mode says so.
#include <sched.h>

#include "process.hpp"

namespace blkin::control {

void Process::deliver(uint16_t want, Event event, uint32_t length, const uint64_t* payload,
                      Thread& thread) noexcept {
  for (unsigned bits = want & 255U; bits != 0; bits &= bits - 1) {
    const auto number = static_cast<size_t>(std::countr_zero(bits));
    take(number, (want / kGated >> number & 1U) != 0, event, length, payload, thread);
  }
}

void Process::take(size_t number, bool in_context, Event event, uint32_t length, const uint64_t* payload,
                   Thread& thread) noexcept {
  Session* session = session_of(number, thread);
  if (session == nullptr) return;
  if (!in_context) return session->write(event, length, payload, thread);
  if (one_->registry_.cpu_wanted()) thread.contexts->number[kCpuSlot] = static_cast<unsigned>(sched_getcpu());
  session->write_in_context(event, length, payload, thread);
}

void Process::count_bad_value(uint16_t id, Thread& thread) noexcept {
  const Inside inside(thread);
  const uint16_t want = one_->registry_.wanted(id);
  for (unsigned bits = want & 255U; bits != 0; bits &= bits - 1)
    if (Session* session =
            sessions_[static_cast<size_t>(std::countr_zero(bits))].load(std::memory_order_acquire))
      session->count_bad_value();
}

}  // namespace blkin::control
