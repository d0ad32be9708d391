// native/clock/clock.hpp: event times as CLOCK_MONOTONIC nanoseconds, the clock of LTTng and of the kernel.
// The writers store raw ticks of the CPU's counter, the cheapest time there is: the TSC, or on arm64 the generic timer's,
// which is called so here too. The consumer turns them into nanoseconds by a line between two moments at which it read
// both clocks; nobody asks for the counter's rate. Where the counter is unfit, ticks are nanoseconds already.
// Start reading at Calibration.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace blkin::clock {

uint64_t monotonic_ns() noexcept;

// Nanoseconds from CLOCK_MONOTONIC to CLOCK_REALTIME, the best of several readings. It may change: epochs.hpp.
int64_t realtime_offset_ns(int readings = 50) noexcept;

// The kernel's boot id: 16 bytes that name this machine's CLOCK_MONOTONIC. Zeros where /proc is hidden.
std::array<uint8_t, 16> boot_id() noexcept;

// True when the counter may be used: the CPU says its rate never changes or stops (on arm64 it never does), and the
// kernel itself keeps time by it.
bool tsc_is_fit() noexcept;

uint64_t read_tsc() noexcept;  // 0 where there is none

struct Sample {
  uint64_t ticks;
  uint64_t ns;
};

// Owned by one thread.
class Calibration {
 public:
  explicit Calibration(bool tsc);

  // Goes on from readings, oldest first, that another process made on this boot; what cannot be one is left out.
  Calibration(bool tsc, const std::vector<Sample>& readings);

  // Reads both clocks. After it, ticks read before it can be converted. False: the thread was disturbed at every
  // try; convert nothing new until the next call.
  bool sample() noexcept;

  // ticks: at most the last sample's; older than the first are extended along the first line. Never decreasing.
  uint64_t to_ns(uint64_t ticks) noexcept;

  Sample first() const noexcept { return samples_.front(); }
  Sample last() const noexcept { return samples_.back(); }
  bool tsc() const noexcept { return tsc_; }

 private:
  void select(uint64_t ticks) noexcept;

  bool tsc_;
  std::vector<Sample> samples_;
  uint64_t best_window_ = UINT64_MAX;
  int rejected_ = 0;
  // The line in use: from base, slope ns a tick, for ticks in [base.ticks, until).
  Sample base_{};
  Sample end_{};
  double slope_ = 0;
};

}  // namespace blkin::clock
