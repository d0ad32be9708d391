// native/test/ring_rest_test.cc: a reader that sleeps while nothing comes: no record is written behind its back, whenever it
// falls asleep; it uses no processor while it sleeps; and whoever finds its ring asleep after a kill finds it whole.
#include "ring/rest.hpp"

#include <dirent.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "fake_relay.hpp"
#include "process/session.hpp"
#include "ring_fixture.hpp"

namespace blkin {
namespace {

using test::MemoryRing;

template <typename Condition>
[[nodiscard]] bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

constexpr uint64_t kPatience = 1'000'000;  // us; of quiet(), for a thread that has no CPU

// What a session and its consumer do of the protocol, at the pace of a loop: so the reader falls asleep in the middle of
// emits, some thousand times.
template <typename Writer>
class Rest : public testing::Test {
 protected:
  void SetUp() override {
    if (!Writer::available()) GTEST_SKIP() << "no rseq here";
  }

  void make(ring::Geometry geometry, size_t threads) {
    for (size_t i = 0; i < Writer::rings_for(threads); ++i) {
      rings_.push_back(std::make_unique<MemoryRing>(geometry));
      all_.push_back(rings_.back()->get());
    }
  }

  void emit(const Writer& writer, control::Thread& thread) {
    const uint64_t words[2] = {1, 2};
    const control::Inside inside(thread);
    bool met = false;
    ring::Result result = writer.write({7, 16, words, 0});
    for (; result == ring::Result::kAsleep; result = writer.write({7, 16, words, 0})) {
      met = true;
      for (ring::Header* ring : all_) ring::rouse(ring);
    }
    written_ += result == ring::Result::kWritten ? 1 : 0;
    if (met) woken_ = true;
  }

  bool moved(const std::vector<uint64_t>& seen) {
    for (size_t i = 0; i < all_.size(); ++i)
      if (ring::committed(all_[i]) != seen[i]) return true;
    return false;
  }

  // One try to sleep until somebody wakes it. False: something came meanwhile.
  bool sleep() {
    std::vector<uint64_t> seen;
    for (ring::Header* ring : all_) {
      seen.push_back(ring::committed(ring));
      ring::release(ring, seen.back());
    }
    for (ring::Header* ring : all_) ring::rest(ring);
    bool quiet = threads_.quiet(1000);
    for (size_t i = 0; i < all_.size(); ++i) quiet = quiet && ring::untouched(all_[i], seen[i]);
    while (quiet && !woken_.exchange(false)) {
      if (moved(seen) && threads_.quiet(kPatience) && !woken_) {
        ADD_FAILURE() << "a record came, and nobody was woken";
        break;
      }
      std::this_thread::yield();
    }
    for (ring::Header* ring : all_) ring::rouse(ring);
    return quiet;
  }

  void storm(ring::Geometry geometry) {
    constexpr size_t kThreads = 2;
    make(geometry, kThreads);
    std::atomic<bool> over{false};
    std::vector<std::thread> emitters;
    for (size_t i = 0; i < kThreads; ++i)
      emitters.emplace_back([&, i] {
        control::Thread thread;
        threads_.add(thread);
        const Writer writer(all_, i);
        std::mt19937 random(static_cast<unsigned>(i));
        while (!over) {
          for (unsigned n = random() % 3; n > 0; --n) emit(writer, thread);
          if (random() % 4 == 0) usleep(random() % 100);
        }
        emit(writer, thread);
        threads_.remove(thread);
      });
    for (int slept = 0; slept < 5000 / test::kSlower && !this->HasFailure();) slept += sleep() ? 1 : 0;
    over = true;
    for (std::thread& one : emitters) one.join();
    uint64_t bytes = 0;
    for (ring::Header* ring : all_) {
      bytes += ring::committed(ring);
      EXPECT_EQ(ring::lost(ring), 0U);
    }
    EXPECT_EQ(bytes, written_ * 32) << "each once";
  }

