// native/test/consumer_test.cc: from ring to relay and back to the writer, whatever the relay does. The relay is
// fake_relay.hpp; the events are numbered, and their packets are read by docs/ctf.md, so none may be lost or come twice.
#include "consumer/consumer.hpp"

#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <random>
#include <thread>

#include "ctf_reader.hpp"
#include "fake_relay.hpp"
#include "ring_fixture.hpp"
#include "slow_names.hpp"

namespace blkin::consumer {
namespace {

using test::Answer;
using test::FakeRelay;
using test::MemoryRing;
using test::ReceivedPut;

constexpr std::array<uint8_t, 16> kUuid{9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 1, 2, 3, 4, 5, 6};
constexpr uint64_t kForever = 60'000;  // ms; no test waits so long unless it fails

template <typename Condition>
[[nodiscard]] bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(kForever);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

class TestSupply final : public Supply {
 public:
  TestSupply() { table.begin(0); }
  void add(MemoryRing& ring) {
    const std::lock_guard lock(mutex_);
    sources_.push_back({ring.get(), ring.geometry()});
  }
  void declare(size_t count) {
    const std::lock_guard lock(mutex_);
    for (size_t i = 0; i < count; ++i)
      tracepoints_.push_back(
          {static_cast<int32_t>(tracepoints_.size()), "t", "e" + std::to_string(i), 6, {}});
  }

  void rings(std::vector<Source>& out) override {
    const std::lock_guard lock(mutex_);
    out.insert(out.end(), sources_.begin() + static_cast<ptrdiff_t>(out.size()), sources_.end());
  }
  void tracepoints(size_t from, std::vector<thrift::Tracepoint>& out) override {
    const std::lock_guard lock(mutex_);
    for (size_t i = from; i < tracepoints_.size(); ++i) out.push_back(tracepoints_[i]);
  }
  thrift::Lost lost_without_ring() override { return {0, 0, bad_value, no_ring}; }
  bool wanted() override { return is_wanted; }
  const clock::EpochTable& epochs() override { return table; }
  void calibrated(clock::Sample) override {
    ++rounds;
    if (after_look) after_look();
  }

  clock::EpochTable table;
  std::atomic<int64_t> bad_value{0}, no_ring{0};
  std::atomic<bool> is_wanted{true};
  std::atomic<uint64_t> rounds{0};
  std::function<void()>
      after_look;  // on the consumer's thread, when it has taken stock and before it acts on it

 private:
  std::mutex mutex_;
  std::vector<Source> sources_;
  std::vector<thrift::Tracepoint> tracepoints_;
};

class ConsumerTest : public testing::Test {
 protected:
  ~ConsumerTest() override {
    if (consumer) consumer->stop(0);
  }

  MemoryRing& ring(uint32_t stream, ring::Geometry geometry = {64 << 10, 1 << 20}) {
    rings.push_back(std::make_unique<MemoryRing>(geometry, stream));
    supply.add(*rings.back());
    return *rings.back();
  }

  // One event of 16 bytes: the ring's stream and a number that only a written event uses up.
  bool write(MemoryRing& ring) {
    uint64_t& next = written[static_cast<int32_t>(ring->stream)];
    const uint64_t words[2] = {ring->stream, next};
    const bool done =
        ring::write_leased(ring.get(), {0, 16, words, clock::read_tsc()}) == ring::Result::kWritten;
    next += done ? 1 : 0;
    return done;
  }
  void write(MemoryRing& ring, int events) {
    for (int i = 0; i < events; ++i) ASSERT_TRUE(write(ring)) << "the ring is full after " << i;
  }

  static Options options(const thrift::Address& relay) {
    Options out{relay, {}};
    out.hello.uuid = kUuid;
    out.hello.ack = thrift::Ack::kWritten;
    out.hello.program = "test";
    return out;
  }
  void make(const thrift::Address& address) { make_with(options(address)); }
  void make_with(const Options& how) {
    if (supply_is_empty_) supply.declare(1), supply_is_empty_ = false;
    consumer = std::make_unique<Consumer>(how, supply, clock::Calibration(true));
  }
  // With bounds that a test can wait for; longer ones where it is about another bound.
  void start(const thrift::Address& address, Timeouts timeouts) {
    Options how = options(address);
    how.timeouts = timeouts;
    make_with(how);
    consumer->start();
  }
  [[nodiscard]] bool says(const std::string& error) {
    return eventually([&] { return consumer->status().error.find(error) != std::string::npos; });
  }
  void start() {
    make(relay.address());
    consumer->start();
  }

  // Bytes sent once that no longer grows.
  uint64_t sent_at_last() {
    for (;;) {
      const uint64_t before = consumer->status().bytes_sent, rounds = supply.rounds;
      EXPECT_TRUE(eventually([&] { return supply.rounds > rounds + 30; }));
      if (HasFailure() || (before > 0 && consumer->status().bytes_sent == before)) return before;
    }
  }

  // What the relay stored of a stream is what was written to its ring: each once, in order.
  void expect_all_stored() {
    EXPECT_EQ(relay.faults(), std::vector<std::string>{});
    for (const auto& one : rings) {
      const auto stream = static_cast<int32_t>((*one)->stream);
      SCOPED_TRACE("stream " + std::to_string(stream));
      const FakeRelay::Stored stored = relay.stored(stream);
      test::CtfReader reader(kUuid);
      reader.read(stored.file, [](size_t) { return 16; });
      if (HasFatalFailure()) return;
      ASSERT_EQ(reader.events.size(), written[stream]);
      ASSERT_EQ(stored.events, written[stream]);
      for (size_t i = 0; i < reader.events.size(); ++i) {
        uint64_t words[2];
        std::memcpy(words, reader.events[i].payload.data(), 16);
        ASSERT_EQ(words[0], static_cast<uint64_t>(stream));
        ASSERT_EQ(words[1], i) << "a gap, or one twice";
      }
      EXPECT_EQ((*one)->tail.load(), (*one)->head.load()) << "all its room is free again";
    }
  }

  // Overwrite mode: what is stored of each ring goes up, and what is missing before its newest event is what its losses
  // say, packet by packet.
  void expect_stored_and_lost() {
    EXPECT_EQ(relay.faults(), std::vector<std::string>{});
    for (const auto& one : rings) {
      const auto stream = static_cast<int32_t>((*one)->stream);
      SCOPED_TRACE("stream " + std::to_string(stream));
      const FakeRelay::Stored stored = relay.stored(stream);
      test::CtfReader reader(kUuid);
      reader.read(stored.file, [](size_t) { return 16; });
      if (HasFatalFailure()) return;
      uint64_t next = 0;
      for (const test::In& event : reader.events) {
        uint64_t words[2];
        std::memcpy(words, event.payload.data(), 16);
        ASSERT_EQ(words[0], static_cast<uint64_t>(stream));
        ASSERT_GE(words[1], next) << "one twice";
        next = words[1] + 1;
      }
      size_t before = 0;
      for (const auto& [events, lost] : reader.ends) {
        if (std::exchange(before, events) == events)
          continue;  // one without events may tell what comes behind
        uint64_t newest[2];
        std::memcpy(newest, reader.events[events - 1].payload.data(), 16);
        ASSERT_EQ(events + lost, newest[1] + 1)
            << "a packet tells what was lost before its events, all and no more";
      }
      EXPECT_EQ(next, written[stream]) << "the newest is there";
      EXPECT_EQ(stored.events + static_cast<uint64_t>(stored.lost.overwritten), written[stream]);
      EXPECT_EQ(reader.discarded, static_cast<uint64_t>(stored.lost.overwritten));
    }
  }

