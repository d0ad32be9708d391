// native/test/dead_process_fixture.hpp: processes that write numbered events and are killed, in folders of a user of the test's
// own, and what a relay must have of them afterwards.
#pragma once

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <random>
#include <thread>

#include "ctf_reader.hpp"
#include "fake_relay.hpp"
#include "folder/dead_process.hpp"
#include "folder/recovery.hpp"
#include "folder/sweep.hpp"
#include "process/session.hpp"
#include "process/spare_folder.hpp"
#include "ring_fixture.hpp"
#include "temp_folder.hpp"

namespace blkin::control {
namespace {

using test::FakeRelay;

constexpr uint64_t kForever = 60'000;
const thrift::Address kNowhere{"127.0.0.1", "1"};

std::vector<std::string> process_folders() {
  std::vector<std::string> found;
  for (const Directory& user : dead_users())
    for (const std::string& name : user.names())
      if (user.folder(name)) found.push_back(user.path() + "/" + name);
  return found;
}

std::vector<Recovered> recover_dead(const std::string& listens, const thrift::Address& relay,
                                    const std::string& token, uint64_t timeout_ms) {
  return control::recover_dead({listens, relay, token, timeout_ms});
}

template <typename Condition>
[[nodiscard]] bool eventually(Condition condition) {
  for (uint64_t ms = 0; ms < kForever; ++ms) {
    if (condition()) return true;
    usleep(1000);
  }
  return false;
}

class DeadProcesses : public testing::Test {
 protected:
  void SetUp() override {
    // A user of its own, so that no folder of this machine's real programs is touched.
    user_ = 200'000 + static_cast<uid_t>(getpid());
    if (geteuid() != 0) user_ = geteuid();
    chmod(tmp_.path().c_str(), 01777);
    setenv("TMPDIR", tmp_.path().c_str(), 1);
    ASSERT_EQ(seteuid(user_), 0);
    for (const std::string& left : process_folders()) before_.push_back(left);
    if (getuid() == 0) {
      ASSERT_EQ(before_.size(), 0U) << before_.front();
    }
  }
  void TearDown() override {
    if (child_ > 0) kill_child();
    for (const std::string& path : ours()) std::filesystem::remove_all(path);
    std::error_code ignored;
    if (getuid() == 0) std::filesystem::remove("/dev/shm/blkin-" + std::to_string(user_), ignored);
    ASSERT_EQ(seteuid(getuid()), 0);
  }

  std::vector<std::string> ours() {
    std::vector<std::string> found = process_folders();
    std::erase_if(found, [&](const std::string& path) {
      return std::find(before_.begin(), before_.end(), path) != before_.end();
    });
    return found;
  }

  static Settings settings(const thrift::Address& relay, bool lease) {
    Settings out;
    out.session = Settings::to_relay("default", relay.text());
    out.session.token = "secret";
    out.lease = lease;
    out.session.channel.sub_buffer_bytes = 64 << 10;
    out.session.channel.sub_buffers = 16;
    return out;
  }

  struct Child {
    thrift::Address relay = kNowhere;
    bool lease = false;
    uint64_t events = UINT64_MAX;  // then it pauses
    bool consumes = true;
    bool overwrites = false;
    bool changes_user = false;  // before it writes
  };

