// native/test/channel_test.cc: the rings of a session's two channels: each record into its own, whatever becomes of the
// other's. The streams that they make, also after a kill, are in recovery_test.cc.
#include <gtest/gtest.h>
#include <sched.h>

#include <map>
#include <thread>

#include "process/session.hpp"
#include "ring/read.hpp"
#include "ring_fixture.hpp"

namespace blkin::control {
namespace {

class Channels : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (!GetParam() && ring::find_rseq_offset() == 0) GTEST_SKIP() << "no rseq here";
    settings_.lease = GetParam();
    // By CPU the rings are as many as CPUs were met: on one, they are two.
    cpu_set_t before, one;
    ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
    before_ = before;
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu)
      if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one), cpu_ = static_cast<uint32_t>(cpu);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  }
  void TearDown() override { sched_setaffinity(0, sizeof before_, &before_); }

  Session& open(thrift::Mode mode, int32_t sub_buffers = 2) {
    thrift::SessionSpec spec;
    spec.name = "channels";
    spec.channel = {8 << 10, sub_buffers, mode, 0};
    session_ = std::make_unique<Session>(0, registry_, threads_, process_, settings_, spec,
                                         std::vector<SessionContext>{}, std::vector<thrift::Field>{});
    return *session_;
  }

  void write(Channel channel, uint64_t count, Thread& thread) {
    for (uint64_t n = 0; n < count; ++n) session_->write(Event(0, channel), 8, &n, thread);
  }

  // Of a channel that has one ring.
  RingStatus ring_of(Channel channel) {
    RingStatus found{};
    int rings = 0;
    for (const RingStatus& ring : session_->rings_status())
      if (ring.channel == channel) found = ring, ++rings;
    EXPECT_EQ(rings, 1) << name_of(channel);
    return found;
  }

  uint32_t first_number() const {
    return GetParam() ? static_cast<uint32_t>(consumer::kFirstLeasedStream) : cpu_;
  }

  ContextTable contexts_;
  Registry registry_{contexts_};
  Threads threads_;
  ProcessFolder process_;
  Settings settings_;
  std::unique_ptr<Session> session_;
  Thread thread_;
  uint32_t cpu_ = 0;

 private:
  cpu_set_t before_{};
};

constexpr uint64_t kRecord = 24;

TEST_P(Channels, a_ring_is_made_for_a_channel_with_its_first_record_and_numbered_by_it) {
  open(thrift::Mode::kDiscard);
  write(Channel::kEvents, 1, thread_);
  ASSERT_EQ(session_->rings_status().size(), 1U) << "a process without spans has no ring for them";
  EXPECT_EQ(ring_of(Channel::kEvents).stream, first_number());
  write(Channel::kSpans, 2, thread_);
  ASSERT_EQ(session_->rings_status().size(), 2U);
  EXPECT_EQ(ring_of(Channel::kSpans).stream, 262144 + first_number());
  EXPECT_EQ(ring_of(Channel::kEvents).head, kRecord);
  EXPECT_EQ(ring_of(Channel::kSpans).head, 2 * kRecord);
}

TEST_P(Channels, a_flood_of_events_takes_no_room_of_spans_and_is_counted_apart) {
  open(thrift::Mode::kDiscard);
  write(Channel::kEvents, 10'000, thread_);
  write(Channel::kSpans, 100, thread_);
  const RingStatus events = ring_of(Channel::kEvents), spans = ring_of(Channel::kSpans);
  EXPECT_GT(events.lost_no_room, 0U);
  EXPECT_EQ(spans.lost_no_room, 0U);
  EXPECT_EQ(spans.head, 100 * kRecord);
  EXPECT_EQ(session_->lost().no_room, static_cast<int64_t>(events.lost_no_room));
}

TEST_P(Channels, a_flood_of_events_overwrites_no_span) {
  open(thrift::Mode::kOverwrite);
  write(Channel::kSpans, 100, thread_);
  write(Channel::kEvents, 10'000, thread_);
  std::vector<consumer::Source> sources;
  session_->rings(sources);
  ASSERT_EQ(sources.size(), 2U);
  EXPECT_EQ(ring::kept(sources[0].ring, sources[0].geometry.sub_buffer_bytes).before, 0U) << "of spans";
  const uint64_t given_up = ring::kept(sources[1].ring, sources[1].geometry.sub_buffer_bytes).before;
  EXPECT_GT(given_up, 9000U);
  EXPECT_EQ(session_->lost().overwritten, static_cast<int64_t>(given_up));
}

TEST_P(Channels, what_is_too_big_is_counted_in_the_ring_of_its_channel) {
  open(thrift::Mode::kDiscard);
  std::vector<uint64_t> words(ring::kPayloadMax / 8 + 2);
  write(Channel::kEvents, 1, thread_);
  session_->write(Event(0, Channel::kSpans), ring::kPayloadMax + 1, words.data(), thread_);
  EXPECT_EQ(ring_of(Channel::kEvents).lost_too_big, 0U);
  EXPECT_EQ(ring_of(Channel::kSpans).lost_too_big, 1U);
}

TEST_P(Channels, an_emitter_that_waits_waits_for_room_in_its_channel_alone) {
  open(thrift::Mode::kBlock);
  write(Channel::kEvents, 1000, thread_);
  const RingStatus full = ring_of(Channel::kEvents);
  EXPECT_GT(full.lost_no_room, 0U);
  write(Channel::kSpans, 100, thread_);
  EXPECT_EQ(ring_of(Channel::kSpans).lost_no_room, 0U);
  EXPECT_EQ(ring_of(Channel::kEvents).lost_no_room, full.lost_no_room);
}

TEST_P(Channels, a_lease_that_is_given_back_goes_to_the_next_thread_for_the_same_channel) {
  open(thrift::Mode::kDiscard);
  for (int i = 0; i < 3; ++i) {
    std::thread([&] {
      Thread own;
      write(Channel::kSpans, 1, own);
      write(Channel::kEvents, 2, own);
      session_->give_back(own);
      EXPECT_EQ(own.leased[0], Thread::Leased{});
    }).join();
  }
  EXPECT_EQ(ring_of(Channel::kEvents).head, 6 * kRecord);
  EXPECT_EQ(ring_of(Channel::kSpans).head, 3 * kRecord);
}

TEST_P(Channels, threads_that_make_the_rings_at_once_lose_nothing) {
  open(thrift::Mode::kDiscard, 128);
  constexpr uint64_t kThreads = 4, kEach = 2000;
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < kThreads; ++i)
    threads.emplace_back([&] {
      Thread own;
      for (uint64_t n = 0; n < kEach; ++n) session_->write(Event(0, kChannels[n % 2]), 8, &n, own);
      session_->give_back(own);
    });
  for (std::thread& thread : threads) thread.join();
  std::map<Channel, uint64_t> bytes;
  for (const RingStatus& ring : session_->rings_status()) {
    EXPECT_EQ(ring.lost_no_room, 0U);
    bytes[ring.channel] += ring.head / kRecord;
  }
  EXPECT_EQ(session_->lost().total(), 0);
  for (const Channel channel : kChannels) EXPECT_GE(bytes[channel], kThreads * kEach / 2) << name_of(channel);
}

INSTANTIATE_TEST_SUITE_P(Rings, Channels, testing::Bool(),
                         [](const auto& info) { return info.param ? "leased" : "by_cpu"; });

}  // namespace
}  // namespace blkin::control
