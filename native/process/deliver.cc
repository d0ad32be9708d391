// native/process/deliver.cc: the ways of an event that are not the common one of Process::emit(): several sessions,
// contexts, refused values. Called by emitters, inside Inside; never waits but where a session's mode says so.
#include "process.hpp"

namespace blkin::control {

void Process::deliver(uint16_t want, Event event, uint32_t length, uint64_t* payload,
                      Thread& thread) noexcept {
  struct Taker {
    Session* session;
    ring::Seen seen;
  };
  Taker takers[kSessionsMax];
  size_t count = 0;
  bool timed = false;
  for (unsigned bits = want; bits != 0; bits &= bits - 1) {
    const auto number = static_cast<size_t>(std::countr_zero(bits));
    Session* const session = sessions_[number].load(std::memory_order_acquire);
    if (session == nullptr) continue;
    takers[count] = {session, session->look(event)};
    timed |= takers[count++].seen.ring != nullptr;
  }
  const uint64_t ticks = timed ? ring::read_counter() : 0;
  for (size_t i = 0; i < count; ++i)
    takers[i].session->write(event, length, payload, thread, takers[i].seen, ticks);
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