  std::vector<std::unique_ptr<MemoryRing>> rings_;
  std::vector<ring::Header*> all_;
  control::Threads threads_;
  std::atomic<uint64_t> written_{0};
  std::atomic<bool> woken_{false};
};
TYPED_TEST_SUITE(Rest, test::Writers, test::WriterNames);

TYPED_TEST(Rest, no_record_comes_behind_a_sleeper) { this->storm({64 << 10, 1 << 20}); }

TYPED_TEST(Rest, no_record_comes_behind_a_sleeper_where_rings_are_overwritten) {
  this->storm(test::kSmallOverwrite);
}

TYPED_TEST(Rest, a_record_is_told_before_it_is_written_and_goes_in_after_the_ring_was_roused) {
  this->make(test::kSmall, 1);
  const TypeParam writer(this->all_, 0);
  uint64_t words[2] = {};
  ASSERT_EQ(writer.write({1, 16, words, 0}), ring::Result::kWritten);
  for (ring::Header* ring : this->all_) ring::rest(ring);
  EXPECT_EQ(writer.write({1, 16, words, 0}), ring::Result::kAsleep);
  EXPECT_EQ(writer.write({1, 16, words, 0}), ring::Result::kAsleep);
  EXPECT_EQ(writer.write({1, ring::kPayloadMax + 1, words, 0}), ring::Result::kTooBig);
  for (ring::Header* ring : this->all_) ring::rouse(ring);
  EXPECT_EQ(writer.write({1, 16, words, 0}), ring::Result::kWritten);
}

TYPED_TEST(Rest, one_that_passed_the_limit_before_is_seen) {
  this->make(test::kSmall, 1);
  ring::Header* const one = this->all_[0];
  one->limit.store(one->capacity);
  ring::rest(one);
  EXPECT_TRUE(ring::untouched(one, 0));
  one->limit.store(one->capacity);  // an emitter that was on its cold way already
  EXPECT_FALSE(ring::untouched(one, 0));
  ring::rest(one);
  one->head.store(32);  // or on its common one
  EXPECT_FALSE(ring::untouched(one, 0));
}

// What a kill leaves of a ring at rest is what it left of any: all its records, and a limit that the next writer sets.
TEST(RestingRing, holds_its_records_and_takes_more) {
  MemoryRing ring(test::kSmall);
  const test::Leased writer(ring.get());
  const uint64_t words[2] = {1, 2};
  for (int i = 0; i < 5; ++i) ASSERT_EQ(writer.write({1, 16, words, 0}), ring::Result::kWritten);
  ring::rest(ring.get());
  EXPECT_TRUE(ring::valid_positions(ring.get(), ring.geometry()));
  ring::Cursor cursor(ring.get(), ring.geometry());
  ring::View record{};
  int found = 0;
  while (cursor.next(ring::committed(ring.get()), record)) ++found;
  EXPECT_EQ(found, 5);
}

// A session with its consumer and a relay.
class Sleeper : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (!GetParam() && ring::find_rseq_offset() == 0) GTEST_SKIP() << "no rseq here";
    settings_.lease = GetParam();
    registry_.declare({0, "t", "number", 6, {{"n", thrift::Type::kU64, thrift::Shape::kScalar, 0, {}, {}}}},
                      "s");
    thrift::Rule all;
    all.pattern = "t:*";
    registry_.enable(0, all);
    threads_.add(thread_);
    session_ = std::make_unique<control::Session>(
        0, registry_, threads_, process_, settings_,
        control::Settings::to_relay("default", relay_.address().text()),
        std::vector<control::SessionContext>{}, std::vector<thrift::Field>{});
    session_->start();
  }
  void TearDown() override {
    if (session_) session_->consumer()->stop(1000);
  }

  void emit() {
    const control::Inside inside(thread_);
    session_->write(control::Event(0, control::Channel::kEvents), 8, payload_.data() + 64, thread_);
  }

  // Times that the consumer's thread gave up its processor since it began.
  static uint64_t turns() {
    const std::string tasks = "/proc/self/task";
    DIR* const folder = opendir(tasks.c_str());
    uint64_t turns = 0;
    while (const dirent* const entry = readdir(folder)) {
      const std::string task = tasks + "/" + entry->d_name;
      std::string name, word;
      std::ifstream(task + "/comm") >> name;
      if (name != "blkin-consumer") continue;
      std::ifstream status(task + "/status");
      while (status >> word)
        if (word == "voluntary_ctxt_switches:") status >> turns;
    }
    closedir(folder);
    return turns;
  }

  // For as long as it would have looked at its rings some twenty times.
  static bool sleeps() {
    const uint64_t before = turns();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    return before > 0 && turns() == before;
  }

  test::FakeRelay relay_;
  control::ContextTable contexts_;
  control::Registry registry_{contexts_};
  control::Threads threads_;
  control::ProcessFolder process_;
  control::Settings settings_;
  control::Thread thread_;
  std::array<uint64_t, 256> payload_{};
  std::unique_ptr<control::Session> session_;
};

TEST_P(Sleeper, wakes_for_a_record_and_for_nothing_else) {
  ASSERT_TRUE(eventually(sleeps)) << "before the first";
  for (uint64_t n = 1; n <= 3; ++n) {
    emit();
    ASSERT_TRUE(eventually([&] { return relay_.events() == n; }));
    ASSERT_TRUE(eventually(sleeps));
  }
}

TEST_P(Sleeper, a_flush_and_the_end_are_heard) {
  emit();
  ASSERT_TRUE(eventually([&] { return relay_.events() == 1; }));
  ASSERT_TRUE(eventually(sleeps));
  EXPECT_TRUE(session_->consumer()->flush(60'000));
  ASSERT_TRUE(eventually(sleeps));
  EXPECT_TRUE(session_->consumer()->stop(60'000));
}

// Records at the moments at which it falls asleep: each is with the relay before the next is emitted, and nobody flushes.
TEST_P(Sleeper, no_record_waits_for_the_next) {
  std::mt19937 random(1);
  for (uint64_t n = 1; n <= 40; ++n) {
    emit();
    ASSERT_TRUE(eventually([&] { return relay_.events() == n; })) << n;
    usleep(30'000 + random() % 20'000);
  }
}

TEST_P(Sleeper, a_relay_that_goes_wakes_it_and_gets_what_came) {
  emit();
  ASSERT_TRUE(eventually([&] { return relay_.events() == 1; }));
  ASSERT_TRUE(eventually(sleeps));
  relay_.hang_up_after(0);
  emit();
  emit();
  ASSERT_TRUE(eventually([&] { return relay_.events() == 3; }));
  ASSERT_TRUE(eventually(sleeps));
}

INSTANTIATE_TEST_SUITE_P(, Sleeper, testing::Bool(),
                         [](const auto& one) { return one.param ? "lease" : "rseq"; });

}  // namespace
}  // namespace blkin
