// native/clock/clock.cc: see clock.hpp.
#include "clock.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

namespace blkin::clock {

namespace {

constexpr size_t kSamplesMax = 1024;

uint64_t read_clock(clockid_t id) noexcept {
  timespec at{};
  clock_gettime(id, &at);
  return static_cast<uint64_t>(at.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(at.tv_nsec);
}

#if defined(__x86_64__)
constexpr char kClockSource[] = "tsc\n";
#else
constexpr char kClockSource[] = "arch_sys_counter\n";
#endif

bool kernel_uses_counter() noexcept {
  char name[32] = {};
  FILE* file = std::fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "re");
  if (file == nullptr) return false;
  const bool read = std::fgets(name, sizeof name, file) != nullptr;
  std::fclose(file);
  return read && std::strcmp(name, kClockSource) == 0;
}

}  // namespace

uint64_t monotonic_ns() noexcept { return read_clock(CLOCK_MONOTONIC); }

int64_t realtime_offset_ns(int readings) noexcept {
  uint64_t narrowest = UINT64_MAX;
  int64_t offset = 0;
  for (int i = 0; i < readings; ++i) {
    const uint64_t before = read_clock(CLOCK_MONOTONIC);
    const uint64_t real = read_clock(CLOCK_REALTIME);
    const uint64_t window = read_clock(CLOCK_MONOTONIC) - before;
    if (window >= narrowest) continue;
    narrowest = window;
    offset = static_cast<int64_t>(real - (before + window / 2));
  }
  return offset;
}

std::array<uint8_t, 16> boot_id() noexcept {
  std::array<uint8_t, 16> id{};
  FILE* file = std::fopen("/proc/sys/kernel/random/boot_id", "re");
  if (file == nullptr) return id;
  for (auto& byte : id) {
    unsigned value = 0;
    if (std::fscanf(file, "%2x-", &value) != 1) break;  // the dashes stand between whole bytes
    byte = static_cast<uint8_t>(value);
  }
  std::fclose(file);
  return id;
}

bool tsc_is_fit() noexcept {
#if defined(__x86_64__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  const bool invariant = __get_cpuid(0x80000007, &a, &b, &c, &d) != 0 && (d & 1U << 8) != 0;
  return invariant && kernel_uses_counter();
#elif defined(__aarch64__)
  return kernel_uses_counter();
#else
  return false;
#endif
}

uint64_t read_tsc() noexcept {
#if defined(__x86_64__)
  _mm_lfence();
  return __rdtsc();
#elif defined(__aarch64__)
  uint64_t ticks = 0;
  asm volatile("isb\nmrs %0, cntvct_el0" : "=r"(ticks)::"memory");
  return ticks;
#else
  return 0;
#endif
}

Calibration::Calibration(bool tsc) : tsc_(tsc) {
  while (!sample()) {
  }
}

// Readings from a file are input from outside: one that does not lie before our own would make every later one look
// like a step back.
Calibration::Calibration(bool tsc, const std::vector<Sample>& readings) : Calibration(tsc) {
  if (!tsc_) return;
  const Sample own = samples_.front();
  const auto before = [](const Sample& a, const Sample& b) { return a.ticks < b.ticks && a.ns < b.ns; };
  samples_.clear();
  for (const Sample& one : readings)
    if (before(one, own) && (samples_.empty() || before(samples_.back(), one))) samples_.push_back(one);
  samples_.push_back(own);
}

bool Calibration::sample() noexcept {
  if (!tsc_) {
    const uint64_t now = monotonic_ns();
    samples_.assign(1, {now, now});
    return true;
  }
  Sample best{};
  uint64_t window = UINT64_MAX;
  for (int i = 0; i < 8; ++i) {
    const uint64_t before = read_tsc();
    const uint64_t ns = monotonic_ns();
    const uint64_t took =
        read_tsc() - before + 1;  // a whole tick more: slow counters show none, or one, for the same
    if (took >= window) continue;
    window = took;
    best = {before + took / 2, ns};
  }
  // A window far wider than the best yet means that something came between the readings at every try. After some
  // such rounds it is the machine that has slowed, so the new width is the measure.
  if (best_window_ != UINT64_MAX && window > 3 * best_window_ && ++rejected_ < 10) return false;
  best_window_ = rejected_ >= 10 ? window : std::min(best_window_, window);
  rejected_ = 0;
  if (!samples_.empty() && (best.ticks <= samples_.back().ticks || best.ns <= samples_.back().ns))
    return false;
  if (samples_.size() >= kSamplesMax) {  // thin the older half: its lines become longer, not wrong
    size_t kept = 1;
    for (size_t i = 2; i < samples_.size(); i += i < kSamplesMax / 2 ? 2 : 1) samples_[kept++] = samples_[i];
    samples_.resize(kept);
    end_ = {};
  }
  samples_.push_back(best);
  return true;
}

uint64_t Calibration::to_ns(uint64_t ticks) noexcept {
  if (!tsc_) return ticks;
  if (ticks < base_.ticks || ticks >= end_.ticks) select(ticks);
  // A record of a damaged ring may have any time, and then the product is beyond what an integer holds.
  const auto along = [&](uint64_t distance, uint64_t most) {
    const double ns = static_cast<double>(distance) * slope_;
    return ns < static_cast<double>(most) ? std::min(static_cast<uint64_t>(ns), most) : most;
  };
  if (ticks < base_.ticks) return base_.ns - along(base_.ticks - ticks, base_.ns);
  return base_.ns + along(ticks - base_.ticks, end_.ns - base_.ns);
}

void Calibration::select(uint64_t ticks) noexcept {
  if (samples_.size() < 2) {  // one reading gives no rate yet; take a second
    while (!sample()) {
    }
  }
  auto next = std::upper_bound(samples_.begin() + 1, samples_.end() - 1, ticks,
                               [](uint64_t t, const Sample& s) { return t < s.ticks; });
  base_ = *(next - 1);
  end_ = *next;
  slope_ = static_cast<double>(end_.ns - base_.ns) / static_cast<double>(end_.ticks - base_.ticks);
}

}  // namespace blkin::clock
