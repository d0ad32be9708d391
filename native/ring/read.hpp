// native/ring/read.hpp: how the consumer takes records out of a ring, alive or left by a dead process.
// Trusts nothing it finds: a length that cannot be is told as damage and the rest of that sub-buffer is skipped.
// Never writes to the ring but for tail. Start reading at Cursor::next().
#pragma once

#include <algorithm>
#include <memory>

#include "overwrite.hpp"

namespace blkin::ring {

struct View {
  uint16_t id;
  uint32_t length;
  uint64_t ticks;
  const uint8_t* payload;
};

inline uint64_t committed(const Header* ring) noexcept {
  return ring->head.load(std::memory_order_acquire);
}  // A

// Gives everything below `upto` back to the writer. Edge B: see write.hpp, find_way().
inline void release(Header* ring, uint64_t upto) noexcept {
  ring->tail.store(upto, std::memory_order_release);
}

inline uint64_t lost(const Header* ring) noexcept {
  return ring->lost_no_room.load(std::memory_order_relaxed) +
         ring->lost_too_big.load(std::memory_order_relaxed);
}

// What a counter of a dead process is taken for at most: it is input from outside, and sums of some must not overflow an i64.
constexpr uint64_t kCountMost = INT64_MAX / 16;

inline uint64_t possible_count(const std::atomic<uint64_t>& counter) noexcept {
  return std::min(counter.load(std::memory_order_relaxed), kCountMost);
}

// A ring's geometry and mode, checked once: after that the copy is used, not the file.
struct Geometry {
  uint64_t sub_buffer_bytes;
  uint64_t capacity;
  Mode mode = Mode::kDiscard;
};

inline bool valid_geometry(uint64_t sub_buffer_bytes, uint64_t capacity) noexcept {
  const auto power_of_two = [](uint64_t n) { return n != 0 && (n & (n - 1)) == 0; };
  return power_of_two(sub_buffer_bytes) && power_of_two(capacity) && sub_buffer_bytes >= kSubBufferMin &&
         sub_buffer_bytes <= kSubBufferMax && capacity >= sub_buffer_bytes && capacity <= 64 * kSubBufferMax;
}

inline bool valid_geometry(Geometry geometry) noexcept {
  if (!valid_geometry(geometry.sub_buffer_bytes, geometry.capacity)) return false;
  const uint64_t sub_buffers = geometry.capacity / geometry.sub_buffer_bytes;
  return geometry.mode == Mode::kDiscard || (geometry.mode == Mode::kOverwrite &&
                                             sub_buffers >= kOverwriteLeast && sub_buffers <= kOverwriteMost);
}

// What a writer and a reader can have left. Below 2^63, so that sums do not wrap; the wire's positions are i64 too.
inline bool valid_positions(uint64_t tail, uint64_t head, uint64_t capacity) noexcept {
  return tail <= head && head - tail <= capacity && head <= INT64_MAX && (tail & 7) == 0 && (head & 7) == 0;
}

inline bool valid_positions(const Header* ring, Geometry geometry) noexcept {
  if (geometry.mode == Mode::kDiscard)
    return valid_positions(ring->tail.load(), committed(ring), geometry.capacity);
  const Kept now = kept(ring, geometry.sub_buffer_bytes);
  return valid_positions(now.from, now.head, geometry.capacity);
}

// In overwrite mode nothing stays where it is while it is read: records are copied first, and then the ring is asked
// whether they were still there. What was not is passed over, and passed() has counted it.
class Cursor {
 public:
  Cursor(const Header* ring, Geometry geometry) : ring_(ring), geometry_(geometry) {
    if (overwrites()) copy_ = std::make_unique<uint64_t[]>(kCopyBytes / 8);
  }

  uint64_t position() const noexcept { return position_; }
  // Records before position(), from the first that was ever written: in overwrite mode only.
  uint64_t passed() const noexcept { return passed_; }
  uint64_t damaged() const noexcept { return damaged_; }  // sub-buffers given up part-way

