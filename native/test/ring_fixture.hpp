// native/test/ring_fixture.hpp: rings to test on, the two writers behind one face, and payloads that prove themselves.
//
// What ThreadSanitizer sees of the two writers. The lease path is C++: its stores of payload and head, and the
// reader's loads, are all instrumented, so a missing release or acquire is reported. The rseq path writes from inline
// assembly, which no sanitizer instruments: TSan sees neither the stores nor the edge, reports nothing there, and
// proves nothing there. Nor could a shadow store be added beside it: it would stand outside the sequence. So the
// rseq path is proved by what arrives (this folder) and by the model (native/model); TSan still checks the reader,
// the publication of a new ring and the loss counters, which both paths share.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "clock/clock.hpp"
#include "ring/file.hpp"
#include "ring/read.hpp"
#include "ring/write.hpp"

namespace blkin::test {

// How much less is done in the same time: by emulated code, as its launcher says; and by sanitized code.
inline const int kEmulated = [] {
  const char* given = std::getenv("BLKIN_TEST_SLOWER");
  return given == nullptr ? 1 : std::max(1, std::atoi(given));
}();
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline const int kSlower = 5 * kEmulated;
#else
inline const int kSlower = kEmulated;
#endif

constexpr ring::Geometry kSmallest{ring::kSubBufferMin, ring::kSubBufferMin};
constexpr ring::Geometry kSmall{ring::kSubBufferMin, 2 * ring::kSubBufferMin};
constexpr ring::Geometry kSmallOverwrite{ring::kSubBufferMin, 2 * ring::kSubBufferMin,
                                         ring::Mode::kOverwrite};

class MemoryRing {
 public:
  explicit MemoryRing(ring::Geometry geometry, uint32_t stream = 0) : geometry_(geometry) {
    const ring::Created made = ring::create(-1, "", stream, geometry);
    if (made.ring == nullptr) throw std::runtime_error(strerror(made.error));
    ring_ = made.ring;
  }
  ~MemoryRing() { munmap(ring_, ring::kHeaderBytes + geometry_.capacity); }
  MemoryRing(const MemoryRing&) = delete;
  MemoryRing& operator=(const MemoryRing&) = delete;

  ring::Header* operator->() { return ring_; }
  ring::Header* get() { return ring_; }
  ring::Geometry geometry() const { return geometry_; }

  // As if this many bytes had been written and released.
  void start_at(uint64_t position) {
    ring_->head.store(position);
    ring_->tail.store(position);
  }

 private:
  ring::Geometry geometry_;
  ring::Header* ring_ = nullptr;
};

inline unsigned cpus() { return static_cast<unsigned>(sysconf(_SC_NPROCESSORS_CONF)); }

// The thread on whichever CPU it is, by rseq.
struct OnCpu {
  static constexpr const char* kName = "rseq";
  static constexpr bool kMayNest = true;  // a handler that interrupts a write makes it start again
  inline static const ptrdiff_t kOffset =
      ring::find_rseq_offset();  // once: dlsym() locks, and handlers write too
  static bool available() { return kOffset != 0; }
  static size_t rings_for(size_t /*threads*/) { return cpus(); }

  // One ring for all CPUs: only while one thread writes. Otherwise one for each.
  explicit OnCpu(ring::Header* only) : rings(std::make_shared<Table>()) {
    for (auto& ring : *rings) ring.store(only);
  }
  OnCpu(const std::vector<ring::Header*>& all, size_t /*thread*/) : rings(std::make_shared<Table>()) {
    for (size_t cpu = 0; cpu < all.size(); ++cpu) (*rings)[cpu].store(all[cpu]);
  }

  ring::Result write(const ring::Record& record) const {
#if BLKIN_HAVE_RSEQ
    return ring::write_on_cpu<true>(ring::rseq_area(kOffset), rings->data(), record);
#else
    return ring::Result::kNoRing;
#endif
  }

  using Table = std::array<std::atomic<ring::Header*>, ring::kCpuMax>;
  std::shared_ptr<Table> rings;
};

// The same as one of several rings that an event goes to at one time.
struct AtOneTime : OnCpu {
  static constexpr const char* kName = "at_one_time";
  using OnCpu::OnCpu;

  ring::Result write(ring::Record record) const {
#if BLKIN_HAVE_RSEQ
    ring::RseqArea* const area = ring::rseq_area(kOffset);
    const ring::Seen seen = ring::look(area, rings->data());
    record.ticks = ring::read_counter();
    if (seen.ring != nullptr && ring::write_unchanged(area, seen, record)) return ring::Result::kWritten;
#endif
    return OnCpu::write(record);
  }
};

// The thread in a ring of its own.
struct Leased {
  static constexpr const char* kName = "lease";
  static constexpr bool kMayNest = false;  // a handler would be a second writer
  static bool available() { return true; }
  static size_t rings_for(size_t threads) { return threads; }

  explicit Leased(ring::Header* only) : ring(only) {}
  Leased(const std::vector<ring::Header*>& all, size_t thread) : ring(all[thread]) {}

  ring::Result write(ring::Record record) const {
    record.ticks = clock::read_tsc();
    return ring::write_leased(ring, record);
  }

