// native/test/clock_test.cc: ticks as nanoseconds. No assertion knows an absolute time: the readings around a moment
// bound it, and the width of the narrowest reading bounds what a calibration can know.
#include "clock/clock.hpp"
#include "clock/epochs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <random>

namespace blkin::clock {
namespace {

class Tsc : public testing::Test {
 protected:
  void SetUp() override {
    if (!tsc_is_fit()) GTEST_SKIP() << "the TSC is unfit here";
  }
};

// How long it takes to read the other clock between two readings of one: what no calibration can be better than.
uint64_t narrowest_ns() {
  uint64_t least = UINT64_MAX;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t before = monotonic_ns();
    read_tsc();
    least = std::min(least, monotonic_ns() - before);
  }
  return std::max<uint64_t>(least, 1);
}

TEST_F(Tsc, ticks_become_times_between_the_readings_around_them) {
  Calibration calibration(true);
  const uint64_t slack = 10 * narrowest_ns();
  int outside = 0;
  constexpr int kMoments = 500;
  for (int i = 0; i < kMoments; ++i) {
    const uint64_t before = monotonic_ns();
    const uint64_t ticks = read_tsc();
    const uint64_t after = monotonic_ns();
    while (!calibration.sample()) {
    }
    const uint64_t ns = calibration.to_ns(ticks);
    outside += ns + slack < before || ns > after + slack ? 1 : 0;
  }
  // A reading that was disturbed at every try makes one line steeper; it must stay the exception.
  EXPECT_LE(outside, kMoments / 20) << "by more than " << slack << " ns";
}

TEST_F(Tsc, times_never_decrease_while_ticks_grow_and_samples_come) {
  Calibration calibration(true);
  std::mt19937 random(1);
  uint64_t last_ns = 0, ticks = read_tsc();
  for (int i = 0; i < 20'000; ++i) {
    if (random() % 4 == 0) calibration.sample();
    const uint64_t limit = calibration.last().ticks;
    ticks = std::min(ticks + random() % 100'000, std::max(ticks, limit));
    const uint64_t ns = calibration.to_ns(ticks);
    ASSERT_GE(ns, last_ns) << "at step " << i;
    last_ns = ns;
  }
  EXPECT_LE(last_ns, monotonic_ns());
}

TEST_F(Tsc, a_sample_is_on_its_own_line) {
  Calibration calibration(true);
  for (int i = 0; i < 100; ++i) {
    while (!calibration.sample()) {
    }
    const Sample last = calibration.last();
    ASSERT_LE(last.ns - calibration.to_ns(last.ticks), 1U) << "but for rounding down";
  }
  EXPECT_EQ(calibration.to_ns(calibration.first().ticks), calibration.first().ns);
}

TEST_F(Tsc, ticks_beyond_the_last_sample_do_not_pass_it) {
  Calibration calibration(true);
  while (!calibration.sample()) {
  }
  const Sample last = calibration.last();
  for (const uint64_t beyond : {1ULL, 1000ULL, 1ULL << 40})
    EXPECT_LE(calibration.to_ns(last.ticks + beyond), last.ns);
}

TEST_F(Tsc, ticks_older_than_the_first_sample_lie_on_the_first_line) {
  const uint64_t before = monotonic_ns();
  const uint64_t ticks = read_tsc();
  Calibration calibration(true);
  const uint64_t ns = calibration.to_ns(ticks);
  EXPECT_LE(ns, calibration.first().ns);
  // The first line is short, so its slope is rough: the reading's error over the line's length, times the distance.
  EXPECT_LT(before - std::min(before, ns), 10 * (monotonic_ns() - before));
  EXPECT_LE(calibration.to_ns(0), ns);
}

TEST_F(Tsc, thinning_keeps_the_answers) {
  Calibration calibration(true);
  const uint64_t slack = 10 * narrowest_ns();
  std::vector<Sample> answers;
  const auto take = [&] {
    while (!calibration.sample()) {
    }
    const uint64_t ticks = calibration.last().ticks;
    answers.push_back({ticks, calibration.to_ns(ticks)});
  };
  for (int i = 0; i < 1000; ++i) take();
  const size_t before_thinning = answers.size();
  for (int i = 0; i < 2000; ++i) take();
  size_t moved = 0;
  uint64_t last_ns = 0;
  for (size_t i = 0; i < before_thinning; ++i) {
    const uint64_t ns = calibration.to_ns(answers[i].ticks);
    ASSERT_GE(ns, last_ns);
    last_ns = ns;
    moved += std::max(ns, answers[i].ns) - std::min(ns, answers[i].ns) > slack ? 1 : 0;
  }
  EXPECT_LE(moved, before_thinning / 20) << "by more than " << slack << " ns";
  EXPECT_EQ(calibration.to_ns(calibration.first().ticks), calibration.first().ns);
}

TEST_F(Tsc, another_processs_readings_are_gone_on_from) {
  Calibration dead(true);
  while (!dead.sample()) {
  }
  const Sample first = dead.first(), last = dead.last();
  const uint64_t before = monotonic_ns();
  const uint64_t ticks = read_tsc();
  const uint64_t after = monotonic_ns();
  Calibration recovery(true, {first, last});
  EXPECT_EQ(recovery.to_ns(first.ticks), first.ns);
  EXPECT_LE(last.ns - recovery.to_ns(last.ticks), 1U);
  const uint64_t half = recovery.to_ns(first.ticks + (last.ticks - first.ticks) / 2);
  EXPECT_GE(half, first.ns);
  EXPECT_LE(half, last.ns);
  const uint64_t slack = 100 * narrowest_ns();
  EXPECT_GE(recovery.to_ns(ticks) + slack, before);
  EXPECT_LE(recovery.to_ns(ticks), after + slack);
}

TEST_F(Tsc, readings_that_cannot_be_are_left_out) {
  // A file's bytes: taken as they came, the next reading could never come after them, and sampling never ended.
  const Sample now{read_tsc(), monotonic_ns()};
  for (const std::vector<Sample>& readings : {std::vector<Sample>{{UINT64_MAX, 1}},
                                              {{1, UINT64_MAX}},
                                              {now, {UINT64_MAX / 2, UINT64_MAX / 2}},
                                              {{now.ticks + (1ULL << 50), now.ns}},
                                              {now, {now.ticks - 1000, now.ns + 1}},
                                              {now, now},
                                              {}}) {
    Calibration calibration(true, readings);
    const uint64_t before = monotonic_ns();
    const uint64_t ticks = read_tsc();
    while (!calibration.sample()) {
    }
    const uint64_t ns = calibration.to_ns(ticks);
    EXPECT_GE(ns + 1'000'000'000, before);
    EXPECT_LE(ns, monotonic_ns());
  }
}

TEST(Monotonic, ticks_are_nanoseconds_already) {
  Calibration calibration(false);
  EXPECT_FALSE(calibration.tsc());
  EXPECT_EQ(calibration.to_ns(0), 0U);
  EXPECT_EQ(calibration.to_ns(123'456'789), 123'456'789U);
  const uint64_t before = monotonic_ns();
  EXPECT_TRUE(calibration.sample());
  EXPECT_GE(calibration.last().ns, before);
  EXPECT_LE(calibration.last().ns, monotonic_ns());
  Calibration recovery(false, {{5, 5}, {UINT64_MAX, UINT64_MAX}});
  EXPECT_EQ(recovery.to_ns(77), 77U);
}

TEST(Clocks, the_offset_to_real_time_is_that_of_the_readings_around_it) {
  timespec real{};
  clock_gettime(CLOCK_REALTIME, &real);
  const uint64_t before =
      static_cast<uint64_t>(real.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(real.tv_nsec);
  const uint64_t mono_before = monotonic_ns();
  const int64_t offset = realtime_offset_ns();
  const uint64_t mono_after = monotonic_ns();
  clock_gettime(CLOCK_REALTIME, &real);
  const uint64_t after =
      static_cast<uint64_t>(real.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(real.tv_nsec);
  EXPECT_GE(mono_after + static_cast<uint64_t>(offset), before);
  EXPECT_LE(mono_before + static_cast<uint64_t>(offset), after);
}

// As many epochs as somebody likes are remembered as far as the table goes, and one of before it is the first of these.
TEST(Epochs, a_moment_is_of_the_one_that_began_last_before_it) {
  EpochTable table;
  table.begin(7);
  EXPECT_EQ(table.at(0).offset, 7);
  EXPECT_EQ(table.at(UINT64_MAX).until, UINT64_MAX);
  constexpr uint32_t kMany = 3 * EpochTable::kKept;
  for (uint32_t n = 1; n <= kMany; ++n) table.add(uint64_t{1000} * n, 10 * n);
  for (uint32_t n = kMany - EpochTable::kKept / 2; n < kMany; ++n) {
    for (const uint64_t ns : {uint64_t{1000} * n, uint64_t{1000} * n + 999}) {
      EXPECT_EQ(table.at(ns).number, n);
      EXPECT_EQ(table.at(ns).offset, 10 * n);
      EXPECT_EQ(table.at(ns).until, uint64_t{1000} * (n + 1));
    }
    EXPECT_EQ(table.numbered(n).offset, 10 * n);
  }
  EXPECT_EQ(table.at(0).number, kMany + 2 - EpochTable::kKept) << "the oldest that is kept";
  EXPECT_EQ(table.numbered(UINT32_MAX).number, kMany);
}

TEST(Epochs, none_begins_while_the_time_of_day_is_what_it_was_and_one_begins_where_it_is_not) {
  EpochTable table;
  table.begin(realtime_offset_ns());
  table.look(0);
  EXPECT_EQ(table.at(UINT64_MAX).number, 0U);
  const uint64_t before = monotonic_ns();
  table.begin(realtime_offset_ns() + 3'600'000'000'000);
  table.look(before);
  EXPECT_EQ(table.at(before - 1).number, 0U);
  EXPECT_EQ(table.at(before).number, 1U);
  EXPECT_NEAR(static_cast<double>(table.at(before).offset), static_cast<double>(realtime_offset_ns()), 1e9);
}

TEST(Epochs, what_a_dead_process_left_of_them_is_made_one_where_it_cannot_be) {
  std::mt19937 random(3);
  for (int round = 0; round < 20'000; ++round) {
    EpochTable table;
    table.begin(5);
    for (uint32_t n = 1; n < 40; ++n) table.add(n, n);
    auto* bytes = reinterpret_cast<uint8_t*>(&table);
    for (int flips = 1 + static_cast<int>(random() % 8); flips > 0; --flips)
      bytes[random() % (round % 2 == 0 ? 8 : sizeof table)] = static_cast<uint8_t>(random());
    table.repair();
    uint64_t ns = 0;
    for (int n = 0; n < 50; ++n) {
      const EpochTable::Found found = table.at(ns);
      ASSERT_GE(found.offset, 0);
      ASSERT_GT(found.until, ns);
      ns = found.until - (found.until == UINT64_MAX ? 1 : 0);
    }
  }
}

TEST(Clocks, the_boot_id_is_the_kernels) {
  std::string text;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> text;
  if (text.empty()) GTEST_SKIP() << "/proc is hidden";
  std::string ours;
  for (const uint8_t byte : boot_id()) {
    char hex[3];
    std::snprintf(hex, sizeof hex, "%02x", byte);
    ours += hex;
  }
  std::erase(text, '-');
  EXPECT_EQ(ours, text);
}

}  // namespace
}  // namespace blkin::clock
