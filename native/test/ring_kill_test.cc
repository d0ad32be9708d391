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
const int kProcesses = std::max(12, 110 / kEmulated);

// What each thread of the child knows to be written, in memory that outlives it.
using Known = std::array<std::atomic<uint64_t>, 64>;

struct Load {
  ring::Geometry geometry = kGeometry;
  size_t threads = kThreads;
  bool pinned = false;  // thread i on CPU i, and so alone in ring i
};

// The child: never returns. A number is used up only by a record that was written.
template <typename Writer>
[[noreturn]] void write_flat_out(int folder, const Load& load, Known& known) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // also where the test itself is killed
  std::vector<ring::Header*> rings;
  for (size_t i = 0; i < Writer::rings_for(load.threads); ++i) {
    const ring::Created made =
        ring::create(folder, std::to_string(i).c_str(), static_cast<uint32_t>(i), load.geometry);
    if (made.ring == nullptr) _exit(1);
    rings.push_back(made.ring);
  }
  std::vector<std::thread> threads;
  for (size_t i = 0; i < load.threads; ++i) {
    threads.emplace_back([&rings, &load, &known, i] {
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(i, &one);
      if (load.pinned) sched_setaffinity(0, sizeof one, &one);
      const Writer writer(rings, i);
      Pattern pattern;
      for (uint64_t sequence = 0;;) {
        pattern.make(i, sequence);
        if (writer.write(pattern.record()) == ring::Result::kWritten) known[i].store(++sequence);
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
  size_t kill_after(std::chrono::microseconds lifetime, const Load& load = {},
                    unsigned reader_sleeps_us = 0) {
    const TempFolder folder(std::filesystem::exists("/dev/shm") ? "/dev/shm" : testing::TempDir());
    void* shared = mmap(nullptr, sizeof(Known), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    Known& known = *new (shared) Known{};
    const pid_t child = fork();
    if (child == 0) write_flat_out<Writer>(folder.fd(), load, known);

    Audit audit;
    std::vector<std::pair<ring::Header*, ring::Geometry>> rings(Writer::rings_for(load.threads));
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
    do {
      audit.drain();
      if (reader_sleeps_us > 0) usleep(reader_sleeps_us);
    } while (std::chrono::steady_clock::now() < end);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
    audit.drain();

    EXPECT_ALL_WHOLE(audit);
    const bool overwrites = load.geometry.mode == ring::Mode::kOverwrite;
    size_t records = 0;
    for (const auto& [source, numbers] : audit.seen) {
      // Alone in its ring, a thread's last record is there whatever was overwritten, and tells how many it wrote.
      if (overwrites && (load.pinned || !Writer::kMayNest)) {
        EXPECT_EQ(audit.passed(source), numbers.size());
      }
      if (!overwrites) {
        EXPECT_TRUE(std::all_of(numbers.begin(), numbers.end(), [](bool one) { return one; }))
            << "source " << source;
      }
      records += static_cast<size_t>(std::count(numbers.begin(), numbers.end(), true));
    }
    if (overwrites) {
      uint64_t wrote = 0;
      for (const auto& one : known) wrote += one.load();
      EXPECT_GE(records + audit.overwritten(), wrote);
      EXPECT_LE(records + audit.overwritten(), wrote + load.threads) << "each may have died before it knew";
      overwritten_ += audit.overwritten();
    }
    munmap(shared, sizeof(Known));
    for (const auto& [ring, geometry] : rings) munmap(ring, ring::kHeaderBytes + geometry.capacity);
    return records;
  }

  uint64_t overwritten_ = 0;
};
TYPED_TEST_SUITE(RingKill, Writers, WriterNames);

TYPED_TEST(RingKill, what_a_killed_process_left_is_whole_and_without_gaps) {
  std::mt19937 random(std::random_device{}());
  size_t records = 0;
  for (int i = 0; i < kProcesses; ++i) {
    records += this->kill_after(std::chrono::microseconds(random() % 4000));
    if (this->HasFailure()) break;
  }
  EXPECT_GT(records, 0U);
  std::printf("%zu records of %d killed processes\n", records, kProcesses);
}

TYPED_TEST(RingKill, what_it_overwrote_is_counted_to_the_record) {
  std::mt19937 random(std::random_device{}());
  size_t records = 0;
  for (int i = 0; i < kProcesses; ++i) {
    Load load{kSmallOverwrite, 3 * kThreads, i % 2 == 0};
    if (load.pinned) load.threads = cpus();
    const unsigned sleeps[] = {0, 100, 5000};  // the last outlives most of them
    records += this->kill_after(std::chrono::microseconds(random() % 4000), load, sleeps[i % 3]);
    if (this->HasFailure()) FAIL() << "process " << i;
  }
  EXPECT_GT(this->overwritten_, 0U);
  std::printf("%zu records of %d killed processes, and %llu were overwritten\n", records, kProcesses,
              static_cast<unsigned long long>(this->overwritten_));
}

}  // namespace
}  // namespace blkin::test
