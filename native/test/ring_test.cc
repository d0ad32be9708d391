// native/test/ring_test.cc: what one writer and one reader of a ring may count on, at each edge of its geometry.
// Every test runs for both writers. In learning order: a record, a sub-buffer's end, a full ring, counting.
#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <optional>

#include "ring_fixture.hpp"

namespace {
bool g_fallocate_is_interrupted = false;
}

// As tmpfs had it before Linux 6.13: any pending signal ends it with EINTR. Stands in for libc's.
extern "C" int posix_fallocate(int fd, off_t from, off_t bytes) {
  sigset_t blocked;
  pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  if (g_fallocate_is_interrupted && sigismember(&blocked, SIGPROF) == 0) return EINTR;
  return fallocate(fd, 0, from, bytes) == 0 ? 0 : errno;
}

namespace blkin::test {
namespace {

using ring::Result;

template <typename Writer>
class Ring : public testing::Test {
 protected:
  void SetUp() override {
    if (!Writer::available()) GTEST_SKIP() << "no rseq here";
  }

  // Payload: `length` bytes that count up from the record's number.
  Result write(MemoryRing& ring, uint32_t length, uint16_t id = 7) {
    std::vector<uint64_t> words(length / 8 + 2);
    auto* bytes = reinterpret_cast<uint8_t*>(words.data());
    for (uint32_t i = 0; i < length; ++i) bytes[i] = static_cast<uint8_t>(id + i);
    if (!writer_ || ring.get() != written_) writer_.emplace(written_ = ring.get());
    return writer_->write({id, length, words.data(), 0});
  }

  static bool whole(const ring::View& record) {
    for (uint32_t i = 0; i < record.length; ++i)
      if (record.payload[i] != static_cast<uint8_t>(record.id + i)) return false;
    return true;
  }

  // Reads to the end: the lengths, in order. What is not whole comes as -1.
  static std::vector<int64_t> read(MemoryRing& ring, ring::Cursor& cursor) {
    std::vector<int64_t> lengths;
    ring::View record{};
    while (cursor.next(ring::committed(ring.get()), record))
      lengths.push_back(whole(record) ? record.length : -1);
    return lengths;
  }
  static std::vector<int64_t> read(MemoryRing& ring) {
    ring::Cursor cursor(ring.get(), ring.geometry());
    cursor.seek(ring->tail.load());
    auto lengths = read(ring, cursor);
    EXPECT_EQ(cursor.damaged(), 0U);
    EXPECT_EQ(cursor.position(), ring->head.load());
    return lengths;
  }