  // What hooks use must outlive the test's frame: they run until the consumer and the relay end.
  std::atomic<bool> now{false};
  std::atomic<int64_t> outcome{-1};
  std::thread helper;

  std::vector<std::unique_ptr<MemoryRing>> rings;
  std::map<int32_t, uint64_t> written;
  TestSupply supply;
  FakeRelay relay;
  std::unique_ptr<Consumer> consumer;

 private:
  bool supply_is_empty_ = true;
};
using Deliver = ConsumerTest;
using Reconnect = ConsumerTest;
using Window = ConsumerTest;
using TimeOfDay = ConsumerTest;

constexpr int64_t kHour = 3'600'000'000'000;

// The clock is set while nothing is under way: what was written before is of the epoch before.
TEST_F(TimeOfDay, each_epoch_has_a_file_of_its_own_that_tells_its_own_losses) {
  relay.takes_epochs = true;
  MemoryRing& one = ring(0);
  supply.bad_value = 3;
  write(one, 10);
  start();
  ASSERT_TRUE(consumer->flush(kForever));
  supply.table.add(clock::monotonic_ns(), kHour);
  supply.bad_value = 5;
  write(one, 7);
  relay.hang_up_after(0);  // and it goes on where it was, in the file of the epoch
  ASSERT_TRUE(consumer->flush(kForever));
  write(one, 2);
  ASSERT_TRUE(consumer->flush(kForever));
  EXPECT_EQ(relay.faults(), std::vector<std::string>{});
  EXPECT_GE(relay.hellos(), 2U);

  const auto events_of = [](const std::vector<uint8_t>& file, uint8_t epoch) {
    std::array<uint8_t, 16> uuid = kUuid;
    uuid[12] ^= epoch;
    test::CtfReader reader(uuid);
    reader.read(file, [](size_t) { return 16; });
    return std::pair{reader.events.size(), reader.discarded};
  };
  const FakeRelay::Stored events = relay.stored(0);
  EXPECT_EQ(events_of(events.before.at(0), 0), (std::pair{size_t{10}, uint64_t{0}}));
  EXPECT_EQ(events_of(events.file, 1), (std::pair{size_t{9}, uint64_t{0}}));
  EXPECT_EQ(events.clock_offset, kHour);
  const FakeRelay::Stored losses = relay.stored(kRinglessStream);
  EXPECT_EQ(events_of(losses.before.at(0), 0), (std::pair{size_t{0}, uint64_t{3}}));
  EXPECT_EQ(events_of(losses.file, 1), (std::pair{size_t{0}, uint64_t{2}}));
}

TEST_F(TimeOfDay, what_waits_in_the_ring_while_the_clock_is_set_goes_to_the_epochs_of_its_times) {
  relay.takes_epochs = true;
  MemoryRing& one = ring(0);
  clock::Calibration now(true);
  for (int64_t epoch = 0; epoch < 5; ++epoch) {
    write(one, 10 + static_cast<int>(epoch));
    while (!now.sample()) {
    }
    supply.table.add(now.last().ns, epoch * kHour);
  }
  make(relay.address());
  consumer = std::make_unique<Consumer>(options(relay.address()), supply, now);
  write(one, 1);
  consumer->start();
  ASSERT_TRUE(consumer->flush(kForever));
  EXPECT_EQ(relay.faults(), std::vector<std::string>{});
  const FakeRelay::Stored stored = relay.stored(0);
  EXPECT_EQ(stored.events, written[0]);
  EXPECT_EQ(stored.held.epoch, 5);
  EXPECT_EQ(stored.before.size(), 5U);
  EXPECT_EQ(stored.clock_offset, 4 * kHour);
}

TEST_F(TimeOfDay, a_relay_that_knows_of_no_epochs_gets_one_file) {
  MemoryRing& one = ring(0);
  write(one, 10);
  start();
  ASSERT_TRUE(consumer->flush(kForever));
  supply.table.add(clock::monotonic_ns(), kHour);
  write(one, 10);
  ASSERT_TRUE(consumer->flush(kForever));
  expect_all_stored();
}
using Flush = ConsumerTest;
using Stop = ConsumerTest;
using Losses = ConsumerTest;
using Rude = ConsumerTest;
using Silent = ConsumerTest;
using Overwrite = ConsumerTest;
using Threads = ConsumerTest;

TEST_F(Deliver, everything_committed_before_a_flush_is_with_the_relay_after_it) {
  MemoryRing& one = ring(0);
  start();
  for (int round = 1; round <= 20; ++round) {
    write(one, 500);
    ASSERT_TRUE(consumer->flush(kForever));
    ASSERT_EQ(relay.events(), static_cast<uint64_t>(round) * 500);
  }
  expect_all_stored();
  EXPECT_EQ(consumer->status().acknowledged, 10'000U);
  EXPECT_EQ(consumer->status().state, "connected");
  EXPECT_TRUE(consumer->stop(kForever));
}

TEST_F(Deliver, two_rings_written_in_turn_keep_each_its_own_order) {
  MemoryRing &one = ring(0), &two = ring(65536);
  start();
  std::mt19937 random(1);
  for (int i = 0; i < 100'000; ++i) {
    MemoryRing& some = random() % 3 == 0 ? two : one;
    while (!write(some)) std::this_thread::yield();
  }
  ASSERT_TRUE(consumer->flush(kForever));
  expect_all_stored();
}

TEST_F(Deliver, a_ring_made_later_is_found) {
  start();
  ASSERT_TRUE(consumer->flush(kForever));
  MemoryRing& late = ring(7);
  write(late, 10);
  ASSERT_TRUE(consumer->flush(kForever));
  expect_all_stored();
}

TEST_F(Deliver, room_is_given_back_only_when_the_relay_has_answered) {
  relay.on_put = [this](const ReceivedPut&) { return now ? Answer::kStore : Answer::kStoreSilently; };
  MemoryRing& one = ring(0);
  start();
  write(one, 100);
  ASSERT_TRUE(eventually([&] { return relay.events() == 100; }));
  const uint64_t rounds = supply.rounds;
  ASSERT_TRUE(eventually([&] { return supply.rounds > rounds + 3; }));
  EXPECT_EQ(one->tail.load(), 0U) << "sent, and stored, and not answered";
  EXPECT_FALSE(consumer->flush(1));
  now = true;
  relay.answer_held();
  ASSERT_TRUE(consumer->flush(kForever));
  expect_all_stored();
}

TEST_F(Deliver, tracepoints_are_declared_before_their_events_and_only_once) {
  MemoryRing& one = ring(0);
  supply.declare(299);
  start();
  write(one, 1);
  ASSERT_TRUE(consumer->flush(kForever));
  EXPECT_EQ(relay.tracepoints().size(), 300U);
  EXPECT_EQ(relay.declare_calls(), (std::vector<size_t>{300}));
  supply.declare(1);
  write(one, 1);
  ASSERT_TRUE(consumer->flush(kForever));
  consumer->stop(kForever);
  start();  // the relay knows them already
  write(one, 1);
  ASSERT_TRUE(consumer->flush(kForever));
  EXPECT_EQ(relay.declare_calls(), (std::vector<size_t>{300, 1}));
  EXPECT_EQ(relay.faults(), std::vector<std::string>{});
  expect_all_stored();
}

TEST_F(Deliver, an_event_of_no_known_tracepoint_is_passed_over) {
  MemoryRing& one = ring(0);
  start();
  write(one, 1);
  ASSERT_TRUE(consumer->flush(kForever));
  const uint64_t words[2] = {};
  ASSERT_EQ(ring::write_leased(one.get(), {99, 16, words, clock::read_tsc()}), ring::Result::kWritten);
  ASSERT_TRUE(consumer->flush(kForever));
  EXPECT_EQ(one->tail.load(), one->head.load()) << "and its room is free again";
  write(one, 3);
  ASSERT_EQ(ring::write_leased(one.get(), {99, 16, words, clock::read_tsc()}), ring::Result::kWritten);
  ASSERT_TRUE(consumer->flush(kForever));
  expect_all_stored();
}

TEST_F(Deliver, sleeps_while_nothing_is_switched_on_and_wakes_when_told) {
  MemoryRing& one = ring(0);
  supply.is_wanted = false;
  start();
  ASSERT_TRUE(eventually([&] {
    const uint64_t before = supply.rounds;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return before > 0 && supply.rounds == before;
  })) << "it still goes round";
  EXPECT_EQ(relay.hellos(), 0U) << "nothing to say, nobody to call";
  supply.is_wanted = true;
  write(one, 5);
  consumer->wake();
  ASSERT_TRUE(eventually([&] { return relay.events() == 5; }));
}

TEST_F(Deliver, an_event_written_just_before_all_is_switched_off_is_not_slept_over) {
  MemoryRing& one = ring(0);
  supply.after_look = [this] {
    if (!now.exchange(false)) return;
    write(*rings[0], 1);  // behind the consumer's back: it has looked already
    supply.is_wanted = false;
  };
  start();
  write(one, 1);
  ASSERT_TRUE(consumer->flush(kForever));
  now = true;
  ASSERT_TRUE(eventually([&] { return relay.events() == 2; }));
}

TEST_F(Reconnect, goes_on_where_the_relay_says_and_nothing_is_lost_or_comes_twice) {
  relay.on_put = [this, random = std::mt19937(2)](const ReceivedPut&) mutable {
    if (!now) return Answer::kStore;
    const auto dice = random() % 24;
    return dice == 0 ? Answer::kHangUp : dice == 1 ? Answer::kStoreAndHangUp : Answer::kStore;
  };
  MemoryRing &one = ring(0), &two = ring(1);
  start();
  now = true;
  std::mt19937 pace(3);
  while (relay.hang_ups() < 14) {
    if (pace() % 64 == 0) relay.hang_up_after(static_cast<int64_t>(pace() % 400'000));
    for (int i = 0; i < 400; ++i) write(pace() % 2 == 0 ? one : two);
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
  now = false;
  relay.hang_up_after(-1);
  ASSERT_TRUE(consumer->flush(kForever));
  expect_all_stored();
  EXPECT_GE(relay.hellos(), 14U);
  EXPECT_EQ(relay.repeated(), 0U) << "what it holds is not even sent again";
}

TEST_F(Reconnect, another_consumer_goes_on_where_the_relay_says_not_where_the_ring_does) {
  relay.on_put = [this](const ReceivedPut&) { return now ? Answer::kStore : Answer::kStoreSilently; };
  MemoryRing& one = ring(0);
  start();
  write(one, 100);
  ASSERT_TRUE(eventually([&] { return relay.events() == 100; }));
  EXPECT_FALSE(consumer->stop(0));
  EXPECT_EQ(one->tail.load(), 0U) << "no answer came";
  now = true;
  start();
  write(one, 50);
  ASSERT_TRUE(consumer->flush(kForever));
  expect_all_stored();
}

TEST_F(Reconnect, a_connection_cut_within_a_frame_costs_nothing) {
  MemoryRing& one = ring(0);
  start();
  write(one, 1);
  ASSERT_TRUE(consumer->flush(kForever));
  relay.hang_up_after(100'000);
  write(one, 20'000);
  ASSERT_TRUE(consumer->flush(kForever));
  EXPECT_EQ(relay.hang_ups(), 1U);
  expect_all_stored();
}

TEST_F(Reconnect, a_relay_that_forgot_everything_gets_what_is_not_yet_released) {
  relay.on_put = [this](const ReceivedPut&) { return now ? Answer::kStoreSilently : Answer::kStore; };
  MemoryRing& one = ring(0);
  start();
  write(one, 10);
  ASSERT_TRUE(consumer->flush(kForever));
  now = true;
  write(one, 10);
  ASSERT_TRUE(eventually([&] { return relay.events() == 20; }));
  now = false;
  relay.forget();
  relay.hang_up_after(0);
  write(one, 10);
  ASSERT_TRUE(consumer->flush(kForever));
  const FakeRelay::Stored stored = relay.stored(0);
  EXPECT_EQ(stored.events, 20U) << "those answered before are gone with the relay that had them";
  test::CtfReader reader(kUuid);
  reader.read(stored.file, [](size_t) { return 16; });  // a new file, from its opening packet on
  EXPECT_EQ(reader.events.size(), 20U);
  EXPECT_EQ(relay.faults(), std::vector<std::string>{});
}

TEST_F(Reconnect, a_relay_that_comes_late_gets_all_that_the_rings_still_hold) {
  const uint16_t port = [] {
    const FakeRelay gone;
    return gone.port();
  }();
  MemoryRing& one = ring(0);
  make({"127.0.0.1", std::to_string(port)});
  consumer->start();
  write(one, 100);
  EXPECT_FALSE(consumer->flush(1));
  ASSERT_TRUE(eventually([&] { return consumer->status().error.find("refused") != std::string::npos; }))
      << consumer->status().error;
  FakeRelay late(port);
  ASSERT_TRUE(consumer->flush(kForever));
  EXPECT_EQ(late.events(), 100U);
  EXPECT_EQ(consumer->status().error, "") << "the trouble is over";
  consumer->stop(kForever);
}

TEST_F(Window, bounds_what_waits_for_a_relay_that_stores_and_never_answers) {
  relay.on_put = [](const ReceivedPut&) { return Answer::kStoreSilently; };
  MemoryRing& one = ring(0, {1 << 20, 32 << 20});
  while (write(one)) {
  }
  start();
  const uint64_t sent = sent_at_last();
  EXPECT_GT(sent, 4U << 20);
  EXPECT_LE(sent, 8U << 20) << "the window";
  EXPECT_EQ(one->tail.load(), 0U);
  EXPECT_TRUE(eventually([&] { return relay.stored(0).file.size() == sent; }));
}

TEST_F(Window, bounds_what_waits_for_a_relay_that_does_not_even_read) {
  MemoryRing& one = ring(0, {1 << 20, 32 << 20});
  start();
  write(one, 1);
  ASSERT_TRUE(consumer->flush(kForever));
  relay.freeze(true);
  while (write(one)) {
  }
  const uint64_t sent = sent_at_last();
  EXPECT_LE(sent, (8U << 20) + 1000);
  relay.freeze(false);
  ASSERT_TRUE(consumer->flush(kForever));
  expect_all_stored();
}

TEST_F(Window, bounds_the_number_of_puts_too) {
  relay.on_put = [](const ReceivedPut&) { return Answer::kStoreSilently; };
  MemoryRing& one = ring(0);
  start();
  uint64_t most = 0;
  for (int i = 0; i < 1000; ++i) {
    write(one, 1);
    const uint64_t rounds = supply.rounds;
    consumer->wake();
    ASSERT_TRUE(eventually([&] { return supply.rounds > rounds; }));
    most = std::max<uint64_t>(most, consumer->status().puts_in_flight);
  }
  EXPECT_GT(most, 100U);
  EXPECT_LE(most, 256U);
}

TEST_F(Window, opens_for_each_ring_in_its_turn_though_another_is_never_empty) {
  // It opens by one put at a time, and the first ring of the list took every place.
  relay.on_put = [](const ReceivedPut&) { return Answer::kStoreSilently; };
  MemoryRing& flooded = ring(0, {1 << 20, 32 << 20});
  MemoryRing& other = ring(1);
  while (write(flooded)) {
  }
  start();
  const uint64_t sent = sent_at_last();
  ASSERT_TRUE(eventually([&] { return relay.stored(0).file.size() == sent; })) << "the window is full";
  write(other, 1);
  const uint64_t before = relay.puts();
  for (uint64_t answered = 1; answered <= 10; ++answered) {
    relay.answer_one();
    ASSERT_TRUE(eventually([&] { return relay.puts() >= before + answered; }));
  }
  EXPECT_EQ(relay.stored(1).events, 1U);
  EXPECT_EQ(relay.stored(1).puts, 1U);
}

TEST_F(Flush, returns_though_writers_never_pause) {
  MemoryRing& one = ring(0, {1 << 20, 8 << 20});
  start();
  std::atomic<bool> enough{false};
  std::thread writer([&] {
    while (!enough)
      if (!write(one)) std::this_thread::yield();
  });
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(consumer->flush(kForever)) << "flush " << i;
  enough = true;
  writer.join();
  EXPECT_TRUE(consumer->flush(kForever));
  expect_all_stored();
}

TEST_F(Flush, covers_an_event_written_after_the_consumer_took_stock) {
  // The flush was taken on by the round under way, whose heads were read before the event: it returned too early.
  MemoryRing& one = ring(0);
  supply.after_look = [this] {
    if (!now.exchange(false)) return;
    write(*rings[0], 1);
    helper = std::thread([&] {
      EXPECT_TRUE(consumer->flush(kForever));
      outcome = static_cast<int64_t>(relay.events());
    });
    std::this_thread::sleep_for(
        std::chrono::milliseconds(20));  // so that flush() has asked; later is harmless
  };
  start();
  write(one, 1);
  ASSERT_TRUE(consumer->flush(kForever));
  now = true;
  ASSERT_TRUE(eventually([&] { return outcome != -1; }));
  helper.join();
  EXPECT_EQ(outcome, 2);
}

TEST_F(Flush, is_met_where_a_pad_is_all_that_came) {
  // A writer that made a pad and was moved to another CPU before its record: nothing to send, and nothing acknowledged.
  MemoryRing& one = ring(0);
  one.start_at((64 << 10) - 24 - 32);
  start();
  write(one, 1);
  ASSERT_TRUE(consumer->flush(kForever));
  *reinterpret_cast<uint64_t*>(one->data() + (64 << 10) - 24) = ring::record_word(24, 0, ring::kPad);
  one->head.store(64 << 10, std::memory_order_release);
  EXPECT_TRUE(consumer->flush(10'000));
  EXPECT_EQ(one->tail.load(), 64U << 10);
  write(one, 2);
  EXPECT_TRUE(consumer->flush(kForever));
  expect_all_stored();
}

TEST_F(Stop, delivers_what_there_is) {
  MemoryRing& one = ring(0);
  start();
  write(one, 5000);
  EXPECT_TRUE(consumer->stop(kForever));
  EXPECT_TRUE(consumer->stopped());
  expect_all_stored();
  EXPECT_TRUE(consumer->stop(kForever)) << "again: the same answer";
  EXPECT_TRUE(consumer->flush(kForever)) << "nothing came since";
}

TEST_F(Stop, covers_an_event_written_after_the_consumer_took_stock) {
  // Else the last events of a process were lost, and its folder removed as if they had not been.
  MemoryRing& one = ring(0);
  supply.after_look = [this] {
    if (!now.exchange(false)) return;
    write(*rings[0], 1);
    helper = std::thread([&] { outcome = consumer->stop(kForever) ? 1 : 0; });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  };
  start();
  write(one, 1);
  ASSERT_TRUE(consumer->flush(kForever));
  now = true;
  ASSERT_TRUE(eventually([&] { return outcome != -1; }));
  helper.join();
  EXPECT_EQ(outcome, 1);
  expect_all_stored();
}

TEST_F(Stop, gives_up_on_a_relay_that_is_silent) {
  relay.on_hello = [] { return std::optional(std::vector<uint8_t>{}); };
  MemoryRing& one = ring(0);
  start();
  write(one, 5);
  ASSERT_TRUE(eventually([&] { return relay.hellos() > 0; }));
  EXPECT_FALSE(consumer->stop(50));
  EXPECT_TRUE(consumer->stopped());
}

TEST_F(Stop, gives_up_on_a_relay_that_stopped_reading) {
  MemoryRing& one = ring(0);
  start();
  write(one, 1);
  ASSERT_TRUE(consumer->flush(kForever));
  relay.freeze(true);
  write(one, 5);
  EXPECT_FALSE(consumer->stop(50));
  EXPECT_TRUE(consumer->stopped());
  EXPECT_NE(one->tail.load(), one->head.load()) << "they stay, for whoever recovers them";
}

TEST_F(Stop, does_not_wait_for_a_relay_that_was_never_there) {
  const uint16_t port = [] {
    const FakeRelay gone;
    return gone.port();
  }();
  MemoryRing& one = ring(0);
  make({"127.0.0.1", std::to_string(port)});
  consumer->start();
  write(one, 5);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_FALSE(consumer->stop(kForever));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(kForever / 2))
      << "far from all it may";
}

TEST_F(Stop, of_a_session_that_is_closed_waits_for_a_relay_that_was_not_there_yet) {
  // One that was opened while the relay was started again, and closed before it was back, lost all it held at once.
  const uint16_t port = [] {
    const FakeRelay gone;
    return gone.port();
  }();
  MemoryRing& one = ring(0);
  make({"127.0.0.1", std::to_string(port)});
  write(one, 5);
  consumer->start();
  supply.is_wanted = false;
  consumer->begin_stop(3'600'000, Unreached::kAwaited);
  ASSERT_TRUE(says("refused"));
  const uint64_t rounds = supply.rounds;
  ASSERT_TRUE(eventually([&] { return supply.rounds > rounds + 3; }));
  EXPECT_FALSE(consumer->ended());
  FakeRelay late(port);
  ASSERT_TRUE(eventually([&] { return consumer->ended(); }));
  EXPECT_TRUE(consumer->stop(0));
  EXPECT_EQ(late.events(), 5U);
}

TEST_F(Stop, of_one_never_started_is_nothing) {
  MemoryRing& one = ring(0);
  write(one, 5);
  make(relay.address());
  EXPECT_FALSE(consumer->stop(kForever)) << "not delivered";
  EXPECT_TRUE(consumer->stopped());
  EXPECT_FALSE(consumer->flush(kForever));
}

TEST_F(Stop, leaves_a_thread_inside_a_name_look_up_alone_and_says_so) {
  // stopped() said true of it, so its owner destroyed the object under the thread.
  MemoryRing& one = ring(0);
  write(one, 1);
  g_look_up_hangs = true;
  make({"hangs.invalid", "1"});
  consumer->start();
  ASSERT_TRUE(eventually([] { return g_hanging > 0; }));
  EXPECT_FALSE(consumer->stop(10));
  EXPECT_FALSE(consumer->stopped()) << "its thread still uses it";
  EXPECT_FALSE(consumer->ended()) << "nor may what it reads from go";
  g_look_up_hangs = false;
  ASSERT_TRUE(eventually([&] { return consumer->ended(); }))
      << "it goes on, and ends by itself; until then it uses the rings";
  static std::unique_ptr<Consumer> left_to_its_thread;
  left_to_its_thread = std::move(consumer);
}

TEST_F(Stop, of_several_the_soonest_counts) {
  // A session that was given minutes to close held up the exit of its process.
  relay.on_put = [](const ReceivedPut&) { return Answer::kStoreSilently; };
  MemoryRing& one = ring(0);
  start();
  write(one, 1);
  consumer->begin_stop(3'600'000);
  EXPECT_FALSE(consumer->stop(10));
  EXPECT_TRUE(consumer->ended());
}

TEST_F(Losses, of_a_ring_stand_behind_the_records_that_filled_it) {
  MemoryRing& one = ring(0, test::kSmallest);
  while (write(one)) {
  }
  const uint64_t words[2] = {};
  std::vector<uint64_t> big(600);
  ring::write_leased(one.get(), {0, ring::kPayloadMax + 1, big.data(), 0});
  ring::write_leased(one.get(), {0, 16, words, 0});
  start();
  ASSERT_TRUE(consumer->flush(kForever));
  expect_all_stored();
  EXPECT_EQ(relay.stored(0).lost.no_room, 2);
  EXPECT_EQ(relay.stored(0).lost.too_big, 1);
  EXPECT_EQ(relay.stored(0).held.lost, 3) << "events_discarded of the last packet";
}

// A relay's disk loses what was acknowledged: it tells so by how many events it holds.
TEST_F(Losses, of_what_the_relay_holds_no_longer_are_counted_once_and_told) {
  relay.takes_epochs = true;
  std::atomic<bool> hangs_up{false};
  relay.on_put = [&](const ReceivedPut&) {
    return hangs_up.exchange(false) ? Answer::kHangUp : Answer::kStore;
  };
  relay.on_held = [](std::vector<thrift::Held>& held) {
    if (!held.empty()) held[0].events -= 100;
  };
  MemoryRing& one = ring(0);
  start();
  write(one, 300);
  ASSERT_TRUE(consumer->flush(kForever));
  for (int round = 1; round <= 3; ++round) {
    hangs_up = true;
    write(one, 50);
    ASSERT_TRUE(consumer->flush(kForever));
    EXPECT_FALSE(hangs_up) << "it has lost its connection";
    EXPECT_EQ(relay.stored(0).lost.unstored, 100);
    EXPECT_EQ(relay.stored(0).held.lost, 100) << "events_discarded of the last packet";
    EXPECT_EQ(consumer->status().unstored, 100U);
    EXPECT_EQ(consumer->status().acknowledged, 200U + static_cast<uint64_t>(round) * 50);
  }
  expect_all_stored();
}

TEST_F(Losses, are_not_counted_where_the_relay_does_not_tell_how_many_it_holds) {
  std::atomic<bool> hangs_up{false};
  relay.on_put = [&](const ReceivedPut&) {
    return hangs_up.exchange(false) ? Answer::kHangUp : Answer::kStore;
  };
  relay.on_held = [](std::vector<thrift::Held>& held) {
    for (thrift::Held& one : held) one.events = 0;
  };
  relay.takes_epochs = false;
  MemoryRing& one = ring(0);
  start();
  write(one, 300);
  ASSERT_TRUE(consumer->flush(kForever));
  hangs_up = true;
  write(one, 50);
  ASSERT_TRUE(consumer->flush(kForever));
  EXPECT_EQ(consumer->status().unstored, 0U);
  expect_all_stored();
}

TEST_F(Losses, without_any_event_are_told_too_and_once) {
  MemoryRing& one = ring(0);
  start();
  write(one, 1);
  ASSERT_TRUE(consumer->flush(kForever));
  one->lost_no_room += 7;
  supply.bad_value = 2;
  supply.no_ring = 3;
  ASSERT_TRUE(consumer->flush(kForever));
  EXPECT_EQ(relay.stored(0).held.lost, 7);
  FakeRelay::Stored ringless = relay.stored(kRinglessStream);
  EXPECT_EQ(ringless.held.lost, 5);
  EXPECT_EQ(ringless.lost.bad_value, 2);
  EXPECT_EQ(ringless.lost.no_ring, 3);
  EXPECT_EQ(ringless.events, 0U);
  const uint64_t puts = relay.puts();
  ASSERT_TRUE(consumer->flush(kForever));
  ASSERT_TRUE(consumer->flush(kForever));
  EXPECT_EQ(relay.puts(), puts) << "nothing new, nothing sent";
  EXPECT_EQ(relay.faults(), std::vector<std::string>{});
}

TEST_F(Losses, of_a_process_are_told_once_though_it_has_two_folders_and_one_of_them_counts_none) {
  relay.takes_epochs = true;
  supply.bad_value = 3;
  start();
  ASSERT_TRUE(consumer->flush(kForever));
  supply.table.add(clock::monotonic_ns(), kHour);
  supply.bad_value = 5;
  ASSERT_TRUE(consumer->flush(kForever));
  consumer->stop(kForever);
  const uint64_t puts = relay.puts();
  supply.bad_value = 0;
  start();
  ASSERT_TRUE(consumer->flush(kForever));
  EXPECT_EQ(relay.puts(), puts);
  EXPECT_EQ(relay.stored(kRinglessStream).held.lost, 2);
}

constexpr ring::Geometry kFlight{8 << 10, 16 << 10, ring::Mode::kOverwrite};

TEST_F(Overwrite, what_a_consumer_that_keeps_up_takes_is_everything) {
  MemoryRing& one = ring(0, kFlight);
  start();
  for (int round = 0; round < 50; ++round) {
    write(one, 200);
    ASSERT_TRUE(consumer->flush(kForever));
  }
  EXPECT_EQ(relay.events(), 10'000U);
  EXPECT_EQ(consumer->status().overwritten, 0U);
  expect_all_stored();
}

TEST_F(Overwrite, a_consumer_that_is_started_late_takes_what_is_kept_and_counts_the_rest) {
  MemoryRing& one = ring(0, kFlight);
  write(one, 20'000);
  start();
  ASSERT_TRUE(consumer->flush(kForever));
  expect_stored_and_lost();
  EXPECT_LT(relay.events(), 600U);
  EXPECT_EQ(consumer->status().overwritten, 20'000 - relay.events());
  EXPECT_TRUE(consumer->stop(kForever));
}

TEST_F(Overwrite, writers_do_not_wait_for_the_relay_and_their_loss_is_told_by_the_packet_behind_it) {
  relay.on_put = [this](const ReceivedPut&) { return now ? Answer::kStore : Answer::kStoreSilently; };
  MemoryRing& one = ring(0, kFlight);
  start();
  write(one, 100);
  ASSERT_TRUE(eventually([&] { return relay.events() == 100; }));
  write(one, 5000);
  ASSERT_TRUE(eventually([&] { return relay.stored(0).puts >= 2; })) << "it need not wait for answers either";
  now = true;
  relay.answer_held();
  ASSERT_TRUE(consumer->flush(kForever));
  expect_stored_and_lost();
  EXPECT_GT(consumer->status().overwritten, 0U);
}

TEST_F(Overwrite, a_flush_ends_also_while_writers_lap_the_consumer_again_and_again) {
  MemoryRing& one = ring(0, kFlight);
  start();
  std::atomic<bool> stop{false};
  helper = std::thread([&] {
    while (!stop) write(one);
  });
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(consumer->flush(kForever));
  stop = true;
  helper.join();
  EXPECT_TRUE(consumer->stop(kForever));
  expect_stored_and_lost();
}

std::function<void()> g_on_touch;

// The consumer has read the first sub-buffer into a put when it comes to the second; what it copies of that is lapped.
TEST_F(Overwrite, a_lap_in_the_midst_of_a_put_ends_it_so_that_the_packet_behind_tells_it) {
  MemoryRing& one = ring(0, {8 << 10, 32 << 10, ring::Mode::kOverwrite});
  write(one, 900);  // 256 in each sub-buffer
  uint8_t* second = one->data() + kFlight.sub_buffer_bytes;
  g_on_touch = [&] {
    mprotect(second, kFlight.sub_buffer_bytes, PROT_READ | PROT_WRITE);
    write(one, 400);  // over the first two
  };
  supply.after_look = [this, second] {
    if (now.exchange(true)) return;
    sigset_t touch;
    sigemptyset(&touch);
    sigaddset(&touch, SIGSEGV);
    pthread_sigmask(SIG_UNBLOCK, &touch, nullptr);
    mprotect(second, kFlight.sub_buffer_bytes, PROT_NONE);
  };
  struct sigaction action {
  }, before{};
  action.sa_handler = [](int) { g_on_touch(); };
  sigaction(SIGSEGV, &action, &before);
  start();
  EXPECT_TRUE(consumer->flush(kForever));
  EXPECT_TRUE(consumer->stop(kForever));
  sigaction(SIGSEGV, &before, nullptr);
  EXPECT_EQ(written[0], 1300U) << "it was lapped";
  EXPECT_EQ(relay.events(), 1300U - 256) << "all but the second sub-buffer";
  expect_stored_and_lost();
}

TEST_F(Overwrite, whatever_the_relay_loses_and_whenever_it_comes_back_the_sum_is_exact) {
  std::atomic<uint32_t> put{0};
  relay.on_put = [&put](const ReceivedPut&) {
    const uint32_t n = ++put;
    return n % 11 == 0 ? Answer::kStoreAndHangUp : n % 7 == 0 ? Answer::kHangUp : Answer::kStore;
  };
  MemoryRing &one = ring(0, kFlight), &two = ring(65536, {8 << 10, 512 << 10, ring::Mode::kOverwrite});
  start();
  std::atomic<bool> stop{false};
  helper = std::thread([&] {
    std::mt19937 random(11);
    for (uint64_t n = 0; !stop; ++n) {
      write(random() % 3 == 0 ? two : one);
      if (n % 2000 == 0) usleep(random() % 2000);
    }
  });
  EXPECT_TRUE(eventually([&] { return relay.hang_ups() >= 12 && put >= 60; }));
  stop = true;
  helper.join();
  ASSERT_TRUE(consumer->stop(kForever));
  expect_stored_and_lost();
  EXPECT_GT(relay.stored(0).lost.overwritten, 0);
}

TEST_F(Overwrite, another_consumer_goes_on_where_the_first_ended_and_counts_on) {
  MemoryRing& one = ring(0, kFlight);
  for (int round = 0; round < 8; ++round) {
    write(one, round % 2 == 0 ? 3000 : 50);  // between two consumers: more, and less, than the ring holds
    start();
    ASSERT_TRUE(consumer->flush(kForever));
    write(one, round % 3 == 0 ? 2000 : 10);
    ASSERT_TRUE(consumer->stop(kForever));
    expect_stored_and_lost();
  }
}

TEST_F(Overwrite, a_relay_that_forgot_everything_gets_what_is_kept_and_the_number_of_all_before) {
  MemoryRing& one = ring(0, kFlight);
  start();
  write(one, 300);
  ASSERT_TRUE(consumer->flush(kForever));
  write(one, 3000);
  ASSERT_TRUE(consumer->stop(kForever));
  relay.forget();
  write(one, 1);
  start();
  ASSERT_TRUE(consumer->flush(kForever));
  expect_stored_and_lost();
}

TEST_F(Rude, a_refusal_is_told_in_the_relays_words_even_when_it_hangs_up_at_once) {
  // With more on its way the relay's end is a reset, which failed the next send before the words were read.
  MemoryRing& one = ring(0, {1 << 20, 16 << 20});  // more than the kernel takes at once
  while (write(one)) {
  }
  supply.declare(1);
  for (int round = 0; round < 20; ++round) {
    FakeRelay full;
    full.on_put = [](const ReceivedPut&) { return Answer::kRefuse; };
    Consumer refused(options(full.address()), supply, clock::Calibration(true));
    refused.start();
    ASSERT_TRUE(eventually([&] { return refused.status().state == "refused" || full.hellos() > 1; }));
    EXPECT_EQ(refused.status().error, "the relay refused: no space left on device");
    EXPECT_EQ(one->tail.load(), 0U);
    refused.stop(0);
  }
}

TEST_F(Rude, a_relay_that_refused_is_tried_again) {
  relay.on_put = [this](const ReceivedPut&) { return now ? Answer::kStore : Answer::kRefuse; };
  MemoryRing& one = ring(0);
  start();
  write(one, 10);
  ASSERT_TRUE(eventually([&] { return consumer->status().state == "refused"; }));
  now = true;
  ASSERT_TRUE(consumer->flush(kForever));
  expect_all_stored();
}

TEST_F(Reconnect, every_address_of_a_name_is_tried) {
  // "localhost" is ::1 first on many machines, and a relay may listen on 127.0.0.1 alone.
  MemoryRing& one = ring(0);
  make({"two.invalid", relay.address().port});
  write(one, 10);
  consumer->start();
  ASSERT_TRUE(consumer->stop(kForever)) << "also by a program that ends at once";
  expect_all_stored();
}

TEST_F(Silent, a_peer_that_takes_the_connection_and_says_nothing_is_tried_again) {
  // It held the consumer for good: a relay that was started at its port later was never met.
  relay.on_hello = [this] { return now ? std::nullopt : std::optional(std::vector<uint8_t>{}); };
  MemoryRing& one = ring(0);
  write(one, 10);
  start(relay.address(), {.hello_ms = 50});
  EXPECT_TRUE(says("it took the connection and has not answered for 50 ms"));
  EXPECT_EQ(consumer->status().state, "connecting");
  EXPECT_TRUE(eventually([&] { return relay.hellos() > 1; }));
  now = true;
  ASSERT_TRUE(consumer->flush(kForever));
  EXPECT_EQ(consumer->status().error, "");
  expect_all_stored();
}

// Of one of the loopback's addresses, at the relay's port. Nobody accepts; the kernel takes as many connections as `backlog`
// says, and one more.
class Mute {
 public:
  Mute(const std::string& host, const std::string& port, int backlog) {
    addrinfo hints{}, *found = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return;
    fd_ = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    listens_ = bind(fd_, found->ai_addr, found->ai_addrlen) == 0 && listen(fd_, backlog) == 0;
    freeaddrinfo(found);
  }
  ~Mute() { close(fd_); }
  Mute(const Mute&) = delete;
  Mute& operator=(const Mute&) = delete;

  bool listens() const { return listens_; }
  thrift::Address address() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    return {"127.0.0.1", std::to_string(ntohs(address.sin_port))};
  }

 private:
  int fd_ = -1;
  bool listens_ = false;
};

TEST_F(Silent, the_next_address_of_the_name_is_tried) {
  const Mute mute("::1", relay.address().port, 16);
  if (!mute.listens()) GTEST_SKIP() << "no IPv6 here";
  MemoryRing& one = ring(0);
  write(one, 10);
  start({"two.invalid", relay.address().port}, {.hello_ms = 50});
  ASSERT_TRUE(consumer->flush(kForever));
  expect_all_stored();
}

TEST_F(Silent, a_connection_that_nobody_takes_is_given_up_and_tried_again) {
  const Mute full("127.0.0.1", "0", 0);
  ASSERT_TRUE(full.listens());
  thrift::Connection first, second;
  for (thrift::Connection* each : {&first, &second}) each->open(full.address());
  MemoryRing& one = ring(0);
  write(one, 10);
  start(full.address(), {.connect_ms = 50});
  EXPECT_TRUE(says("connect: no answer for 50 ms"));
}

TEST_F(Silent, a_relay_that_stores_and_never_answers_is_asked_again_what_it_holds) {
  relay.on_put = [this](const ReceivedPut&) { return now ? Answer::kStore : Answer::kStoreSilently; };
  MemoryRing& one = ring(0);
  start(relay.address(), {.answer_ms = 200});
  write(one, 1000);
  EXPECT_TRUE(says("it has not answered for 200 ms"));
  now = true;
  ASSERT_TRUE(consumer->flush(kForever));
  expect_all_stored();
  EXPECT_EQ(relay.repeated(), 0U);
}

TEST_F(Silent, a_relay_that_was_stopped_for_longer_than_the_bound_loses_and_repeats_nothing) {
  MemoryRing& one = ring(0, {1 << 20, 32 << 20});
  start(relay.address(), {.hello_ms = 100, .answer_ms = 200});
  write(one, 1);
  ASSERT_TRUE(consumer->flush(kForever));
  relay.freeze(true);
  while (write(one)) {
  }
  EXPECT_TRUE(says("has not answered"));
  EXPECT_TRUE(says("it took the connection")) << "the kernel takes connections for it";
  relay.freeze(false);
  ASSERT_TRUE(consumer->flush(kForever));
  expect_all_stored();
}

TEST_F(Silent, a_listener_that_is_never_answered_does_not_sleep_for_good) {
  supply.is_wanted = false;
  Options how = options(relay.address());
  how.listens = true;
  how.timeouts = {.answer_ms = 50, .rules_ms = 50};
  make_with(how);
  consumer->start();
  EXPECT_TRUE(eventually([&] { return relay.hellos() > 1; }));
}

TEST_F(Deliver, goes_on_after_off_and_on_where_no_descriptor_was_left_to_wake_it_by) {
  // Its eventfd was never there, and it slept all the same.
  MemoryRing& one = ring(0);
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{0, before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  make(relay.address());
  setrlimit(RLIMIT_NOFILE, &before);
  consumer->start();
  write(one, 10);
  ASSERT_TRUE(consumer->flush(kForever));
  const uint64_t rounds = supply.rounds;
  supply.is_wanted = false;
  consumer->wake();
  ASSERT_TRUE(eventually([&] { return supply.rounds > rounds; }));
  supply.is_wanted = true;
  write(one, 5);
  consumer->wake();
  ASSERT_TRUE(eventually([&] { return relay.events() == 15; }));
}

TEST_F(Stop, that_gives_nothing_up_ends_once_all_is_delivered_however_late_the_relay_comes) {
  const uint16_t port = [] {
    const FakeRelay gone;
    return gone.port();
  }();
  MemoryRing& one = ring(0);
  make({"127.0.0.1", std::to_string(port)});
  write(one, 100);
  consumer->start();
  supply.is_wanted = false;
  consumer->begin_stop(kUntilDelivered);
  ASSERT_TRUE(says("refused"));
  const uint64_t rounds = supply.rounds;
  ASSERT_TRUE(eventually([&] { return supply.rounds > rounds + 3; }));
  EXPECT_FALSE(consumer->ended());
  FakeRelay late(port);
  ASSERT_TRUE(eventually([&] { return consumer->ended(); }));
  EXPECT_TRUE(consumer->stop(0));
  EXPECT_EQ(late.events(), 100U);
}

TEST_F(Rude, bytes_that_are_no_answer_end_the_connection_and_nothing_else) {
  std::mt19937 random(4);
  for (int round = 0; round < 60; ++round) {
    FakeRelay rude;
    rude.on_hello = [&] {
      std::vector<uint8_t> bytes(1 + random() % 300);
      for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
      if (round % 3 != 0) {  // a length that is right, and then nonsense
        bytes.resize(std::max<size_t>(bytes.size(), 40));
        const auto size = static_cast<uint32_t>(bytes.size() - 4);
        bytes[0] = bytes[1] = 0;
        bytes[2] = static_cast<uint8_t>(size >> 8);
        bytes[3] = static_cast<uint8_t>(size);
        if (round % 3 == 2)
          std::memcpy(bytes.data() + 4, "\x80\x01\x00\x02\x00\x00\x00\x05hello\x00\x00\x00\x01\x0c", 18);
      }
      if (round % 10 == 0)
        std::memset(bytes.data(), 0x7F, 4 < bytes.size() ? 4 : bytes.size());  // two gigabytes to come
      return std::optional(bytes);
    };
    TestSupply own;
    own.declare(1);
    Consumer rudely_treated(options(rude.address()), own, clock::Calibration(true));
    rudely_treated.start();
    ASSERT_TRUE(eventually([&] { return rude.hellos() > 0; }));
    rudely_treated.stop(20);
    ASSERT_TRUE(rudely_treated.stopped());
  }
}

TEST_F(Rude, a_relay_that_holds_what_cannot_be_is_refused) {
  MemoryRing& one = ring(0);
  write(one, 2000);
  for (const thrift::Held& held :
       std::vector<thrift::Held>{{0, 1, 0, 4090, 1, 0, 0},  // 6 bytes left of a page
                                 {0, 1, 0, -8, 1, 0, 0},
                                 {0, 1, 0, 88, -1, 0, 0},
                                 {0, 1, -8, 88, 1, 0, 0},
                                 {0, 1, 4, 88, 1, 0, 0},
                                 {0, INT64_MAX, 0, 88, 1, 0, 0},
                                 {0, -2, 0, 88, 1, 0, 0},
                                 {0, 1, 0, 88, 1, -1, 0},
                                 {0, 1, 0, 88, 1, 0, -1},
                                 {0, 1, 0, 4096 - 80, 1, 0, 0}}) {
    FakeRelay liar;
    liar.on_held = [&](std::vector<thrift::Held>& out) { out = {held}; };
    Consumer victim(options(liar.address()), supply, clock::Calibration(true));
    if (supply.rounds == 0) supply.declare(1);
    victim.start();
    EXPECT_TRUE(eventually([&] { return victim.status().state == "refused"; }));
    EXPECT_NE(victim.status().error.find("holds"), std::string::npos) << victim.status().error;
    EXPECT_EQ(one->tail.load(), 0U) << "nothing is released on its word";
    victim.stop(0);
  }
}

TEST_F(Threads, the_consumer_blocks_every_signal_that_can_be_blocked) {
  supply.after_look = [this] {
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    int open = 0;
    for (int signal = 1; signal < SIGRTMIN; ++signal)
      if (signal != SIGKILL && signal != SIGSTOP && signal != 32 && signal != 33 &&
          sigismember(&mask, signal) == 0)
        ++open;
    outcome = open;
  };
  sigset_t before, after;
  pthread_sigmask(SIG_BLOCK, nullptr, &before);
  start();
  pthread_sigmask(SIG_BLOCK, nullptr, &after);
  ASSERT_TRUE(eventually([&] { return outcome >= 0; }));
  EXPECT_EQ(outcome, 0);
  EXPECT_EQ(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM)) << "the caller's mask is its own";
}

TEST_F(ConsumerTest, what_comes_slowly_waits_for_company_and_less_where_somebody_watches) {
  MemoryRing& slow = ring(0);
  start();
  const auto puts_while_writing = [&] {
    const uint64_t before = relay.puts();
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 600; ++i) {
      EXPECT_TRUE(write(slow));
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    return static_cast<double>(relay.puts() - before) / took.count();
  };
  write(slow, 1);
  ASSERT_TRUE(consumer->flush(kForever));
  const double alone = puts_while_writing();
  EXPECT_LE(alone, 20) << "a second: an answer is no reason to look";
  relay.followed = true;
  write(slow, 1);
  ASSERT_TRUE(consumer->flush(kForever));
  EXPECT_GT(puts_while_writing(), 2 * alone);
}

TEST_F(ConsumerTest, a_ring_full_of_what_is_not_answered_is_looked_at_no_more_often_for_it) {
  relay.on_put = [](const ReceivedPut&) { return Answer::kStoreSilently; };
  MemoryRing& half_full = ring(0);
  write(half_full, (512 << 10) / 32);
  start();
  const uint64_t sent = sent_at_last();
  ASSERT_TRUE(eventually([&] { return relay.stored(0).file.size() == sent; }));
  const uint64_t looks = supply.rounds, puts = relay.puts();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 300; ++i) {
    EXPECT_TRUE(write(half_full));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  EXPECT_LE(static_cast<double>(supply.rounds - looks) / took.count(), 250) << "looks a second";
  EXPECT_LE(static_cast<double>(relay.puts() - puts) / took.count(), 20) << "puts a second";
  relay.answer_held();
}

}  // namespace
}  // namespace blkin::consumer
