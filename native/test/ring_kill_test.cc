// native/test/ring_kill_test.cc: a process that writes flat out is killed with SIGKILL at any moment. Whatever stands
// below head is whole, nothing is missing before it, and nobody had to repair anything.
#include <sys/prctl.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "ring_fixture.hpp"
#include "temp_folder.hpp"

namespace blkin::test {
namespace {

constexpr ring::Geometry kGeometry{64 << 10, 512 << 10};
constexpr size_t kThreads = 3;

// The child: never returns. A number is used up only by a record that was written.
template <typename Writer>
[[noreturn]] void write_flat_out(int folder) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // also where the test itself is killed
  std::vector<ring::Header*> rings;
  for (size_t i = 0; i < Writer::rings_for(kThreads); ++i) {
    const ring::Created made =
        ring::create(folder, std::to_string(i).c_str(), static_cast<uint32_t>(i), kGeometry);
    if (made.ring == nullptr) _exit(1);
    rings.push_back(made.ring);
  }
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&rings, i] {
      const Writer writer(rings, i);
      Pattern pattern;
      for (uint64_t sequence = 0;;) {
        pattern.make(i, sequence);
        if (writer.write(pattern.record()) == ring::Result::kWritten) ++sequence;
        else sched_yield();
      }
    });
  }
  for (;;) pause();
}

template <typename Writer>
class RingKill : public testing::Test {
 protected:
  void SetUp() override {
    if (!Writer::available()) GTEST_SKIP() << "no rseq here";
  }

  // Returns how many records the child left or had drained.
  size_t kill_after(std::chrono::microseconds lifetime) {
    const TempFolder folder(std::filesystem::exists("/dev/shm") ? "/dev/shm" : testing::TempDir());
    const pid_t child = fork();
    if (child == 0) write_flat_out<Writer>(folder.fd());

    Audit audit;
    std::vector<std::pair<ring::Header*, ring::Geometry>> rings(Writer::rings_for(kThreads));
    const auto find_rings = [&] {
      for (size_t i = 0; i < rings.size(); ++i) {
        if (rings[i].first != nullptr) continue;
        rings[i].first = ring::open(folder.fd(), std::to_string(i).c_str(), rings[i].second);
        if (rings[i].first != nullptr) audit.watch(rings[i].first, rings[i].second);
      }
    };
    // The clock begins once there is something to kill: starting a process takes as long as it takes.
    const auto missing = [](const auto& ring) { return ring.first == nullptr; };
    int status = 0;
    while (std::any_of(rings.begin(), rings.end(), missing)) {
      find_rings();
      if (waitpid(child, &status, WNOHANG) == child) {
        ADD_FAILURE() << "the child ended before it had its rings, with status " << status;
        return 0;
      }
    }
    const auto end = std::chrono::steady_clock::now() + lifetime;
    do audit.drain();
    while (std::chrono::steady_clock::now() < end);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
    audit.drain();

    EXPECT_ALL_WHOLE(audit);
    size_t records = 0;
    for (const auto& [source, numbers] : audit.seen) {
      EXPECT_TRUE(std::all_of(numbers.begin(), numbers.end(), [](bool one) { return one; }))
          << "source " << source;
      records += numbers.size();
    }
    for (const auto& [ring, geometry] : rings) munmap(ring, ring::kHeaderBytes + geometry.capacity);
    return records;
  }
};
TYPED_TEST_SUITE(RingKill, Writers, WriterNames);

TYPED_TEST(RingKill, what_a_killed_process_left_is_whole_and_without_gaps) {
  std::mt19937 random(std::random_device{}());
  size_t records = 0;
  for (int i = 0; i < 110; ++i) {
    records += this->kill_after(std::chrono::microseconds(random() % 4000));
    if (this->HasFailure()) break;
  }
  EXPECT_GT(records, 0U);
  std::printf("%zu records of 110 killed processes\n", records);
}

}  // namespace
}  // namespace blkin::test
