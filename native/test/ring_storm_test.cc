// native/test/ring_storm_test.cc: more writers than cores, moved and interrupted without end, while a reader drains.
// Each writer numbers what was written, and every payload proves itself (Pattern), so that one lost, doubled, torn
// or late record is seen.
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <ctime>
#include <functional>
#include <thread>

#include "ring_fixture.hpp"

// Where a sequence goes on once the kernel has broken it off (rseq.hpp). A handler that finds this address in its
// context has interrupted a sequence.
// NOLINTBEGIN(bugprone-reserved-identifier): the linker gives these names.
extern "C" const char __start___rseq_failure[] __attribute__((weak, visibility("hidden")));
extern "C" const char __stop___rseq_failure[] __attribute__((weak, visibility("hidden")));
// NOLINTEND(bugprone-reserved-identifier)

namespace blkin::test {
namespace {

using ring::Result;

// What one thread writes, and what its signal handler writes on top of it.
struct Source {
  uint64_t id = 0;
  uint64_t written = 0;
  uint64_t refused = 0;
  Pattern pattern{};

  template <typename Writer>
  bool write(const Writer& writer) noexcept {
    pattern.make(id, written);
    const bool done = writer.write(pattern.record()) == Result::kWritten;
    done ? ++written : ++refused;
    return done;
  }
};

struct Interrupted {
  Source source;
  std::function<void(Source&)> write;  // empty where a handler may not
  uint64_t signals = 0;
  uint64_t aborts = 0;
};
thread_local Interrupted* t_interrupted = nullptr;

void on_signal(int, siginfo_t*, void* context) {
  Interrupted* here = t_interrupted;
  if (here == nullptr) return;
  const int error = errno;
  ++here->signals;
  const auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  const auto at = static_cast<uintptr_t>(registers.gregs[REG_RIP]);
#else
  const auto at = static_cast<uintptr_t>(registers.pc);
#endif
  if (at >= reinterpret_cast<uintptr_t>(__start___rseq_failure) &&
      at < reinterpret_cast<uintptr_t>(__stop___rseq_failure))
    ++here->aborts;
  if (here->write) here->write(here->source);
  errno = error;
}

// Sends SIGALRM to the calling thread every `microseconds`.
class Alarm {
 public:
  explicit Alarm(long microseconds) {
    struct sigaction action {};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigaction(SIGALRM, &action, nullptr);
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGALRM;
    event._sigev_un._tid = static_cast<pid_t>(syscall(SYS_gettid));
    if (timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0) std::abort();
    const itimerspec often{{0, microseconds * 1000}, {0, microseconds * 1000}};
    timer_settime(timer_, 0, &often, nullptr);
  }
  ~Alarm() {
    timer_delete(timer_);
    sigset_t set;  // one may be pending still
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    const timespec now{};
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    while (sigtimedwait(&set, nullptr, &now) > 0) {
    }
  }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