  ring::Header* ring;
};

using Writers = testing::Types<OnCpu, AtOneTime, Leased>;
struct WriterNames {
  template <typename Writer>
  static std::string GetName(int) {
    return Writer::kName;
  }
};

// A payload that follows from who wrote it and as which of his records: length and every byte. So a reader can tell
// a torn, mixed or stale record from a whole one.
class Pattern {
 public:
  static constexpr uint32_t kLeast = 16;

  explicit Pattern(uint32_t longest = 600) : longest_(longest) {}

  const uint64_t* make(uint64_t source, uint64_t sequence) noexcept {
    words_[0] = source;
    words_[1] = sequence;
    uint64_t x = (source + 1) * 0x9E3779B97F4A7C15 ^ (sequence + 1) * 0xBF58476D1CE4E5B9;
    x ^= x >> 29;
    length_ = kLeast + static_cast<uint32_t>(x % (longest_ - kLeast + 1));
    for (size_t i = 2; i < (length_ + 7) / 8; ++i) {
      x = x * 6364136223846793005 + 1442695040888963407;
      words_[i] = x;
    }
    return words_;
  }
  uint32_t length() const noexcept { return length_; }

  // False: not a record that make() made.
  bool matches(const ring::View& record) noexcept {
    if (record.length < kLeast) return false;
    uint64_t head[2];
    std::memcpy(head, record.payload, sizeof head);
    make(head[0], head[1]);
    return record.length == length_ && record.id == static_cast<uint16_t>(head[0]) &&
           std::memcmp(words_, record.payload, length_) == 0;
  }
  uint64_t source() const noexcept { return words_[0]; }
  uint64_t sequence() const noexcept { return words_[1]; }

  ring::Record record() const noexcept { return {static_cast<uint16_t>(words_[0]), length_, words_, 0}; }

 private:
  uint32_t longest_;
  uint32_t length_ = 0;
  alignas(8) uint64_t words_[(ring::kPayloadMax + 7) / 8]{};
};

// Reads rings of patterns and keeps account of what came.
class Audit {
 public:
  explicit Audit(uint32_t longest = 600) : pattern_(longest) {}

  void watch(ring::Header* ring, ring::Geometry geometry) {
    rings_.push_back({ring, ring::Cursor(ring, geometry), 0, 0, {}});
    rings_.back().cursor.seek(ring->tail.load());
  }

  // Returns how many records it took. They are given back to the writer one by one or all at once.
  size_t drain() {
    size_t taken = 0;
    for (Watched& one : rings_) {
      const uint64_t limit = ring::committed(one.ring);
      ring::View record{};
      while (one.cursor.next(limit, record)) {
        ++taken;
        ++one.taken;
        examine(one, record);
        if (taken % 16 == 0) ring::release(one.ring, one.cursor.position());
      }
      ring::release(one.ring, one.cursor.position());
    }
    return taken;
  }

  uint64_t lost() const {
    uint64_t sum = 0;
    for (const Watched& one : rings_) sum += ring::lost(one.ring);
    return sum;
  }
  uint64_t damaged() const {
    uint64_t sum = 0;
    for (const Watched& one : rings_) sum += one.cursor.damaged();
    return sum;
  }
  // Overwrite mode: the records of each ring up to where it was read, and those of them that were lapped.
  uint64_t passed(uint64_t stream) const {
    for (const Watched& one : rings_)
      if (one.ring->stream == stream) return one.cursor.passed();
    return 0;
  }
  uint64_t overwritten() const {
    uint64_t sum = 0;
    for (const Watched& one : rings_) sum += one.cursor.passed() - one.taken;
    return sum;
  }

  uint64_t torn = 0;
  uint64_t out_of_order = 0;  // a source's record before an earlier one of his, in one ring
  uint64_t times_went_back = 0;
  uint64_t twice = 0;
  std::map<uint64_t, std::vector<bool>> seen;  // by source: its sequence numbers

 private:
  struct Watched {
    ring::Header* ring;
    ring::Cursor cursor;
    uint64_t taken;
    uint64_t last_ticks;
    std::map<uint64_t, uint64_t> next_sequence;
  };

  void examine(Watched& one, const ring::View& record) {
    if (record.ticks < one.last_ticks) ++times_went_back;
    one.last_ticks = record.ticks;
    if (!pattern_.matches(record)) {
      ++torn;
      return;
    }
    uint64_t& next = one.next_sequence[pattern_.source()];
    if (pattern_.sequence() < next) ++out_of_order;
    next = pattern_.sequence() + 1;
    auto& numbers = seen[pattern_.source()];
    if (numbers.size() <= pattern_.sequence()) numbers.resize(pattern_.sequence() + 1);
    if (numbers[pattern_.sequence()]) ++twice;
    numbers[pattern_.sequence()] = true;
  }

  Pattern pattern_;
  std::vector<Watched> rings_;
};

#define EXPECT_ALL_WHOLE(audit)        \
  EXPECT_EQ((audit).torn, 0U);         \
  EXPECT_EQ((audit).damaged(), 0U);    \
  EXPECT_EQ((audit).twice, 0U);        \
  EXPECT_EQ((audit).out_of_order, 0U); \
  EXPECT_EQ((audit).times_went_back, 0U)

}  // namespace blkin::test