  // A relay's word, or a damaged tail. In overwrite mode the records up to there are counted, and where it is no
  // longer kept, the oldest record that is comes next.
  void seek(uint64_t position) noexcept {
    if (!overwrites()) {
      position_ = align8(position);
      return;
    }
    const Kept now = kept(ring_, geometry_.sub_buffer_bytes);
    position_ = copied_to_ = now.from;
    passed_ = now.before;
    View ignored{};
    while (position_ < position && next(std::min(position, now.head), ignored)) {
    }
  }

  // Overwrite mode: on until so many records were passed, or none is left.
  void pass(uint64_t records) noexcept {
    const uint64_t head = committed(ring_);
    View ignored{};
    while (passed_ < records && next(head, ignored)) {
    }
  }

  // The next whole record below `limit`, a value that committed() returned. False: none. The view stays valid
  // until its bytes are released; in overwrite mode, until the next call.
  bool next(uint64_t limit, View& out) noexcept {
    while (position_ < limit) {
      const uint64_t left = geometry_.sub_buffer_bytes - (position_ & (geometry_.sub_buffer_bytes - 1));
      const uint8_t* at = ring_->data() + (position_ & (geometry_.capacity - 1));
      if (overwrites() && (at = copy(std::min(left, limit - position_), at)) == nullptr) continue;
      const uint64_t word = *reinterpret_cast<const uint64_t*>(at);
      const Step one = step(word, left);
      if (one.what != Step::kRecord || position_ + one.bytes > limit) {
        damaged_ += one.what == Step::kSkip ? 0 : 1;
        position_ = std::min(position_ + left, limit);
        continue;
      }
      out = {static_cast<uint16_t>(word >> 32), static_cast<uint32_t>(word),
             *reinterpret_cast<const uint64_t*>(at + 8), at + kRecordHeader};
      given_ = position_;
      position_ += one.bytes;
      ++passed_;
      return true;
    }
    return false;
  }

  // Gives the record again that next() gave last.
  void back() noexcept {
    position_ = given_;
    --passed_;
  }

 private:
  static constexpr uint64_t kCopyBytes = 32 << 10;
  static constexpr uint64_t kRecordMost = kRecordHeader + align8(kPayloadMax);

  bool overwrites() const noexcept { return geometry_.mode == Mode::kOverwrite; }

  // The bytes at position(), copied: of the `there` that the ring has at `from`, at least the longest record. Null:
  // they were lapped, and position() is now where the ring's records begin.
  const uint8_t* copy(uint64_t there, const uint8_t* from) noexcept {
    const uint64_t wanted = std::min(there, kRecordMost);
    if (position_ < copied_from_ || position_ + wanted > copied_to_) {
      const uint64_t bytes = std::min(there, kCopyBytes);
      for (uint64_t i = 0; i < bytes / 8; ++i)
        copy_[i] = load_word(reinterpret_cast<const uint64_t*>(from) + i);
      std::atomic_thread_fence(
          std::memory_order_acquire);  // C: what was overwritten by now is known as retired
      const Kept now = kept(ring_, geometry_.sub_buffer_bytes);
      if (now.from > position_) {
        position_ = now.from;
        passed_ = std::max(passed_, now.before);  // less only in a damaged ring
        return nullptr;
      }
      copied_from_ = position_;
      copied_to_ = position_ + bytes;
    }
    return reinterpret_cast<const uint8_t*>(copy_.get()) + (position_ - copied_from_);
  }

  const Header* ring_;
  Geometry geometry_;
  uint64_t position_ = 0;
  uint64_t given_ = 0;
  uint64_t passed_ = 0;
  uint64_t damaged_ = 0;
  std::unique_ptr<uint64_t[]> copy_;  // overwrite mode
  uint64_t copied_from_ = 0;          // positions
  uint64_t copied_to_ = 0;
};

}  // namespace blkin::ring
