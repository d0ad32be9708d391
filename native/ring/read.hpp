// native/ring/read.hpp: how the consumer takes records out of a ring, alive or left by a dead process.
// Trusts nothing it finds: a length that cannot be is told as damage and the rest of that sub-buffer is skipped.
// Never writes to the ring but for tail. Start reading at Cursor::next().
#pragma once

#include "layout.hpp"

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

// A ring's geometry, checked once: after that the copy is used, not the file.
struct Geometry {
  uint64_t sub_buffer_bytes;
  uint64_t capacity;
};

inline bool valid_geometry(uint64_t sub_buffer_bytes, uint64_t capacity) noexcept {
  const auto power_of_two = [](uint64_t n) { return n != 0 && (n & (n - 1)) == 0; };
  return power_of_two(sub_buffer_bytes) && power_of_two(capacity) && sub_buffer_bytes >= kSubBufferMin &&
         sub_buffer_bytes <= kSubBufferMax && capacity >= sub_buffer_bytes && capacity <= 64 * kSubBufferMax;
}

// What a writer and a reader can have left. Below 2^63, so that sums do not wrap; the wire's positions are i64 too.
inline bool valid_positions(uint64_t tail, uint64_t head, uint64_t capacity) noexcept {
  return tail <= head && head - tail <= capacity && head <= INT64_MAX && (tail & 7) == 0 && (head & 7) == 0;
}

class Cursor {
 public:
  Cursor(const Header* ring, Geometry geometry) noexcept : ring_(ring), geometry_(geometry) {}

  uint64_t position() const noexcept { return position_; }
  void seek(uint64_t position) noexcept {
    position_ = align8(position);
  }                                                       // a relay's word, or a damaged tail
  uint64_t damaged() const noexcept { return damaged_; }  // sub-buffers given up part-way

  // The next whole record below `limit`, a value that committed() returned. False: none. The view stays valid
  // until its bytes are released.
  bool next(uint64_t limit, View& out) noexcept {
    while (position_ < limit) {
      const uint64_t left = geometry_.sub_buffer_bytes - (position_ & (geometry_.sub_buffer_bytes - 1));
      const uint8_t* at = ring_->data() + (position_ & (geometry_.capacity - 1));
      const uint64_t word = *reinterpret_cast<const uint64_t*>(at);
      const uint32_t length = static_cast<uint32_t>(word);
      if (static_cast<uint16_t>(word >> 48) == kPad) {
        if (length != left) ++damaged_;
        position_ = position_ + left < limit ? position_ + left : limit;
        continue;
      }
      const uint64_t size = kRecordHeader + align8(length);
      if (length > kPayloadMax || size > left || position_ + size > limit) {
        ++damaged_;
        position_ = position_ + left < limit ? position_ + left : limit;
        continue;
      }
      out = {static_cast<uint16_t>(word >> 32), length, *reinterpret_cast<const uint64_t*>(at + 8),
             at + kRecordHeader};
      position_ += size;
      return true;
    }
    return false;
  }

 private:
  const Header* ring_;
  Geometry geometry_;
  uint64_t position_ = 0;
  uint64_t damaged_ = 0;
};

}  // namespace blkin::ring