 private:
  timer_t timer_{};
};

struct Storm {
  ring::Geometry geometry = kSmall;
  size_t threads = std::max(8U, 4 * cpus());
  uint64_t attempts = 300'000 / kSlower;  // by each thread
  bool moved = false;                     // another thread changes the writers' affinity all the time
  long signal_every_us = 0;               // 0: no signals
  unsigned reader_sleeps_us = 0;          // between two looks
};

struct Outcome {
  uint64_t attempted = 0, written = 0, read = 0, refused = 0, signals = 0, aborts = 0, moves = 0, nested = 0;
};

template <typename Writer>
Outcome rage(const Storm& storm) {
  std::vector<std::unique_ptr<MemoryRing>> rings;
  std::vector<ring::Header*> headers;
  Audit audit;
  for (size_t i = 0; i < Writer::rings_for(storm.threads); ++i) {
    rings.push_back(std::make_unique<MemoryRing>(storm.geometry, static_cast<uint32_t>(i)));
    headers.push_back(rings.back()->get());
    audit.watch(headers.back(), storm.geometry);
  }

  std::vector<Source> sources(storm.threads);
  std::vector<Interrupted> interrupted(storm.threads);
  std::vector<std::atomic<pid_t>> tids(storm.threads);
  std::atomic<size_t> running{storm.threads};
  const Writer shared(headers, 0);
  std::vector<std::thread> writers;
  for (size_t i = 0; i < storm.threads; ++i) {
    sources[i].id = i;
    interrupted[i].source.id = storm.threads + i;
    writers.emplace_back([&, i] {
      Writer writer = shared;
      if constexpr (!Writer::kMayNest) writer = Writer(headers, i);
      if (Writer::kMayNest) interrupted[i].write = [&writer](Source& source) { source.write(writer); };
      t_interrupted = &interrupted[i];
      tids[i] = static_cast<pid_t>(syscall(SYS_gettid));
      std::unique_ptr<Alarm> alarm;
      if (storm.signal_every_us > 0) alarm = std::make_unique<Alarm>(storm.signal_every_us);
      const bool must_abort = storm.signal_every_us > 0 && Writer::kMayNest;
      for (uint64_t n = 0;
           n < storm.attempts || (must_abort && interrupted[i].aborts == 0 && n < 50 * storm.attempts); ++n)
        if (!sources[i].write(writer)) sched_yield();
      alarm.reset();
      tids[i] = 0;
      t_interrupted = nullptr;
      --running;
    });
  }

  Outcome outcome;
  std::thread mover([&] {
    std::mt19937 random(3);
    while (storm.moved && running > 0) {
      const pid_t tid = tids[random() % storm.threads];
      if (tid == 0) continue;
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(random() % cpus(), &one);
      if (sched_setaffinity(tid, sizeof one, &one) == 0) ++outcome.moves;
      usleep(random() % 60);
    }
  });
  while (running > 0) {
    if (audit.drain() == 0) sched_yield();
    if (storm.reader_sleeps_us > 0) usleep(storm.reader_sleeps_us);
  }
  for (auto& writer : writers) writer.join();
  mover.join();
  audit.drain();

  EXPECT_ALL_WHOLE(audit);
  const bool overwrites = storm.geometry.mode == ring::Mode::kOverwrite;
  const auto account = [&](const Source& source) {
    outcome.written += source.written;
    outcome.refused += source.refused;
    std::vector<bool>& seen = audit.seen[source.id];
    outcome.read += static_cast<uint64_t>(std::count(seen.begin(), seen.end(), true));
    if (overwrites) return;
    EXPECT_EQ(seen.size(), source.written) << "source " << source.id;
    EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [](bool one) { return one; }))
        << "source " << source.id;
  };
  for (size_t i = 0; i < storm.threads; ++i) {
    account(sources[i]);
    account(interrupted[i].source);
    outcome.signals += interrupted[i].signals;
    outcome.aborts += interrupted[i].aborts;
    outcome.nested += interrupted[i].source.written;
  }
  EXPECT_EQ(audit.lost(), outcome.refused) << "what a ring counts as lost is what writers were refused";
  if (overwrites) {
    EXPECT_EQ(outcome.read + audit.overwritten(), outcome.written) << "written is read, or counted";
    EXPECT_EQ(outcome.refused, 0U);
  }
  return outcome;
}

template <typename Writer>
class RingStorm : public testing::Test {
 protected:
  void SetUp() override {
    if (!Writer::available()) GTEST_SKIP() << "no rseq here";
  }
};
TYPED_TEST_SUITE(RingStorm, Writers, WriterNames);

TYPED_TEST(RingStorm, more_threads_than_cores_lose_double_and_tear_nothing) {
  const Outcome outcome = rage<TypeParam>({});
  EXPECT_GT(outcome.written, 0U);
}

TYPED_TEST(RingStorm, nor_in_the_smallest_ring_where_most_is_refused) {
  const Outcome outcome = rage<TypeParam>({.geometry = kSmallest});
  EXPECT_GT(outcome.refused, 0U);
}

TYPED_TEST(RingStorm, threads_moved_from_cpu_to_cpu_lose_double_and_tear_nothing) {
  if (cpus() < 2) GTEST_SKIP() << "one CPU: nowhere to move to";
  const Outcome outcome =
      rage<TypeParam>({.geometry = {ring::kSubBufferMin, 8 * ring::kSubBufferMin}, .moved = true});
  EXPECT_GT(outcome.moves, 0U);
}

TYPED_TEST(RingStorm, signals_whose_handlers_write_too_lose_double_and_tear_nothing) {
  const Outcome outcome = rage<TypeParam>({.geometry = {ring::kSubBufferMin, 32 * ring::kSubBufferMin},
                                           .threads = cpus() + 1,
                                           .moved = cpus() > 1,
                                           .signal_every_us = 50 * kSlower});
  EXPECT_GT(outcome.signals, 0U);
  if (TypeParam::kMayNest) {
    EXPECT_GT(outcome.aborts, 0U) << "sequences were broken off, in " << outcome.signals << " signals";
    EXPECT_GT(outcome.nested, 0U);
  }
  std::printf(
      "%llu written, %llu of them by handlers; %llu signals broke off %llu sequences; %llu moves\n",
      static_cast<unsigned long long>(outcome.written), static_cast<unsigned long long>(outcome.nested),
      static_cast<unsigned long long>(outcome.signals), static_cast<unsigned long long>(outcome.aborts),
      static_cast<unsigned long long>(outcome.moves));
}

