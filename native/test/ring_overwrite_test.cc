// native/test/ring_overwrite_test.cc: what a full ring in overwrite mode keeps, gives up and counts. Every test runs
// for both writers. In learning order: the newest stay, a reader that is lapped, counting, limits, files.
#include <atomic>
#include <csignal>
#include <thread>

#include "ring_fixture.hpp"
#include "temp_folder.hpp"

namespace blkin::test {
namespace {

using ring::Mode;
using ring::Result;

template <typename Writer>
class RingOverwrite : public testing::Test {
 protected:
  void SetUp() override {
    if (!Writer::available()) GTEST_SKIP() << "no rseq here";
  }

  // `count` records that carry their number.
  void write(MemoryRing& ring, uint64_t count, uint32_t length = 32) {
    if (!writer_) writer_ = std::make_unique<Writer>(ring.get());
    uint64_t words[(ring::kPayloadMax + 7) / 8] = {};
    for (; count > 0; --count) {
      words[0] = next_++;
      ASSERT_EQ(writer_->write({7, length, words, 0}), Result::kWritten);
    }
  }

  // The numbers of the records that come.
  static std::vector<uint64_t> read(MemoryRing& ring, ring::Cursor& cursor, uint64_t most = UINT64_MAX) {
    std::vector<uint64_t> numbers;
    ring::View record{};
    const uint64_t limit = ring::committed(ring.get());
    while (numbers.size() < most && cursor.next(limit, record)) {
      numbers.push_back(0);
      std::memcpy(&numbers.back(), record.payload, 8);
      EXPECT_EQ(cursor.passed(), numbers.back() + 1) << "a record's number is how many came before it";
    }
    return numbers;
  }

  // They follow each other up to the newest.
  void expect_newest(const std::vector<uint64_t>& numbers, const ring::Cursor& cursor) {
    ASSERT_FALSE(numbers.empty());
    EXPECT_EQ(numbers.back(), next_ - 1);
    EXPECT_EQ(numbers.front(), next_ - numbers.size());
    EXPECT_EQ(cursor.passed(), next_);
    EXPECT_EQ(cursor.damaged(), 0U);
  }

  uint64_t next_ = 0;

