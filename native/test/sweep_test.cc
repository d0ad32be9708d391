// native/test/sweep_test.cc: what dead processes left is kept within a budget, and what is given up is counted to the record.
#include "folder/sweep.hpp"

#include "dead_process_fixture.hpp"

namespace blkin::control {
namespace {

class Sweep : public DeadProcesses {
 protected:
  void leave(const Child& what, FakeRelay* relay = nullptr) {
    ASSERT_NO_FATAL_FAILURE(fork_child(what, relay));
    kill_child();
  }

  // What the folders of the dead take, once what they do not use is given back.
  static uint64_t bytes_left() {
    uint64_t sum = 0;
    for (const Directory& user : dead_users()) sum += user.bytes();
    return sum;
  }

  static uint64_t lost_of(FakeRelay& relay) {
    uint64_t sum = 0;
    for (const auto& [stream, channel] : streams())
      sum += static_cast<uint64_t>(relay.stored(stream).lost.total());
    return sum;
  }
};

// One relay for several processes: it takes each for the first that it hears of.
void forget(FakeRelay& relay) {
  relay.on_held = [](std::vector<thrift::Held>& held) { held.clear(); };
}

TEST_F(Sweep, keeps_all_that_is_not_delivered_while_there_is_room) {
  for (int i = 0; i < 12; ++i) ASSERT_NO_FATAL_FAILURE(leave({.events = 100}));
  sweep_dead();
  EXPECT_EQ(ours().size(), 12U);
  FakeRelay relay;
  forget(relay);
  const std::vector<Recovered> found = recover_dead(kNowhere.text(), relay.address(), "", kForever);
  ASSERT_EQ(found.size(), 12U);
  for (const Recovered& one : found) EXPECT_EQ(one.events, 100U) << one.error;
  EXPECT_TRUE(ours().empty());
}

TEST_F(Sweep, gives_back_what_a_ring_does_not_use_and_keeps_every_record) {
  ASSERT_NO_FATAL_FAILURE(leave({.events = 3000}));
  const uint64_t before = bytes_left();
  sweep_dead();
  EXPECT_LT(bytes_left(), before / 2);
  FakeRelay relay;
  recover_dead(kNowhere.text(), relay.address(), "", kForever);
  EXPECT_EQ(expect_all_numbers(relay), 3000U);
}

TEST_F(Sweep, removes_what_is_delivered_and_what_nobody_can_come_for) {
  FakeRelay relay(FakeRelay::Serves::kOnBegin);
  ASSERT_NO_FATAL_FAILURE(fork_child({.relay = relay.address(), .events = 500}, &relay));
  while (relay.events() < 500) usleep(1000);
  // The last answer may still be on its way to it.
  const auto is_delivered = [&] {
    const Directory user = std::move(dead_users().at(0));
    const Directory process = user.folder(user.names().at(0));
    return DeadSession::open(process, "default")->is_delivered();
  };
  while (!is_delivered()) usleep(1000);
  kill_child();
  ASSERT_EQ(ours().size(), 1U);
  sweep_dead();
  EXPECT_TRUE(ours().empty());
}

TEST_F(Sweep, what_finds_no_room_is_given_up_and_every_record_of_it_is_counted_as_lost) {
  for (const bool lease : {false, true}) {
    SCOPED_TRACE(lease ? "leased" : "by CPU");
    ASSERT_NO_FATAL_FAILURE(leave({.lease = lease, .events = 5000}));
    const uint64_t before = bytes_left();
    sweep_dead({.kept_bytes = 64 << 10, .summary_bytes = 1 << 20});
    EXPECT_LT(bytes_left(), before / 2);
    ASSERT_EQ(ours().size(), 1U) << "its count is still to be told";
    sweep_dead({.kept_bytes = 64 << 10, .summary_bytes = 1 << 20});
    FakeRelay relay;
    const std::vector<Recovered> found = recover_dead(kNowhere.text(), relay.address(), "", kForever);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_TRUE(found[0].delivered) << found[0].error;
    EXPECT_EQ(found[0].given_up, 5000U);
    EXPECT_EQ(found[0].events, 0U);
    EXPECT_EQ(lost_of(relay), 5000U);
    EXPECT_EQ(relay.faults(), std::vector<std::string>{});
    EXPECT_TRUE(ours().empty());
  }
}

TEST_F(Sweep, what_the_relay_had_already_is_not_counted_again) {
  std::mt19937 random(std::random_device{}());
  for (int round = 0; round < 12; ++round) {
    FakeRelay relay(FakeRelay::Serves::kOnBegin);
    const bool overwrites = round % 2 == 1;
    ASSERT_NO_FATAL_FAILURE(
        fork_child({.relay = relay.address(), .lease = round % 4 > 1, .overwrites = overwrites}, &relay));
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 30'000));
    kill_child();
    sweep_dead({.kept_bytes = 1 << 10, .summary_bytes = 1 << 20});
    recover_dead(relay.address().text(), relay.address(), "", kForever);
    EXPECT_EQ(relay.faults(), std::vector<std::string>{});
    std::vector<uint64_t> numbers;
    uint64_t lost = 0;
    for (const auto& [number, channel] : streams()) {
      const FakeRelay::Stored stream = relay.stored(number);
      test::CtfReader reader(relay.hello().uuid);
      reader.read(stream.file, [](size_t) { return 8; });
      lost += reader.discarded;
      for (const test::In& event : reader.events) {
        uint64_t n = 0;
        std::memcpy(&n, event.payload.data(), 8);
        numbers.push_back(n);
      }
    }
    std::sort(numbers.begin(), numbers.end());
    EXPECT_EQ(std::adjacent_find(numbers.begin(), numbers.end()), numbers.end()) << "one came twice";
    EXPECT_GE(numbers.size() + lost, emitted()) << "round " << round;
    EXPECT_LE(numbers.size() + lost, emitted() + 1) << "round " << round;
    EXPECT_TRUE(ours().empty());
    if (HasFailure()) return;
  }
}

TEST_F(Sweep, the_oldest_are_given_up_last) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_NO_FATAL_FAILURE(leave({.events = 4000}));
    sweep_dead();    // sees that it is dead
    usleep(15'000);  // file times tick slowly
  }
  const uint64_t one = bytes_left() / 3;
  sweep_dead({.kept_bytes = one + one / 2, .summary_bytes = 1 << 20});
  FakeRelay relay;
  forget(relay);
  const std::vector<Recovered> found = recover_dead(kNowhere.text(), relay.address(), "", kForever);
  ASSERT_EQ(found.size(), 3U);
  uint64_t events = 0, given_up = 0;
  for (const Recovered& each : found) events += each.events, given_up += each.given_up;
  EXPECT_EQ(events, 4000U);
  EXPECT_EQ(given_up, 8000U);
}

TEST_F(Sweep, what_is_removed_whole_is_said_by_whoever_recovers_next_and_once) {
  ASSERT_NO_FATAL_FAILURE(leave({.events = 3000}));
  ASSERT_NO_FATAL_FAILURE(leave({.events = 1000}));
  sweep_dead({.kept_bytes = 1, .summary_bytes = 1});
  EXPECT_TRUE(ours().empty());
  const std::vector<Recovered> found = recover_dead(kNowhere.text(), kNowhere, "", kForever);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].given_up, 4000U);
  EXPECT_EQ(found[0].error, "2 sessions for which no relay came were removed for room, with 4000 events");
  EXPECT_TRUE(recover_dead(kNowhere.text(), kNowhere, "", kForever).empty());
}

