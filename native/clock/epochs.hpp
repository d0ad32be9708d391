// native/clock/epochs.hpp: what to add to CLOCK_MONOTONIC to get the time of day. NTP slews both clocks alike, so it is one number
// until somebody sets the clock or the machine sleeps: then another epoch begins. The table lies in memory that outlives the process,
// so that whoever recovers it dates each record by the epoch of its time.
// One thread writes at a time. Start reading at look().
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace blkin::clock {

class EpochTable {
 public:
  static constexpr uint32_t kKept = 32;

  struct Found {
    uint32_t number;  // counted from 0
    int64_t offset;   // nanoseconds from CLOCK_MONOTONIC to CLOCK_REALTIME, 0 or more
    uint64_t until;   // when the next one begins
  };

  // Begins the table.
  void begin(int64_t offset) noexcept;

  // Begins another epoch where the time of day is another than it says; of it is what is younger than `since`, which is the last
  // moment at which it was looked at, or any before.
  void look(uint64_t since) noexcept;
  void add(uint64_t from, int64_t offset) noexcept;
  // Becomes as the other is: a second copy of one table.
  void follow(const EpochTable& other) noexcept;

  // The one of a moment; of one before those that are kept, the first of these.
  Found at(uint64_t ns) const noexcept;
  // That one, or the nearest that is kept.
  Found numbered(uint32_t number) const noexcept;

  // What another process left is input from outside: where it cannot be, the first that is kept stands for all.
  void repair() noexcept;

 private:
  struct Epoch {
    uint64_t from;
    int64_t offset;
  };

  uint32_t oldest() const noexcept;
  Epoch& entry(uint32_t number) noexcept { return kept_[number % kKept]; }
  const Epoch& entry(uint32_t number) const noexcept { return kept_[number % kKept]; }

  // Of all that there were. An entry is written whole before it is counted, since a process may be killed between two words.
  std::atomic<uint32_t> count_;
  std::array<Epoch, kKept> kept_;
};

}  // namespace blkin::clock
