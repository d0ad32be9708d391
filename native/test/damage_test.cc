// native/test/damage_test.cc: a ring's file is input from outside. Whatever bytes stand in it, opening and reading
// end, and touch nothing beyond it (AddressSanitizer, and the unmapped page behind the mapping, see to that).
#include "ring_fixture.hpp"
#include "temp_folder.hpp"

namespace blkin::test {
namespace {

constexpr size_t kFileBytes = ring::kHeaderBytes + kSmall.capacity;

class Damage : public testing::Test {
 protected:
  void SetUp() override {
    const ring::Created made = ring::create(folder_.fd(), "0", 0, kSmall);
    ASSERT_NE(made.ring, nullptr);
    ring_ = made.ring;
    Pattern pattern;
    Leased writer(ring_);
    for (uint64_t i = 0; i < 100'000; ++i) {
      pattern.make(1, i);
      if (writer.write(pattern.record()) == ring::Result::kWritten) continue;
      if (i > 200) break;
      ring::release(ring_, ring_->head.load() - 1024);  // some laps, then full
    }
    good_.assign(reinterpret_cast<uint8_t*>(ring_), reinterpret_cast<uint8_t*>(ring_) + kFileBytes);
  }
  void TearDown() override {
    if (ring_ != nullptr) munmap(ring_, kFileBytes);
  }

  void restore() { std::memcpy(static_cast<void*>(ring_), good_.data(), kFileBytes); }

  // Reads as recovery does. Returns the records, or -1 where the file is refused.
  int64_t read_all() {
    ring::Geometry geometry{};
    ring::Header* opened = ring::open(folder_.fd(), "0", geometry);
    if (opened == nullptr) return -1;
    const int64_t records = read(opened, geometry, opened->tail.load(), ring::committed(opened));
    munmap(opened, ring::kHeaderBytes + geometry.capacity);
    return records;
  }

  static int64_t read(const ring::Header* from, ring::Geometry geometry, uint64_t tail, uint64_t limit) {
    ring::Cursor cursor(from, geometry);
    cursor.seek(tail);
    ring::View record{};
    int64_t records = 0;
    uint64_t sum = 0;
    const auto most = static_cast<int64_t>(geometry.capacity / 8 + 2);
    while (cursor.next(limit, record)) {
      for (uint32_t i = 0; i < record.length; ++i) sum += record.payload[i];
      if (record.length > ring::kPayloadMax || ++records > most) {
        ADD_FAILURE() << "record " << records << " of " << record.length << " bytes";
        break;
      }
    }
    EXPECT_LE(cursor.position(), std::max(limit, ring::align8(tail))) << "never beyond what was committed";
    return sum == UINT64_MAX ? 0 : records;  // so that every byte is really read
  }

  TempFolder folder_;
  ring::Header* ring_ = nullptr;
  std::vector<uint8_t> good_;
};

TEST_F(Damage, an_unharmed_ring_reads_to_its_end) { EXPECT_GT(read_all(), 10); }

TEST_F(Damage, random_bytes_in_the_header_are_refused_or_read_to_an_end) {
  std::mt19937 random(4);
  for (int round = 0; round < 20'000; ++round) {
    for (int flips = 1 + static_cast<int>(random() % 4); flips > 0; --flips)
      reinterpret_cast<uint8_t*>(ring_)[random() % 256] = static_cast<uint8_t>(random());
    read_all();
    restore();
    if (HasFailure()) FAIL() << "round " << round;
  }
}

TEST_F(Damage, random_bytes_in_the_data_are_skipped_or_read_to_an_end) {
  std::mt19937 random(5);
  uint64_t read_in_all = 0;
  for (int round = 0; round < 10'000; ++round) {
    for (int flips = 1 + static_cast<int>(random() % 64); flips > 0; --flips)
      ring_->data()[random() % kSmall.capacity] = static_cast<uint8_t>(random());
    const int64_t records = read_all();
    EXPECT_GE(records, 0) << "the header is unharmed";
    read_in_all += static_cast<uint64_t>(std::max<int64_t>(0, records));
    restore();
    if (HasFailure()) FAIL() << "round " << round;
  }
  EXPECT_GT(read_in_all, 0U);
}

TEST_F(Damage, positions_at_random_are_refused_or_read_to_an_end) {
  std::mt19937_64 random(6);
  for (int round = 0; round < 10'000; ++round) {
    const uint64_t tail = random() >> (random() % 64);
    ring_->tail.store(random() % 2 == 0 ? tail : tail & ~7ULL);
    ring_->head.store(random() % 2 == 0 ? tail + random() % (2 * kSmall.capacity)
                                        : random() >> (random() % 64));
    read_all();
    if (HasFailure()) FAIL() << "round " << round;
  }
}

TEST_F(Damage, a_cursor_ends_whatever_position_it_is_put_to) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 10'000; ++round) {
    const uint64_t from = random() % (4 * kSmall.capacity);  // most not a multiple of 8
    read(ring_, kSmall, from, (from + random() % kSmall.capacity) & ~7ULL);
    if (HasFailure()) FAIL() << "round " << round;
  }
}

