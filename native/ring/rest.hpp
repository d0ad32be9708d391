// native/ring/rest.hpp: how a reader sleeps while nothing comes, and how the next record wakes it, at no cost to those that
// come while it is awake. A resting ring has no limit, so the next record's check for room fails, and finds on its cold
// way that somebody sleeps: it is not written then, but told as kAsleep, and who emits rouses the ring, writes the record,
// and wakes the reader. Called by the consumer, and by the cold way of an emit.
//
//   D  asleep, and limit 0: no record is written before the reader is woken.       rest() -> find_way()
//
// A thread that looked at the limit before rest() may still write behind it. So between rest() and untouched() the reader
// waits until every emit that had begun is over (Supply::settled(), edge Q in process/thread.hpp): its fence for all
// threads is the one that D needs between its stores and an emitter's loads. Every record is then either below the head
// that untouched() sees or was met by asleep, and neither costs an emitter a fence.
// Killed at whatever instruction, a ring is as sound as before: a limit may be too low, and readers of files ask for neither.
#pragma once

#include "layout.hpp"

namespace blkin::ring {

// The reader's, before it sleeps: the word before the limit, since who finds no limit looks at the word.
inline void rest(Header* ring) noexcept {
  ring->asleep.store(1, std::memory_order_relaxed);  // D
  ring->limit.store(0, std::memory_order_release);   // D
}

// The reader's, after rest() and the wait: whether nothing came since head was `seen`, nor is about to.
inline bool untouched(const Header* ring, uint64_t seen) noexcept {
  return ring->head.load(std::memory_order_acquire) == seen &&
         ring->limit.load(std::memory_order_relaxed) == 0 &&
         ring->asleep.load(std::memory_order_relaxed) != 0;
}

// An emitter's before it writes, and the reader's when it is awake. The next record sets the limit anew.
inline void rouse(Header* ring) noexcept { ring->asleep.store(0, std::memory_order_relaxed); }

// An emitter's, where its record would pass the limit.
inline bool is_asleep(const Header* ring) noexcept {
  return ring->asleep.load(std::memory_order_acquire) != 0;  // D
}

}  // namespace blkin::ring