TEST_F(Sweep, one_whose_relay_did_not_come_for_a_week_goes_before_those_that_are_newer) {
  ASSERT_NO_FATAL_FAILURE(leave({.events = 2000}));
  ASSERT_NO_FATAL_FAILURE(leave({.events = 2000}));
  sweep_dead();
  const std::string old = ours().at(0);
  const time_t then = time(nullptr) - time_t{8} * 24 * 3600;
  const timespec long_ago[2] = {{then, 0}, {then, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, (old + "/dead").c_str(), long_ago, 0), 0);
  sweep_dead({.kept_bytes = bytes_left() * 3 / 4});
  ASSERT_EQ(ours().size(), 1U);
  EXPECT_NE(ours().at(0), old);
}

TEST_F(Sweep, leaves_alone_what_is_being_recovered) {
  ASSERT_NO_FATAL_FAILURE(leave({.events = 2000}));
  FakeRelay relay;
  std::atomic<bool> came{false}, go{false};
  relay.on_put = [&](const test::ReceivedPut&) {
    came = true;
    while (!go) usleep(100);
    return test::Answer::kStore;
  };
  std::thread recovering([&] { recover_dead(kNowhere.text(), relay.address(), "", kForever); });
  while (!came) usleep(100);
  sweep_dead({.kept_bytes = 1});
  go = true;
  recovering.join();
  EXPECT_EQ(expect_all_numbers(relay), 2000U);
}

TEST_F(Sweep, what_no_relay_comes_for_goes_first) {
  ASSERT_NO_FATAL_FAILURE(leave({.events = 2000}));
  ASSERT_NO_FATAL_FAILURE(leave({.events = 2000}));
  sweep_dead();
  const std::string recorder = ours().at(0);
  std::filesystem::resize_file(recorder + "/default/relay", 0);
  sweep_dead({.kept_bytes = bytes_left() * 3 / 4});
  EXPECT_EQ(ours().size(), 1U);
  EXPECT_NE(ours().at(0), recorder);
}

}  // namespace
}  // namespace blkin::control
