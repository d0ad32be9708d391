// native/test/recovery_test.cc: what a process leaves in its folder when it is killed, and how another brings it to the
// relay: exactly the rest, once, and nothing of the living.
#include "folder/recovery.hpp"

#include "dead_process_fixture.hpp"
#include "slow_names.hpp"

// What an abandoned look-up still uses is left to its thread, on purpose.
// NOLINTNEXTLINE(bugprone-reserved-identifier): LeakSanitizer looks for this name.
extern "C" const char* __lsan_default_suppressions() { return "leak:recover_dead\n"; }

namespace blkin::control {
namespace {

class Recovery : public DeadProcesses {};

TEST_F(Recovery, brings_what_a_process_left_that_never_reached_a_relay) {
  for (const bool lease : {false, true}) {
    SCOPED_TRACE(lease ? "leased" : "by CPU");
    FakeRelay relay(FakeRelay::Serves::kOnBegin);
    ASSERT_NO_FATAL_FAILURE(fork_child({.lease = lease, .events = 5000}, &relay));
    kill_child();
    ASSERT_EQ(ours().size(), 1U);
    const std::vector<Recovered> found = recover_dead(kNowhere.text(), relay.address(), "other", kForever);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_TRUE(found[0].delivered) << found[0].error;
    EXPECT_EQ(found[0].events, 5000U);
    EXPECT_EQ(expect_all_numbers(relay), 5000U);
    EXPECT_EQ(found[0].uuid, relay.hello().uuid);
    ASSERT_EQ(relay.tracepoints().size(), 1U);
    EXPECT_EQ(relay.tracepoints()[0].event, "number");
    EXPECT_TRUE(ours().empty()) << "the folder goes with its content";
    EXPECT_TRUE(recover_dead(kNowhere.text(), relay.address(), "", kForever).empty());
  }
}

TEST_F(Recovery, brings_exactly_the_rest_of_a_process_killed_while_it_delivered) {
  std::mt19937 random(std::random_device{}());
  for (int round = 0; round < 12; ++round) {
    FakeRelay relay(FakeRelay::Serves::kOnBegin);
    ASSERT_NO_FATAL_FAILURE(fork_child({.relay = relay.address(), .lease = round % 4 == 3}, &relay));
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 30'000));
    kill_child();
    const std::vector<Recovered> found = recover_dead(relay.address().text(), relay.address(), "", kForever);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_TRUE(found[0].delivered) << found[0].error;
    EXPECT_GE(expect_all_numbers(relay), 1000U);
    EXPECT_LE(found[0].events, relay.events());
    if (HasFailure()) FAIL() << "round " << round;
  }
}

TEST_F(Recovery, brings_the_newest_that_a_flight_recorder_kept_and_the_number_of_the_others) {
  for (const bool lease : {false, true}) {
    for (const bool consumes : {false, true}) {
      SCOPED_TRACE(lease ? "leased" : "by CPU");
      FakeRelay relay(FakeRelay::Serves::kOnBegin);
      ASSERT_NO_FATAL_FAILURE(
          fork_child({.lease = lease, .events = 50'000, .consumes = consumes, .overwrites = true}, &relay));
      kill_child();
      const std::vector<Recovered> found = recover_dead(kNowhere.text(), relay.address(), "", kForever);
      ASSERT_EQ(found.size(), 1U);
      EXPECT_TRUE(found[0].delivered) << found[0].error;
      const uint64_t stored = expect_numbers_and_losses(relay);
      EXPECT_EQ(found[0].events, stored);
      EXPECT_GT(stored, 300U);
      EXPECT_LT(stored, 2 * 700U * test::cpus()) << "16 KiB a CPU and channel";
    }
  }
}

TEST_F(Recovery, counts_what_was_overwritten_also_where_it_was_killed_while_it_delivered) {
  std::mt19937 random(std::random_device{}());
  for (int round = 0; round < 24; ++round) {
    FakeRelay relay(FakeRelay::Serves::kOnBegin);
    if (round % 3 == 2)
      relay.on_put = [n = 0](const test::ReceivedPut&) mutable {
        return ++n % 7 == 0 ? test::Answer::kStoreAndHangUp
               : n % 7 == 3 ? test::Answer::kHangUp
                            : test::Answer::kStore;
      };
    ASSERT_NO_FATAL_FAILURE(
        fork_child({.relay = relay.address(), .lease = round % 4 == 3, .overwrites = true}, &relay));
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 30'000));
    kill_child();
    const std::vector<Recovered> found = recover_dead(relay.address().text(), relay.address(), "", kForever);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_TRUE(found[0].delivered) << found[0].error;
    EXPECT_GT(expect_numbers_and_losses(relay), 0U);
    EXPECT_LE(found[0].events, relay.events());
    if (HasFailure()) FAIL() << "round " << round;
  }
}

TEST_F(Recovery, times_of_a_dead_process_lie_within_its_life) {
  FakeRelay relay(FakeRelay::Serves::kOnBegin);
  const uint64_t before = clock::monotonic_ns();
  ASSERT_NO_FATAL_FAILURE(fork_child({.events = 100}, &relay));
  kill_child();
  const uint64_t after = clock::monotonic_ns();
  ASSERT_EQ(recover_dead(kNowhere.text(), relay.address(), "", kForever).size(), 1U);
  for (const auto& [stream, channel] : streams()) {
    test::CtfReader reader(relay.hello().uuid);
    reader.read(relay.stored(stream).file, [](size_t) { return 8; });
    for (const test::In& event : reader.events) {
      EXPECT_GE(event.ns, before);
      EXPECT_LE(event.ns, after);
    }
  }
}

TEST_F(Recovery, leaves_the_living_alone) {
  FakeRelay relay(FakeRelay::Serves::kOnBegin);
  ASSERT_NO_FATAL_FAILURE(fork_child({.events = 100}, &relay));
  EXPECT_TRUE(recover_dead(kNowhere.text(), relay.address(), "", kForever).empty());
  sweep_dead({.kept_bytes = 1});
  ASSERT_EQ(ours().size(), 1U);
  EXPECT_EQ(relay.hellos(), 0U);
  kill_child();
  const std::vector<Recovered> found = recover_dead(kNowhere.text(), relay.address(), "", kForever);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].events, 100U) << "nothing of it was harmed";
}

TEST_F(Recovery, leaves_those_alone_that_sent_to_another_relay) {
  FakeRelay relay(FakeRelay::Serves::kOnBegin);
  ASSERT_NO_FATAL_FAILURE(fork_child({.events = 10}, &relay));
  kill_child();
  EXPECT_TRUE(recover_dead("127.0.0.1:2", relay.address(), "", kForever).empty());
  EXPECT_EQ(ours().size(), 1U);
}

TEST_F(Recovery, keeps_the_folder_when_the_relay_did_not_take_all) {
  ASSERT_NO_FATAL_FAILURE(fork_child({.events = 1000}));
  kill_child();
  const std::vector<Recovered> failed = recover_dead(kNowhere.text(), kNowhere, "", kForever);
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_FALSE(failed[0].delivered);
  EXPECT_NE(failed[0].error.find("connect"), std::string::npos) << failed[0].error;
  ASSERT_EQ(ours().size(), 1U);
  FakeRelay silent;
  silent.on_put = [](const test::ReceivedPut&) { return test::Answer::kStoreSilently; };
  EXPECT_FALSE(recover_dead(kNowhere.text(), silent.address(), "", 50).at(0).delivered);
  ASSERT_EQ(ours().size(), 1U);
  FakeRelay relay;
  EXPECT_TRUE(recover_dead(kNowhere.text(), relay.address(), "", kForever).at(0).delivered);
  EXPECT_EQ(expect_all_numbers(relay), 1000U);
}

TEST_F(Recovery, events_of_a_tracepoint_whose_declaration_could_not_be_stored_are_counted_as_lost) {
  // They were skipped, so that less was recorded and lost than was emitted.
  for (const bool lease : {false, true}) {
    ASSERT_NO_FATAL_FAILURE(fork_child({.lease = lease, .events = 1000}));
    kill_child();
    ASSERT_EQ(truncate((ours().at(0) + "/tracepoints").c_str(), 0), 0);
    FakeRelay relay;
    relay.on_put = [](const test::ReceivedPut&) { return test::Answer::kStoreAndHangUp; };
    const std::vector<Recovered> found = recover_dead(kNowhere.text(), relay.address(), "", kForever);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_TRUE(found[0].delivered) << found[0].error;
    EXPECT_EQ(relay.events(), 0U);
    int64_t lost = 0, no_ring = 0;
    for (const auto& [stream, channel] : streams()) {
      lost += relay.stored(stream).held.lost;
      no_ring += relay.stored(stream).lost.no_ring;
    }
    EXPECT_EQ(lost, 1000) << "as packets tell it";
    EXPECT_EQ(no_ring, 1000) << "as puts tell it";
    EXPECT_TRUE(ours().empty());
  }
}

TEST_F(Recovery, what_the_relay_was_told_by_the_living_process_need_not_be_stored_in_its_folder) {
  FakeRelay relay(FakeRelay::Serves::kOnBegin);
  ASSERT_NO_FATAL_FAILURE(fork_child({.relay = relay.address(), .events = 1000}, &relay));
  ASSERT_TRUE(eventually([&] { return !relay.tracepoints().empty(); }));
  kill_child();
  ASSERT_EQ(truncate((ours().at(0) + "/tracepoints").c_str(), 0), 0);
  ASSERT_EQ(recover_dead(relay.address().text(), relay.address(), "", kForever).size(), 1U);
  EXPECT_EQ(expect_all_numbers(relay), 1000U);
}

TEST_F(Recovery, who_goes_on_where_another_recovery_ended_counts_the_same) {
  ASSERT_NO_FATAL_FAILURE(fork_child({.events = 1000}));
  kill_child();
  ASSERT_EQ(truncate((ours().at(0) + "/tracepoints").c_str(), 0), 0);
  FakeRelay relay;
  relay.on_put = [](const test::ReceivedPut&) { return test::Answer::kStoreSilently; };
  EXPECT_FALSE(recover_dead(kNowhere.text(), relay.address(), "", 200).at(0).delivered);
  relay.on_put = nullptr;
  EXPECT_TRUE(recover_dead(kNowhere.text(), relay.address(), "", kForever).at(0).delivered);
  int64_t lost = 0;
  for (const auto& [stream, channel] : streams()) lost += relay.stored(stream).held.lost;
  EXPECT_EQ(lost, 1000);
  EXPECT_EQ(relay.faults(), std::vector<std::string>{});
}

TEST_F(Recovery, rings_of_a_process_that_became_another_user_are_in_that_users_folder) {
  // They were anonymous memory: a server that binds port 80 and drops root lost them when it was killed.
  if (getuid() != 0) GTEST_SKIP() << "only root may become another user";
  const uid_t other = other_user(user_);
  ASSERT_NO_FATAL_FAILURE(fork_child({.events = 1000, .changes_user = true}));
  kill_child();
  FakeRelay relay;
  recover_dead(kNowhere.text(), relay.address(), "", kForever);
  EXPECT_EQ(relay.events(), 0U);
  ASSERT_EQ(seteuid(0), 0);
  ASSERT_EQ(seteuid(other), 0);
  const std::vector<Recovered> found = recover_dead(kNowhere.text(), relay.address(), "", kForever);
  EXPECT_EQ(found.size(), 1U);
  EXPECT_EQ(expect_all_numbers(relay), 1000U);
  EXPECT_TRUE(process_folders().empty());
  ASSERT_EQ(seteuid(0), 0);
  for (const std::string& user : {user_folder("/dev/shm"), user_folder(tmp_.path())})
    std::filesystem::remove(std::filesystem::path(user).parent_path() / ("blkin-" + std::to_string(other)));
  ASSERT_EQ(seteuid(user_), 0);
}

TEST_F(Recovery, declarations_are_stored_whole_or_not_at_all) {
  signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  ProcessFolder process;
  process.create(0);
  const auto named = [](int32_t id, size_t length) {
    return thrift::Tracepoint{id, "t", std::string(length, 'x'), 6, {}};
  };
  EXPECT_TRUE(process.add_tracepoints({named(0, 10)}));
  const rlimit little{200, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &little);
  EXPECT_FALSE(process.add_tracepoints({named(1, 100), named(2, 100)}));
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_TRUE(process.add_tracepoints({named(1, 100), named(2, 100)})) << "half of the first try is gone";
  const std::vector<uint8_t> bytes = read_small_file(process.path() + "/tracepoints");
  thrift::Reader reader(bytes.data(), bytes.size());
  for (int32_t id = 0; id < 3; ++id) EXPECT_EQ(thrift::read_tracepoint(reader).id, id);
  EXPECT_TRUE(reader.ok());
  process.remove();
}

TEST_F(Recovery, ends_at_once_when_it_is_cancelled_and_goes_on_with_the_next) {
  for (int i = 0; i < 6; ++i) {
    ASSERT_NO_FATAL_FAILURE(fork_child({.events = 100}));
    kill_child();
  }
  std::atomic<int32_t> cancel{0};
  FakeRelay silent;
  silent.on_put = [&](const test::ReceivedPut&) {
    cancel = 1;
    return test::Answer::kStoreSilently;
  };
  // Were it not for the word, each would take its share of ten minutes, and the test's time would be over.
  const std::vector<Recovered> found =
      control::recover_dead({kNowhere.text(), silent.address(), "", 600'000, &cancel});
  ASSERT_EQ(found.size(), 1U) << "none is begun any more";
  EXPECT_FALSE(found[0].delivered);
  EXPECT_EQ(ours().size(), 6U);
  FakeRelay relay;
  relay.on_held = [](std::vector<thrift::Held>& held) { held.clear(); };
  for (const Recovered& one : recover_dead(kNowhere.text(), relay.address(), "", kForever))
    EXPECT_TRUE(one.delivered) << one.error;
  EXPECT_TRUE(ours().empty());
}

TEST_F(Recovery, one_that_cannot_be_delivered_leaves_time_for_the_others) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_NO_FATAL_FAILURE(fork_child({.events = 100}));
    kill_child();
  }
  FakeRelay relay;
  relay.on_held = [](std::vector<thrift::Held>& held) { held.clear(); };  // each is one of its own
  std::atomic<int> puts{0};
  relay.on_put = [&](const test::ReceivedPut&) {
    return puts++ == 0 ? test::Answer::kStoreSilently : test::Answer::kStore;
  };
  const std::vector<Recovered> found = recover_dead(kNowhere.text(), relay.address(), "", 3000);
  ASSERT_EQ(found.size(), 3U) << "all were tried within the time of all";
  EXPECT_EQ(std::count_if(found.begin(), found.end(), [](const Recovered& one) { return one.delivered; }), 2);
  EXPECT_EQ(ours().size(), 1U);
}

TEST_F(Recovery, finds_folders_below_tmpdir_too) {
  ASSERT_NO_FATAL_FAILURE(fork_child({.events = 1000}));
  kill_child();
  const std::filesystem::path from = ours().at(0);
  const std::filesystem::path to = tmp_.path() + "/" + from.parent_path().filename().string();
  if (from.string().rfind("/dev/shm/", 0) != 0) GTEST_SKIP() << "no /dev/shm, so every other test shows it";
  ASSERT_EQ(mkdir(to.c_str(), 0700), 0);
  std::filesystem::copy(from, to / from.filename(), std::filesystem::copy_options::recursive);
  chmod((to / from.filename()).c_str(), 0700);
  std::filesystem::remove_all(from);
  FakeRelay relay;
  const std::vector<Recovered> found = recover_dead(kNowhere.text(), relay.address(), "", kForever);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].folder, to / from.filename() / "default");
  EXPECT_TRUE(found[0].delivered);
  EXPECT_EQ(expect_all_numbers(relay), 1000U);
}

TEST_F(Recovery, a_folder_is_made_below_tmpdir_where_shared_memory_is_too_small) {
  struct statvfs space {};
  ASSERT_EQ(statvfs("/dev/shm", &space), 0);
  const uint64_t free = space.f_bavail * space.f_frsize;
  statvfs(tmp_.path().c_str(), &space);
  if (space.f_bavail * space.f_frsize < free + (1 << 20))
    GTEST_SKIP() << "/tmp has not more room than /dev/shm";
  ProcessFolder folder;
  folder.create(free + 4096);
  EXPECT_EQ(folder.path().rfind(tmp_.path(), 0), 0U) << folder.path();
}

TEST_F(Recovery, where_no_folder_can_be_had_the_state_is_private_and_says_why) {
  setenv("TMPDIR", "/nonexistent", 1);
  ProcessFolder process;
  process.create(UINT64_MAX / 4);
  EXPECT_EQ(process.path(), "");
  EXPECT_NE(process.error(), "");
  SessionFolder folder;
  folder.create(process, {}, "", true, {1, 1});
  EXPECT_EQ(folder.path(), "");
  EXPECT_LT(folder.rings(Channel::kEvents), 0);
  EXPECT_EQ(folder.error(), process.error());
  ASSERT_NE(folder.state(), nullptr);
  EXPECT_EQ(folder.state()->magic, kStateMagic);
}

TEST_F(Recovery, a_folder_that_fails_half_way_leaves_nothing_behind) {
  // Its descriptor stayed, so that the private state was unmapped with it, and a folder was shown that was not there.
  signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  ProcessFolder process;
  process.create(0);
  for (int i = 0; i < 2; ++i) {
    SessionFolder folder;
    const rlimit none{0, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &none);
    folder.create(process, {}, "", true, {1, 1});
    setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_EQ(folder.path(), "");
    EXPECT_LT(folder.rings(Channel::kEvents), 0);
    EXPECT_NE(folder.error().find(std::strerror(EFBIG)), std::string::npos) << folder.error();
    EXPECT_EQ(folder.state()->magic, kStateMagic);
  }
  EXPECT_TRUE(std::filesystem::is_empty(process.path()) ||
              std::distance(std::filesystem::directory_iterator(process.path()), {}) == 2);
  process.remove();
  EXPECT_TRUE(ours().empty());
}

TEST_F(Recovery, nothing_written_by_others_is_followed) {
  ASSERT_NO_FATAL_FAILURE(fork_child({.events = 10}));
  kill_child();
  const std::filesystem::path folder = ours().at(0);
  chmod(folder.c_str(), 0755);  // anyone may have put things here
  EXPECT_TRUE(recover_dead(kNowhere.text(), kNowhere, "", 10).empty());
  chmod(folder.c_str(), 0700);
  EXPECT_EQ(recover_dead(kNowhere.text(), kNowhere, "", 10).size(), 1U);
}

TEST_F(Recovery, damaged_folders_end_in_words_or_less_but_end) {
  std::mt19937 random(8);
  ASSERT_NO_FATAL_FAILURE(fork_child({.events = 3000}));
  kill_child();
  const std::filesystem::path folder = ours().at(0);
  std::map<std::filesystem::path, std::string> good;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    good[entry.path()].assign(std::istreambuf_iterator<char>(in), {});
  }
  ASSERT_GE(good.size(), 4U);
  for (int round = 0; round < 150; ++round) {
    for (const auto& [path, bytes] : good) {
      std::string bad = bytes;
      const size_t within = random() % 2 == 0 ? std::min<size_t>(bad.size(), 256) : bad.size();
      for (uint32_t flips = random() % 6; flips > 0 && within > 0; --flips)
        bad[random() % within] = random() % 2 == 0 ? static_cast<char>(random()) : '\xFF';
      if (random() % 20 == 0) bad.resize(random() % (bad.size() + 1));
      std::filesystem::create_directories(path.parent_path());
      std::ofstream(path, std::ios::binary) << bad;
    }
    for (auto at = folder; at != folder.parent_path(); at = at.parent_path()) chmod(at.c_str(), 0700);
    FakeRelay relay;
    recover_dead(kNowhere.text(), relay.address(), "", 300);
    EXPECT_LE(relay.events(), 64U << 10) << "no record is there that many times";
  }
}

TEST_F(Recovery, a_name_that_cannot_be_looked_up_in_time_is_given_up) {
  ASSERT_NO_FATAL_FAILURE(fork_child({.events = 10}));
  kill_child();
  g_look_up_hangs = true;
  const std::vector<Recovered> found = recover_dead(kNowhere.text(), {"hangs.invalid", "1"}, "", 10);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_FALSE(found[0].delivered);
  EXPECT_EQ(recover_dead(kNowhere.text(), kNowhere, "", 10).size(), 0U) << "its thread has it still";
  g_look_up_hangs = false;
  for (int i = 0; i < 10'000 && g_hanging > 0; ++i) usleep(1000);
  usleep(
      100'000);  // it now walks over the rings that it was left with, and ends: for AddressSanitizer to see
}

}  // namespace
}  // namespace blkin::control
