// native/clock/epochs.cc: see epochs.hpp.
#include "epochs.hpp"

#include <algorithm>

#include "clock.hpp"

namespace blkin::clock {

namespace {

constexpr int64_t kStepNs = 100'000'000;  // NTP's daemons slew what is less
constexpr uint64_t kLeastNs =
    1'000'000'000;  // of an epoch: who sets the clock all the time gets no file each time

// A clock that stands before 1970 plus the time since boot is off by years whatever we say.
int64_t possible(int64_t offset) noexcept { return std::max<int64_t>(offset, 0); }

}  // namespace

void EpochTable::begin(int64_t offset) noexcept {
  kept_[0] = {0, possible(offset)};
  count_.store(1, std::memory_order_release);
}

void EpochTable::look(uint64_t since) noexcept {
  const uint32_t newest = count_.load(std::memory_order_relaxed) - 1;
  const Epoch known = entry(newest);
  const auto is_other = [&](int64_t offset) {
    return offset - known.offset >= kStepNs || known.offset - offset >= kStepNs;
  };
  if (!is_other(possible(realtime_offset_ns(1)))) return;
  if (newest > 0 && monotonic_ns() < known.from + kLeastNs) return;
  // One reading may have been disturbed by anything.
  if (const int64_t offset = possible(realtime_offset_ns()); is_other(offset)) add(since, offset);
}

void EpochTable::follow(const EpochTable& other) noexcept {
  const uint32_t count = other.count_.load(std::memory_order_acquire);
  if (count == count_.load(std::memory_order_relaxed)) return;
  kept_ = other.kept_;
  count_.store(count, std::memory_order_release);
}

void EpochTable::add(uint64_t from, int64_t offset) noexcept {
  const uint32_t number = count_.load(std::memory_order_relaxed);
  entry(number) = {std::max(from, entry(number - 1).from + 1), possible(offset)};
  count_.store(number + 1, std::memory_order_release);
}

// Who is killed while he writes may leave half of an entry in the place of the oldest.
uint32_t EpochTable::oldest() const noexcept {
  const uint32_t count = count_.load(std::memory_order_acquire);
  return count < kKept ? 0 : count - kKept + 1;
}

EpochTable::Found EpochTable::at(uint64_t ns) const noexcept {
  uint32_t number = count_.load(std::memory_order_acquire) - 1;
  while (number > oldest() && entry(number).from > ns) --number;
  return numbered(number);
}

EpochTable::Found EpochTable::numbered(uint32_t number) const noexcept {
  const uint32_t newest = count_.load(std::memory_order_acquire) - 1;
  number = std::clamp(number, oldest(), newest);
  return {number, entry(number).offset, number == newest ? UINT64_MAX : entry(number + 1).from};
}

void EpochTable::repair() noexcept {
  const uint32_t count = count_.load(std::memory_order_acquire);
  if (count == 0 || count > INT32_MAX) return begin(0);
  for (uint32_t number = oldest(); number < count; ++number)
    if (entry(number).offset < 0 || (number > oldest() && entry(number).from <= entry(number - 1).from))
      return begin(entry(oldest()).offset);
}

}  // namespace blkin::clock