TEST_F(Damage, positions_further_apart_than_the_ring_is_long_are_no_ring) {
  ring_->head.store(ring_->tail.load() + kSmall.capacity + 8);
  EXPECT_EQ(read_all(), -1) << "a reader that released what it read would read such a ring for ever";
  ring_->head.store(ring_->tail.load() - 8);
  EXPECT_EQ(read_all(), -1);
  ring_->head.store(ring_->tail.load() + 12);
  EXPECT_EQ(read_all(), -1);
  ring_->tail.store(UINT64_MAX - 7);
  ring_->head.store(UINT64_MAX - 7);
  EXPECT_EQ(read_all(), -1);
}

TEST_F(Damage, an_overwriting_ring_is_refused_or_read_to_an_end_too) {
  const ring::Created made = ring::create(folder_.fd(), "1", 1, kSmallOverwrite);
  ASSERT_NE(made.ring, nullptr);
  Pattern pattern;
  for (uint64_t i = 0; i < 1000; ++i) {
    pattern.make(1, i);
    Leased(made.ring).write(pattern.record());
  }
  auto* bytes = reinterpret_cast<uint8_t*>(made.ring);
  const std::vector<uint8_t> good(bytes, bytes + kFileBytes);
  std::mt19937 random(9);
  uint64_t opened_in_all = 0;
  for (int round = 0; round < 20'000; ++round) {
    const size_t within = random() % 2 == 0 ? 256 : kFileBytes;
    for (int flips = 1 + static_cast<int>(random() % 8); flips > 0; --flips)
      bytes[random() % within] = static_cast<uint8_t>(random());
    ring::Geometry geometry{};
    ring::Header* opened = ring::open(folder_.fd(), "1", geometry);
    if (opened != nullptr) {
      ++opened_in_all;
      ring::retire(opened, ring::committed(opened));  // counts what it finds, whatever that is
      read(opened, geometry, random() % 2 == 0 ? 0 : random(), ring::committed(opened));
      munmap(opened, ring::kHeaderBytes + geometry.capacity);
    }
    std::memcpy(bytes, good.data(), kFileBytes);
    if (HasFailure()) FAIL() << "round " << round;
  }
  EXPECT_GT(opened_in_all, 1000U);
  munmap(made.ring, kFileBytes);
}

TEST_F(Damage, damage_costs_the_rest_of_its_sub_buffer_and_no_more) {
  MemoryRing ring(kSmall);
  const uint64_t words[6] = {};
  for (uint64_t i = 0; i < kSmall.capacity / 64; ++i)
    ASSERT_EQ(Leased(ring.get()).write({1, 48, words, 0}), ring::Result::kWritten);
  *reinterpret_cast<uint32_t*>(ring->data() + 640) = 0xFFFFFFFF;  // the 11th record's length
  ring::Cursor cursor(ring.get(), kSmall);
  ring::View record{};
  uint64_t records = 0;
  while (cursor.next(ring::committed(ring.get()), record)) ++records;
  EXPECT_EQ(records, 10 + ring::kSubBufferMin / 64);
  EXPECT_EQ(cursor.damaged(), 1U);
}

TEST_F(Damage, a_file_cut_short_or_of_another_version_is_no_ring) {
  const auto opens = [&] {
    ring::Geometry geometry{};
    ring::Header* opened = ring::open(folder_.fd(), "0", geometry);
    if (opened != nullptr) munmap(opened, kFileBytes);
    return opened != nullptr;
  };
  EXPECT_TRUE(opens());
  ++ring_->version;
  EXPECT_FALSE(opens());
  restore();
  ring_->magic ^= 1;
  EXPECT_FALSE(opens());
  restore();
  for (const off_t bytes :
       {off_t{0}, off_t{100}, static_cast<off_t>(ring::kHeaderBytes), static_cast<off_t>(kFileBytes) - 1}) {
    std::filesystem::resize_file(folder_.path() + "/0", static_cast<uintmax_t>(bytes));
    EXPECT_FALSE(opens()) << bytes << " bytes";
  }
  std::filesystem::remove(folder_.path() + "/0");
  EXPECT_FALSE(opens());
  std::filesystem::create_symlink("/etc/passwd", folder_.path() + "/0");
  EXPECT_FALSE(opens());
}

}  // namespace
}  // namespace blkin::test