 private:
  std::unique_ptr<Writer> writer_;
};
TYPED_TEST_SUITE(RingOverwrite, Writers, WriterNames);

TYPED_TEST(RingOverwrite, a_ring_that_is_not_full_is_like_any_other) {
  MemoryRing ring(kSmallOverwrite);
  ring::Cursor cursor(ring.get(), ring.geometry());
  this->write(ring, 300);
  this->expect_newest(this->read(ring, cursor), cursor);
  this->write(ring, 20);
  EXPECT_EQ(this->read(ring, cursor).size(), 20U);
  EXPECT_EQ(cursor.passed(), 320U);
}

TYPED_TEST(RingOverwrite, keeps_the_newest_for_a_reader_that_comes_late) {
  for (const uint32_t length : {32U, 8U, 1000U, ring::kPayloadMax}) {
    for (const uint64_t sub_buffers : {2U, 4U, 64U}) {
      SCOPED_TRACE(std::to_string(length) + " bytes, " + std::to_string(sub_buffers) + " sub-buffers");
      MemoryRing ring({ring::kSubBufferMin, sub_buffers * ring::kSubBufferMin, Mode::kOverwrite});
      this->next_ = 0;
      TypeParam writer(ring.get());
      uint64_t words[(ring::kPayloadMax + 7) / 8] = {};
      for (; this->next_ < 25'000; words[0] = ++this->next_)
        ASSERT_EQ(writer.write({7, length, words, 0}), Result::kWritten);
      ring::Cursor cursor(ring.get(), ring.geometry());
      cursor.seek(0);
      const auto numbers = this->read(ring, cursor);
      this->expect_newest(numbers, cursor);
      const uint64_t a_sub_buffer = ring::kSubBufferMin / (ring::kRecordHeader + ring::align8(length));
      EXPECT_GT(numbers.size(), (sub_buffers - 1) * a_sub_buffer)
          << "all but what one sub-buffer holds, at least";
    }
  }
}

TYPED_TEST(RingOverwrite, a_reader_that_is_lapped_goes_on_with_the_oldest_kept_and_knows_what_it_missed) {
  MemoryRing ring(kSmallOverwrite);
  ring::Cursor cursor(ring.get(), ring.geometry());
  uint64_t taken = 0;
  std::mt19937 random(3);
  for (int round = 0; round < 3000; ++round) {
    this->write(ring, random() % 900, 8 * (1 + random() % 8));
    const auto numbers = this->read(ring, cursor, random() % 500);
    taken += numbers.size();
    if (this->HasFailure()) FAIL() << "round " << round;
  }
  const auto rest = this->read(ring, cursor);
  taken += rest.size();
  EXPECT_EQ(cursor.passed(), this->next_);
  EXPECT_LT(taken, this->next_) << "it was lapped";
}

TYPED_TEST(RingOverwrite, a_record_that_was_read_stays_whole_while_its_place_is_written_again) {
  MemoryRing ring(kSmallOverwrite);
  this->write(ring, 10);
  ring::Cursor cursor(ring.get(), ring.geometry());
  ring::View record{};
  ASSERT_TRUE(cursor.next(ring::committed(ring.get()), record));
  this->write(ring, 5000);
  uint64_t number = 1;
  std::memcpy(&number, record.payload, 8);
  EXPECT_EQ(number, 0U);
  cursor.back();
  EXPECT_EQ(cursor.passed(), 0U);
  ASSERT_TRUE(cursor.next(ring::committed(ring.get()), record)) << "whichever: it was copied, or is counted";
  std::memcpy(&number, record.payload, 8);
  EXPECT_EQ(cursor.passed(), number + 1);
}

TYPED_TEST(RingOverwrite, generations_and_positions_may_wrap_where_their_words_do) {
  for (const uint64_t start : {uint64_t{4095}, uint64_t{1} << 19, (uint64_t{1} << 49) - 3}) {
    MemoryRing ring(kSmallOverwrite);
    const uint64_t position = start * ring::kSubBufferMin;
    ring.start_at(position);
    ring->retired.store(start << ring::kRecordsBits);
    this->next_ = 0;
    TypeParam writer(ring.get());
    ring::Cursor cursor(ring.get(), ring.geometry());
    cursor.seek(0);
    EXPECT_EQ(cursor.position(), position);
    uint64_t words[125] = {}, taken = 0;
    for (; this->next_ < 5000 * 8; words[0] = ++this->next_) {
      ASSERT_EQ(writer.write({7, 1000, words, 0}), Result::kWritten);
      if (this->next_ % 7 == 0) taken += this->read(ring, cursor).size();
    }
    taken += this->read(ring, cursor).size();
    EXPECT_EQ(cursor.passed(), this->next_);
    EXPECT_EQ(taken, this->next_) << "a reader that keeps up misses nothing";
  }
}

TYPED_TEST(RingOverwrite, seeking_counts_the_records_before_and_leads_no_further_than_what_is_there) {
  MemoryRing ring(kSmallOverwrite);
  this->write(ring, 1000);
  ring::Cursor first(ring.get(), ring.geometry());
  first.seek(0);
  this->read(ring, first, 50);
  ring::Cursor second(ring.get(), ring.geometry());
  second.seek(first.position());
  EXPECT_EQ(second.position(), first.position());
  EXPECT_EQ(second.passed(), first.passed());
  second.seek(UINT64_MAX / 4);
  EXPECT_EQ(second.position(), ring->head.load());
  EXPECT_EQ(second.passed(), 1000U);
}

TYPED_TEST(RingOverwrite, a_record_too_big_is_refused_and_counted_as_ever) {
  MemoryRing ring(kSmallOverwrite);
  std::vector<uint64_t> words(ring::kPayloadMax / 8 + 2);
  EXPECT_EQ(TypeParam(ring.get()).write({1, ring::kPayloadMax + 1, words.data(), 0}), Result::kTooBig);
  EXPECT_EQ(ring->lost_too_big.load(), 1U);
}

TYPED_TEST(RingOverwrite, what_a_file_holds_is_found_by_whoever_opens_it) {
  const TempFolder folder(testing::TempDir());
  const ring::Created made = ring::create(folder.fd(), "0", 0, kSmallOverwrite);
  ASSERT_NE(made.ring, nullptr);
  TypeParam writer(made.ring);
  uint64_t words[4] = {};
  for (; words[0] < 5000; ++words[0]) ASSERT_EQ(writer.write({7, 32, words, 0}), Result::kWritten);
  const auto opens = [&] {
    ring::Geometry geometry{};
    ring::Header* opened = ring::open(folder.fd(), "0", geometry);
    if (opened == nullptr) return false;
    EXPECT_EQ(geometry.mode, Mode::kOverwrite);
    ring::Cursor cursor(opened, geometry);
    cursor.seek(0);
    ring::View record{};
    while (cursor.next(ring::committed(opened), record)) {
    }
    EXPECT_EQ(cursor.passed(), 5000U);
    munmap(opened, ring::kHeaderBytes + geometry.capacity);
    return true;
  };
  EXPECT_TRUE(opens()) << "although tail stayed far behind";
  const uint64_t good = made.ring->retired.load();
  made.ring->retired.store(good - (3ULL << ring::kRecordsBits));
  EXPECT_FALSE(opens()) << "more kept than the ring is long";
  made.ring->retired.store(good + (3ULL << ring::kRecordsBits));
  EXPECT_FALSE(opens()) << "more given up than was written";
  made.ring->retired.store(good);
  made.ring->mode = static_cast<Mode>(3);
  EXPECT_FALSE(opens());
  munmap(made.ring, ring::kHeaderBytes + kSmallOverwrite.capacity);
}

TEST(RingOverwriteGeometry, takes_two_to_sixty_four_sub_buffers) {
  for (const uint64_t sub_buffers : {1, 2, 64, 128}) {
    const ring::Geometry geometry{ring::kSubBufferMin, sub_buffers * ring::kSubBufferMin, Mode::kOverwrite};
    const ring::Created made = ring::create(-1, "", 0, geometry);
    EXPECT_EQ(made.ring != nullptr, sub_buffers == 2 || sub_buffers == 64) << sub_buffers;
    if (made.ring == nullptr) EXPECT_EQ(made.error, EINVAL);
    else munmap(made.ring, ring::kHeaderBytes + geometry.capacity);
  }
}

// The rseq writer may be preempted between finding that a sub-buffer must go and giving it up, and come back when
// others have done it, many times over.
TEST(RingOverwriteRetire, by_a_thread_that_was_away_changes_nothing) {
  MemoryRing ring(kSmallOverwrite);
  Leased writer(ring.get());
  const uint64_t words[4] = {};
  while (ring->head.load() < 2 * ring::kSubBufferMin - 48) writer.write({1, 32, words, 0});
  const uint64_t stale = ring->head.load();
  for (uint64_t laps : {1, 3, 4096, 8192}) {
    while (ring->head.load() < laps * ring::kSubBufferMin) writer.write({1, 32, words, 0});
    const uint64_t before = ring->retired.load();
    ring::retire(ring.get(), stale);
    ring::retire(ring.get(), stale / ring::kSubBufferMin * ring::kSubBufferMin);
    ring::retire(ring.get(), ring->head.load());
    EXPECT_EQ(ring->retired.load(), before) << laps;
  }
}

TEST(RingOverwriteRetire, by_many_at_once_counts_each_record_once) {
  for (int round = 0; round < 200 / kSlower; ++round) {
    MemoryRing ring(kSmallOverwrite);
    Leased writer(ring.get());
    const uint64_t words[2] = {};
    const uint64_t head = 2 * ring::kSubBufferMin;
    while (ring->head.load() < head) writer.write({1, 16, words, 0});
    ASSERT_EQ(ring->head.load(), head) << "full to the last byte: who comes next must give up a sub-buffer";
    std::atomic<bool> go{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i)
      threads.emplace_back([&] {
        while (!go) {
        }
        ring::retire(ring.get(), head);
      });
    go = true;
    for (auto& thread : threads) thread.join();
    const ring::Kept now = ring::kept(ring.get(), ring::kSubBufferMin);
    ASSERT_EQ(now.from, ring::kSubBufferMin);
    ASSERT_EQ(now.before, ring::kSubBufferMin / 32);
  }
}

MemoryRing* g_lapped = nullptr;
uint64_t g_lapped_with = 0;

// Stands for a thread that loses its CPU in the midst of counting: others write on meanwhile.
void lap(int) {
  mprotect(g_lapped->get()->data(), g_lapped->geometry().capacity, PROT_READ | PROT_WRITE);
  Leased writer(g_lapped->get());
  const uint64_t words[2] = {};
  for (uint64_t i = 0; i < g_lapped_with; ++i) writer.write({1, 16, words, 0});
}

TEST(RingOverwriteRetire, by_a_thread_that_was_lapped_while_it_counted_changes_nothing) {
  for (const uint64_t more : {1, 100, 1000, 100'000}) {
    MemoryRing ring(kSmallOverwrite);
    Leased writer(ring.get());
    const uint64_t words[2] = {};
    const uint64_t records = 2 * ring::kSubBufferMin / 32;
    for (uint64_t i = 0; i < records; ++i) writer.write({1, 16, words, 0});
    ASSERT_EQ(ring->head.load(), 2 * ring::kSubBufferMin);
    g_lapped = &ring;
    g_lapped_with = more;
    struct sigaction action {
    }, before{};
    action.sa_handler = lap;
    sigaction(SIGSEGV, &action, &before);
    mprotect(ring->data(), ring.geometry().capacity, PROT_NONE);
    ring::retire(ring.get(), ring->head.load());
    sigaction(SIGSEGV, &before, nullptr);
    ring::Cursor cursor(ring.get(), ring.geometry());
    cursor.seek(ring->head.load());
    EXPECT_EQ(cursor.position(), ring->head.load());
    EXPECT_EQ(cursor.passed(), records + more);
    EXPECT_EQ(ring::kept(ring.get(), ring::kSubBufferMin).from,
              (ring->head.load() - 1) / ring::kSubBufferMin * ring::kSubBufferMin - ring::kSubBufferMin);
  }
}

TEST(RingNoRoom, is_counted_by_the_caller_where_it_asks_for_that) {
  MemoryRing ring(kSmall);
  const uint64_t words[4] = {};
  Result result = Result::kWritten;
  while (result == Result::kWritten)
    result = ring::write_leased<ring::NoRoom::kTold>(ring.get(), {1, 32, words, 0});
  EXPECT_EQ(result, Result::kNoRoom);
  EXPECT_EQ(ring::lost(ring.get()), 0U);
#if BLKIN_HAVE_RSEQ
  if (OnCpu::available()) {
    const OnCpu writer(ring.get());
    const auto told = ring::write_on_cpu<true, ring::NoRoom::kTold>(ring::rseq_area(OnCpu::kOffset),
                                                                    writer.rings->data(), {1, 32, words, 0});
    EXPECT_EQ(told, Result::kNoRoom);
    EXPECT_EQ(ring::lost(ring.get()), 0U);
  }
#endif
  ring::refuse(ring.get(), result);
  EXPECT_EQ(ring->lost_no_room.load(), 1U);
}

}  // namespace
}  // namespace blkin::test
