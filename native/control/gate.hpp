// native/control/gate.hpp: what an event must pass before a session takes it, where its rule says more than "on".
// Made by the registry when rules change, read by emitters, and freed once none can be inside (thread.hpp).
#pragma once

#include <memory>

#include "../ring/write.hpp"
#include "filter.hpp"
#include "thread.hpp"

namespace blkin::control {

struct Gate {
  uint64_t keep_below = 1ULL << 32;  // of 2^32 equally likely numbers
  std::unique_ptr<const Filter> filter;

  bool passes(const ring::Record& record, Thread& thread) const noexcept {
    if (keep_below < (1ULL << 32)) {
      // xorshift64*, whose upper half is good enough to choose by and takes a nanosecond.
      uint64_t x = thread.random;
      x ^= x >> 12;
      x ^= x << 25;
      x ^= x >> 27;
      thread.random = x;
      if ((x * 0x2545F4914F6CDD1DULL) >> 32 >= keep_below) return false;
    }
    return filter == nullptr ||
           filter->passes(reinterpret_cast<const uint8_t*>(record.payload), record.length, *thread.contexts);
  }
};

}  // namespace blkin::control