TYPED_TEST(RingStorm, what_is_overwritten_is_counted_to_the_record_however_fast_the_reader) {
  for (const unsigned sleeps : {0U, 50U, 3000U}) {
    const Outcome outcome = rage<TypeParam>({.geometry = kSmallOverwrite, .reader_sleeps_us = sleeps});
    std::printf("reader sleeps %u us: %llu written, %llu read\n", sleeps,
                static_cast<unsigned long long>(outcome.written),
                static_cast<unsigned long long>(outcome.read));
    EXPECT_GT(outcome.read, 0U);
    EXPECT_LT(outcome.read, outcome.written) << "some were overwritten";
    if (this->HasFailure()) FAIL() << "reader sleeps " << sleeps;
  }
}

TYPED_TEST(RingStorm, nor_do_moves_and_signals_change_what_an_overwriting_ring_counts) {
  const Outcome outcome = rage<TypeParam>({.geometry = kSmallOverwrite,
                                           .threads = cpus() + 2,
                                           .moved = cpus() > 1,
                                           .signal_every_us = 50 * kSlower,
                                           .reader_sleeps_us = 20});
  EXPECT_GT(outcome.signals, 0U);
  EXPECT_LT(outcome.read, outcome.written);
}

#if BLKIN_HAVE_RSEQ
// One thread on one CPU: nobody else moves head, so a `false` can only be the kernel's doing. 512 KiB take longer
// than the time between two signals, so most attempts are broken off.
TEST(RseqSequence, broken_off_leaves_head_where_it_was) {
  const ptrdiff_t offset = ring::find_rseq_offset();
  if (offset == 0) GTEST_SKIP() << "no rseq here";
  cpu_set_t before, one;
  sched_getaffinity(0, sizeof before, &before);
  const auto cpu = static_cast<uint32_t>(sched_getcpu());
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);

  const ring::Geometry geometry{1 << 20, 1 << 20};
  MemoryRing ring(geometry);
  std::vector<uint64_t> words(64 << 10, 0x5555555555555555);
  Interrupted interrupted;
  t_interrupted = &interrupted;
  uint64_t broken = 0, whole = 0;
  {
    const Alarm alarm(30);
    for (int i = 0; i < 20'000 && (broken < 200 || whole == 0); ++i) {
      const uint64_t head = ring->head.load();
      const uint64_t count = i % 4 == 0 ? 8 : words.size();  // some short enough to be let through
      const uint64_t size = ring::kRecordHeader + 8 * count;
      const bool done =
          ring::rseq_write<true>(ring::rseq_area(offset), cpu, ring.get(), head, head + size,
                                 reinterpret_cast<uint64_t*>(ring->data()), 1, 0, words.data(), count);
      ASSERT_EQ(ring->head.load(), done ? head + size : head);
      done ? ++whole : ++broken;
    }
  }
  t_interrupted = nullptr;
  sched_setaffinity(0, sizeof before, &before);
  EXPECT_GT(broken, 0U);
  EXPECT_GT(whole, 0U);
  EXPECT_GT(interrupted.aborts, 0U) << "the handler saw the kernel's hand too";
}

TEST(RseqSequence, refuses_on_another_cpu_and_where_head_moved) {
  const ptrdiff_t offset = ring::find_rseq_offset();
  if (offset == 0) GTEST_SKIP() << "no rseq here";
  MemoryRing ring(kSmall);
  const uint64_t word = 1;
  auto* at = reinterpret_cast<uint64_t*>(ring->data());
  ring::RseqArea* area = ring::rseq_area(offset);
  EXPECT_FALSE(ring::rseq_write<true>(area, 5000, ring.get(), 0, 24, at, 1, 0, &word, 1));
  EXPECT_FALSE(ring::rseq_pad(area, 5000, ring.get(), 0, 8, at, 1));
  for (int i = 0; i < 1000; ++i) {
    const uint32_t cpu = area->cpu_id;
    EXPECT_FALSE(ring::rseq_write<true>(area, cpu, ring.get(), 8, 32, at, 1, 0, &word, 1));
    EXPECT_FALSE(ring::rseq_write<false>(area, cpu, ring.get(), 8, 32, at, 1, 0, &word, 1));
    EXPECT_FALSE(ring::rseq_pad(area, cpu, ring.get(), 8, 16, at, 1));
  }
  EXPECT_EQ(ring->head.load(), 0U);
  EXPECT_EQ(*at, 0U) << "nothing was stored either";
}
#endif

}  // namespace
}  // namespace blkin::test