 private:
  ring::Header* written_ = nullptr;
  std::optional<Writer> writer_;
};
TYPED_TEST_SUITE(Ring, Writers, WriterNames);

TYPED_TEST(Ring, gives_back_id_length_and_every_byte_of_a_record) {
  MemoryRing ring(kSmall);
  uint16_t id = 60'000;
  for (const uint32_t length : {0U, 1U, 7U, 8U, 9U, 15U, 16U, 17U, 63U, 64U, 1000U, ring::kPayloadMax}) {
    ring.start_at(ring->head.load());
    ASSERT_EQ(this->write(ring, length, ++id), Result::kWritten);
    ring::Cursor cursor(ring.get(), ring.geometry());
    cursor.seek(ring->tail.load());
    ring::View record{};
    ASSERT_TRUE(cursor.next(ring::committed(ring.get()), record));
    EXPECT_EQ(record.id, id);
    EXPECT_EQ(record.length, length);
    EXPECT_TRUE(this->whole(record)) << length << " bytes";
    EXPECT_FALSE(cursor.next(ring::committed(ring.get()), record));
  }
}

TYPED_TEST(Ring, tells_the_time_of_each_record_and_it_never_goes_back) {
  MemoryRing ring({ring::kSubBufferMin, 8 * ring::kSubBufferMin});
  const uint64_t before = clock::read_tsc();
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(this->write(ring, 8), Result::kWritten);
  const uint64_t after = clock::read_tsc();
  ring::Cursor cursor(ring.get(), ring.geometry());
  ring::View record{};
  uint64_t last = before;
  while (cursor.next(ring::committed(ring.get()), record)) {
    ASSERT_GE(record.ticks, last);
    last = record.ticks;
  }
  EXPECT_LE(last, after);
}

TYPED_TEST(Ring, a_record_that_fills_a_sub_buffer_to_its_last_byte_needs_no_pad) {
  for (const uint64_t left : {16U, 24U, 32U, 256U, 4000U}) {
    MemoryRing ring(kSmall);
    ring.start_at(ring::kSubBufferMin - left);
    ASSERT_EQ(this->write(ring, static_cast<uint32_t>(left - ring::kRecordHeader)), Result::kWritten);
    EXPECT_EQ(ring->head.load(), ring::kSubBufferMin);
    EXPECT_EQ(this->read(ring).size(), 1U) << left << " bytes were left";
  }
}

TYPED_TEST(Ring, a_record_too_long_for_the_rest_of_a_sub_buffer_stands_behind_a_pad) {
  for (const uint64_t left : {8U, 16U, 24U, 32U, 256U, 3992U}) {
    MemoryRing ring(kSmall);
    ring.start_at(ring::kSubBufferMin - left);
    const auto length = static_cast<uint32_t>(left < 16 ? 0 : left - ring::kRecordHeader + 1);
    ASSERT_EQ(this->write(ring, length), Result::kWritten);
    const auto pad = *reinterpret_cast<const uint64_t*>(ring->data() + ring::kSubBufferMin - left);
    EXPECT_EQ(pad, ring::record_word(static_cast<uint32_t>(left), 0, ring::kPad))
        << left << " bytes were left";
    EXPECT_EQ(ring->head.load(), ring::kSubBufferMin + ring::kRecordHeader + ring::align8(length));
    EXPECT_EQ(this->read(ring), std::vector<int64_t>{length});
  }
}

TYPED_TEST(Ring, a_pad_in_the_last_sub_buffer_leads_to_the_first) {
  MemoryRing ring(kSmall);
  ring.start_at(2 * ring::kSubBufferMin - 8);
  ASSERT_EQ(this->write(ring, 100), Result::kWritten);
  EXPECT_EQ(*reinterpret_cast<const uint32_t*>(ring->data()), 100U) << "at the first byte of the data";
  EXPECT_EQ(this->read(ring), std::vector<int64_t>{100});
}

TYPED_TEST(Ring, wraps_again_and_again_on_the_smallest_geometry) {
  for (const ring::Geometry geometry :
       {kSmallest, kSmall, ring::Geometry{2 * ring::kSubBufferMin, 8 * ring::kSubBufferMin}}) {
    MemoryRing ring(geometry);
    ring::Cursor cursor(ring.get(), geometry);
    std::mt19937 random(1);
    std::vector<int64_t> wrote, got;
    while (ring->head.load() < 40 * geometry.capacity) {
      const uint32_t length = random() % 4 == 0 ? random() % (ring::kPayloadMax + 1) : random() % 100;
      if (this->write(ring, length, static_cast<uint16_t>(random())) == Result::kWritten) {
        wrote.push_back(length);
        if (random() % 3 != 0) continue;
      }
      for (const int64_t one : this->read(ring, cursor)) got.push_back(one);
      ring::release(ring.get(), cursor.position());
    }
    for (const int64_t one : this->read(ring, cursor)) got.push_back(one);
    EXPECT_EQ(cursor.damaged(), 0U);
    EXPECT_TRUE(wrote == got) << wrote.size() << " written, " << got.size() << " read";
  }
}

TYPED_TEST(Ring, takes_records_to_its_last_byte_and_then_refuses) {
  for (const ring::Geometry geometry : {kSmallest, kSmall}) {
    MemoryRing ring(geometry);
    for (uint64_t i = 0; i < geometry.capacity / 64; ++i)
      ASSERT_EQ(this->write(ring, 48), Result::kWritten) << i;
    EXPECT_EQ(ring->head.load() - ring->tail.load(), geometry.capacity);
    EXPECT_EQ(this->write(ring, 0), Result::kNoRoom);
    EXPECT_EQ(this->write(ring, 48), Result::kNoRoom);
    EXPECT_EQ(ring->lost_no_room.load(), 2U);
    EXPECT_EQ(ring->head.load(), geometry.capacity);
    EXPECT_EQ(this->read(ring), std::vector<int64_t>(geometry.capacity / 64, 48)) << "the oldest are kept";
  }
}

TYPED_TEST(Ring, takes_after_a_release_exactly_what_was_released) {
  MemoryRing ring(kSmall);
  for (uint64_t i = 0; i < kSmall.capacity / 64; ++i) ASSERT_EQ(this->write(ring, 48), Result::kWritten);
  ring::release(ring.get(), 56);
  EXPECT_EQ(this->write(ring, 48), Result::kNoRoom) << "8 bytes short";
  ring::release(ring.get(), 64);
  EXPECT_EQ(this->write(ring, 48), Result::kWritten);
  EXPECT_EQ(this->write(ring, 0), Result::kNoRoom);
  EXPECT_EQ(this->read(ring).size(), kSmall.capacity / 64);
}

TYPED_TEST(Ring, refuses_where_not_even_the_pad_has_room) {
  MemoryRing ring(kSmallest);
  ring->tail.store(64);
  ring->head.store(64 + kSmallest.capacity - 32);  // 32 bytes to write, which lie in the next lap's first 64
  EXPECT_EQ(this->write(ring, 40), Result::kNoRoom);
  EXPECT_EQ(ring->head.load(), 64 + kSmallest.capacity - 32);
}

TYPED_TEST(Ring, a_pad_may_be_all_that_still_fits) {
  MemoryRing ring(kSmall);
  ring->head.store(kSmall.capacity - 32);
  ring->tail.store(0);
  EXPECT_EQ(this->write(ring, 100), Result::kNoRoom);
  EXPECT_EQ(ring->head.load(), kSmall.capacity) << "the pad stands";
  EXPECT_EQ(ring->lost_no_room.load(), 1U) << "and is counted by nobody";
  EXPECT_EQ(this->write(ring, 100), Result::kNoRoom);
  EXPECT_EQ(ring->head.load(), kSmall.capacity) << "once";
  ring::Cursor cursor(ring.get(), kSmall);
  cursor.seek(kSmall.capacity - 32);
  EXPECT_TRUE(this->read(ring, cursor).empty());
  EXPECT_EQ(cursor.damaged(), 0U);
  ring::release(ring.get(), kSmall.capacity);
  EXPECT_EQ(this->write(ring, 100), Result::kWritten);
}

TYPED_TEST(Ring, counts_what_can_never_fit_apart_from_what_finds_no_room) {
  MemoryRing ring(kSmallest);
  EXPECT_EQ(this->write(ring, ring::kPayloadMax + 1), Result::kTooBig);
  EXPECT_EQ(ring->head.load(), 0U);
  EXPECT_EQ(this->write(ring, ring::kPayloadMax), Result::kWritten);
  EXPECT_EQ(this->write(ring, ring::kPayloadMax), Result::kWritten);
  EXPECT_EQ(this->write(ring, ring::kPayloadMax), Result::kNoRoom);
  EXPECT_EQ(this->write(ring, 1 << 20), Result::kTooBig) << "also while full";
  EXPECT_EQ(ring->lost_too_big.load(), 2U);
  EXPECT_EQ(ring->lost_no_room.load(), 1U);
  EXPECT_EQ(ring::lost(ring.get()), 3U);
}

TYPED_TEST(Ring, positions_cross_32_bits) {
  for (const uint64_t laps : {1ULL << 32, 1ULL << 33, 1ULL << 62}) {
    MemoryRing ring(kSmall);
    ring.start_at(laps - 3 * ring::kSubBufferMin / 2);
    ring::Cursor cursor(ring.get(), kSmall);
    cursor.seek(ring->tail.load());
    size_t wrote = 0, got = 0;
    while (ring->head.load() < laps + 2 * kSmall.capacity) {
      if (this->write(ring, 200, static_cast<uint16_t>(wrote)) == Result::kWritten) {
        ++wrote;
        continue;
      }
      for (const int64_t length : this->read(ring, cursor)) got += length == 200 ? 1 : 0;
      ring::release(ring.get(), cursor.position());
    }
    for (const int64_t length : this->read(ring, cursor)) got += length == 200 ? 1 : 0;
    EXPECT_GT(wrote, kSmall.capacity / 216);
    EXPECT_EQ(got, wrote);
    EXPECT_EQ(cursor.damaged(), 0U);
  }
}

TYPED_TEST(Ring, written_and_lost_add_up_to_attempted) {
  MemoryRing ring(kSmall);
  ring::Cursor cursor(ring.get(), kSmall);
  std::mt19937 random(2);
  uint64_t written = 0, read = 0;
  constexpr uint64_t kAttempts = 20'000;
  for (uint64_t i = 0; i < kAttempts; ++i) {
    written += this->write(ring, random() % 4200) == Result::kWritten ? 1 : 0;  // some are too big
    if (random() % 8 != 0) continue;
    read += this->read(ring, cursor).size();
    ring::release(ring.get(), cursor.position());
  }
  read += this->read(ring, cursor).size();
  EXPECT_EQ(written + ring::lost(ring.get()), kAttempts);
  EXPECT_EQ(read, written);
  EXPECT_GT(ring->lost_no_room.load(), 0U);
  EXPECT_GT(ring->lost_too_big.load(), 0U);
}

TYPED_TEST(Ring, a_reader_stops_at_the_head_it_was_given) {
  MemoryRing ring(kSmall);
  ASSERT_EQ(this->write(ring, 8), Result::kWritten);
  const uint64_t limit = ring::committed(ring.get());
  ASSERT_EQ(this->write(ring, 8), Result::kWritten);
  ring::Cursor cursor(ring.get(), kSmall);
  ring::View record{};
  EXPECT_TRUE(cursor.next(limit, record));
  EXPECT_FALSE(cursor.next(limit, record));
  EXPECT_EQ(cursor.position(), limit);
  EXPECT_TRUE(cursor.next(ring::committed(ring.get()), record));
}

#if BLKIN_HAVE_RSEQ
TEST(RingOnCpu, asks_for_a_ring_where_the_cpu_has_none) {
  if (!OnCpu::available()) GTEST_SKIP() << "no rseq here";
  const uint64_t word = 0;
  EXPECT_EQ(OnCpu(static_cast<ring::Header*>(nullptr)).write({1, 8, &word, 0}), Result::kNoRing);
}

TEST(RingOnCpu, keeps_the_callers_time_where_the_clock_is_not_the_tsc) {
  if (!OnCpu::available()) GTEST_SKIP() << "no rseq here";
  MemoryRing ring(kSmall);
  OnCpu writer(ring.get());
  const uint64_t words[2] = {11, 12};
  ring::RseqArea* area = ring::rseq_area(ring::find_rseq_offset());
  ASSERT_EQ(ring::write_on_cpu<false>(area, writer.rings->data(), {3, 16, words, 0x123456789ABCDEF0}),
            Result::kWritten);
  ring::Cursor cursor(ring.get(), kSmall);
  ring::View record{};
  ASSERT_TRUE(cursor.next(ring::committed(ring.get()), record));
  EXPECT_EQ(record.ticks, 0x123456789ABCDEF0U);
  EXPECT_EQ(std::memcmp(record.payload, words, 16), 0);
}
#endif

TEST(RingFile, a_profilers_signals_do_not_cost_a_ring) {
  // Seen as "no ring: Interrupted system call" under SIGPROF, before Linux 6.13.
  g_fallocate_is_interrupted = true;
  const ring::Created made = ring::create(-1, "", 0, kSmall);
  g_fallocate_is_interrupted = false;
  ASSERT_NE(made.ring, nullptr) << strerror(made.error);
  munmap(made.ring, ring::kHeaderBytes + kSmall.capacity);
  sigset_t blocked;
  pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  EXPECT_EQ(sigismember(&blocked, SIGPROF), 0) << "the caller's mask is as it was";
}

TEST(RingFile, a_limit_on_the_size_of_files_kills_nobody) {
  const pid_t child = fork();
  if (child == 0) {
    const rlimit small{4096, 4096};
    setrlimit(RLIMIT_FSIZE, &small);
    signal(SIGXFSZ, SIG_DFL);  // Node ignores it; not all that load an addon do
    const ring::Created made = ring::create(-1, "", 0, kSmall);
    _exit(made.ring == nullptr && made.error == EFBIG ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "ended by a signal: " << WTERMSIG(status);
}

}  // namespace
}  // namespace blkin::test