  // Forks a process that writes numbered events, the odd ones as spans do; returns once it has made its folder. While no other thread is there:
  // `relay` serves from then on.
  void fork_child(const Child& what, FakeRelay* relay = nullptr) {
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    child_ = fork();
    ASSERT_GE(child_, 0) << strerror(errno);
    if (child_ == 0) {
      run(what, ready[1]);
    }
    close(ready[1]);
    if (relay != nullptr) relay->begin();
    pollfd told{ready[0], POLLIN, 0};
    char byte = 0;
    const bool up = poll(&told, 1, 30'000) == 1 && read(ready[0], &byte, 1) == 1;
    close(ready[0]);
    if (up) return;
    const std::string where = where_threads_are(child_);
    kill_child();  // it holds the relay's pipe open
    FAIL() << "the child did not come up:" << where;
  }

  // What the kernel tells of a process that hangs.
  static std::string where_threads_are(pid_t pid) {
    std::string out;
    std::error_code gone;
    for (const auto& thread :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", gone))
      for (const char* file : {"comm", "wchan", "syscall", "stack"}) {
        std::ifstream in(thread.path() / file);
        out += std::string("\n") + file + ": " + std::string(std::istreambuf_iterator<char>(in), {});
      }
    return out;
  }

  static uid_t other_user(uid_t user) { return user + 100'000; }

  // By the child, to within what it was doing when it was killed: the last one may not have reached a ring.
  static uint64_t emitted() { return __atomic_load_n(counter_, __ATOMIC_SEQ_CST); }

  [[noreturn]] static void run(const Child& what, int ready) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // also where the test itself is killed
    static ContextTable contexts;
    static Registry registry(contexts);
    static Threads threads;
    static ProcessFolder process;
    registry.declare({0, "t", "number", 6, {{"n", thrift::Type::kU64, thrift::Shape::kScalar, 0, {}, {}}}},
                     "s");
    thrift::Rule all;
    all.pattern = "t:*";
    registry.enable(0, all);
    Settings how = settings(what.relay, what.lease);
    if (what.overwrites) how.session.channel = {8 << 10, 2, thrift::Mode::kOverwrite, 0};
    process.create(0);
    std::vector<thrift::Tracepoint> declared;
    registry.tracepoints(0, declared);
    process.add_tracepoints(declared);
    static SpareFolder spare(registry);
    auto* session = new Session(
        0, registry, threads, process, how, how.session, {}, {}, [] {}, &spare);
    const uid_t other = other_user(geteuid());
    if (what.changes_user && (seteuid(0) != 0 || seteuid(other) != 0)) _exit(1);
    if (what.consumes) session->start();
    Thread thread;
    threads.add(thread);
    for (uint64_t n = 0;; ++n) {
      if (n == (what.events == UINT64_MAX ? 1000 : what.events)) {
        const ssize_t told = ::write(ready, "", 1);
        if (told != 1) _exit(1);
      }
      if (n == what.events) break;
      // Room for what comes until the next look, so that no number is lost.
      while (n % 512 == 0 && n > 0 && !what.overwrites) {
        bool room = true;
        for (const RingStatus& ring : session->rings_status())
          room = room && ring.head - ring.tail < (512 << 10);
        if (room) break;
        usleep(200);
      }
      const Inside inside(thread);
      session->write(Event(0, kChannels[n % 2]), 8, &n, thread);
      __atomic_store_n(counter_, n + 1, __ATOMIC_SEQ_CST);
    }
    for (;;) pause();
  }

  void kill_child() {
    kill(child_, SIGKILL);
    int status = 0;
    waitpid(child_, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
    child_ = 0;
  }

  // All that there may be, and the channel of each.
  static std::vector<std::pair<int32_t, Channel>> streams() {
    std::vector<std::pair<int32_t, Channel>> out;
    for (const Channel channel : kChannels) {
      const auto first = static_cast<int32_t>(first_stream(channel));
      for (int32_t cpu = 0; cpu < static_cast<int32_t>(test::cpus()); ++cpu)
        out.emplace_back(first + cpu, channel);
      out.emplace_back(first + consumer::kFirstLeasedStream, channel);
    }
    return out;
  }

  // Every number from 0 once, over all streams. Returns how many.
  static uint64_t expect_all_numbers(FakeRelay& relay) {
    EXPECT_EQ(relay.faults(), std::vector<std::string>{});
    const thrift::Hello hello = relay.hello();
    EXPECT_EQ(hello.secret.size(), 16U);
    std::vector<bool> seen;
    for (const auto& [stream, channel] : streams()) {
      test::CtfReader reader(hello.uuid);
      reader.read(relay.stored(stream).file, [](size_t) { return 8; });
      EXPECT_EQ(reader.discarded, 0U);
      for (const test::In& event : reader.events) {
        uint64_t n = 0;
        std::memcpy(&n, event.payload.data(), 8);
        if (n >= (1U << 30)) return ADD_FAILURE() << n, 0;
        EXPECT_EQ(kChannels[n % 2], channel) << n << " in stream " << stream;
        if (seen.size() <= n) seen.resize(n + 1);
        EXPECT_FALSE(seen[n]) << n << " came twice";
        seen[n] = true;
      }
    }
    EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [](bool one) { return one; })) << "one is missing";
    return seen.size();
  }

  // Overwrite mode: the newest number is always kept, so it tells how many there were. Returns how many were stored.
  static uint64_t expect_numbers_and_losses(FakeRelay& relay) {
    EXPECT_EQ(relay.faults(), std::vector<std::string>{});
    std::vector<bool> seen;
    uint64_t lost = 0, stored = 0;
    for (const auto& [number, channel] : streams()) {
      const FakeRelay::Stored stream = relay.stored(number);
      test::CtfReader reader(relay.hello().uuid);
      reader.read(stream.file, [](size_t) { return 8; });
      EXPECT_EQ(reader.discarded, static_cast<uint64_t>(stream.lost.overwritten));
      EXPECT_EQ(reader.events.size(), stream.events);
      lost += reader.discarded;
      stored += stream.events;
      uint64_t last = 0;
      for (const test::In& event : reader.events) {
        uint64_t n = 0;
        std::memcpy(&n, event.payload.data(), 8);
        EXPECT_TRUE(last == 0 || n > last) << n << " after " << last;
        last = n;
        if (n >= (1U << 30)) return ADD_FAILURE() << n, 0;
        EXPECT_EQ(kChannels[n % 2], channel) << n << " in stream " << number;
        if (seen.size() <= n) seen.resize(n + 1);
        EXPECT_FALSE(seen[n]) << n << " came twice";
        seen[n] = true;
      }
    }
    EXPECT_EQ(stored + lost, seen.size()) << "emitted is stored, or counted";
    return stored;
  }

  // Shared with the child.
  inline static uint64_t* const counter_ =
      static_cast<uint64_t*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  test::TempFolder tmp_{"/tmp"};
  uid_t user_ = 0;
  std::vector<std::string> before_;
  pid_t child_ = 0;
};

}  // namespace
}  // namespace blkin::control
