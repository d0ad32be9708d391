// native/ring/overwrite.hpp: how a full ring in overwrite mode gives up its oldest sub-buffer, and what it then holds.
// Writers call retire() once a sub-buffer, readers kept(). Every record is counted before it may be overwritten, by
// the same store that allows it: killed at whatever instruction, a writer has counted and given up a sub-buffer, or
// neither. Never waits; nobody is asked, least of all the reader. docs/ring.md has the whole protocol.
//
//   retired:  | generation of the oldest kept sub-buffer, modulo 2^12 | records in all given up before it, 52 bits |
#pragma once

#include "../points.hpp"
#include "layout.hpp"

namespace blkin::ring {

constexpr unsigned kRecordsBits = 52;  // 14 years at 10 million a second
constexpr uint64_t kGenerations = 1ULL << (64 - kRecordsBits);
static_assert(kOverwriteMost < kGenerations, "or a generation would have two meanings");

inline uint64_t load_word(const uint64_t* at) noexcept { return __atomic_load_n(at, __ATOMIC_RELAXED); }
inline void store_word(uint64_t* at, uint64_t word) noexcept { __atomic_store_n(at, word, __ATOMIC_RELAXED); }

// What the first word of a record says: how far it is to the next one.
struct Step {
  uint64_t bytes;
  enum { kRecord, kSkip, kDamage } what;
};

// left: bytes to the end of the sub-buffer, which is where a step leads that cannot be.
inline Step step(uint64_t word, uint64_t left) noexcept {
  const auto length = static_cast<uint32_t>(word);
  if (static_cast<uint16_t>(word >> 48) == kPad) return {left, length == left ? Step::kSkip : Step::kDamage};
  const uint64_t size = kRecordHeader + align8(length);
  if (length > kPayloadMax || size > left) return {left, Step::kDamage};
  return {size, Step::kRecord};
}

inline uint64_t count_records(Header* ring, uint64_t position) noexcept {
  const uint8_t* data = ring->data() + (position & (ring->capacity - 1));
  uint64_t records = 0;
  for (uint64_t at = 0; at < ring->sub_buffer_bytes;) {
    const Step one =
        step(load_word(reinterpret_cast<const uint64_t*>(data + at)), ring->sub_buffer_bytes - at);
    records += one.what == Step::kRecord ? 1 : 0;
    at += one.bytes;
  }
  return records;
}

// Makes the sub-buffer in which head stands free to be written, where the oldest one still has its place. Threads
// that come here at once walk the same bytes, which nobody overwrites before one of them has won; the others' words
// are old then, and change nothing. A thread that was away meanwhile finds that head moved and leaves it.
inline void retire(Header* ring, uint64_t head) noexcept {
  const uint64_t sub_buffers = ring->capacity / ring->sub_buffer_bytes;
  const uint64_t generation = head / ring->sub_buffer_bytes;
  uint64_t word = ring->retired.load(std::memory_order_acquire);
  if (ring->head.load(std::memory_order_acquire) != head) return;
  if (((generation - (word >> kRecordsBits)) & (kGenerations - 1)) < sub_buffers) return;
  const uint64_t records = count_records(ring, (generation - sub_buffers) * ring->sub_buffer_bytes);
  // The carry out of the generation is lost at the top, as it should be.
  const uint64_t next = word + (1ULL << kRecordsBits) + records;
  BLKIN_POINT("retire-counted");
  ring->retired.compare_exchange_strong(word, next, std::memory_order_acq_rel);  // C
  BLKIN_POINT("retire-given-up");
  std::atomic_thread_fence(std::memory_order_release);  // C: before anything is stored where they stood
}

// What an overwriting ring holds at one moment.
struct Kept {
  uint64_t from;    // position of the oldest record
  uint64_t before;  // records given up, all those below `from`
  uint64_t head;
};

inline Kept kept(const Header* ring, uint64_t sub_buffer_bytes) noexcept {
  for (;;) {
    const uint64_t word = ring->retired.load(std::memory_order_acquire);  // C
    const uint64_t head = ring->head.load(std::memory_order_acquire);
    if (ring->retired.load(std::memory_order_acquire) != word) continue;  // head may be a lap ahead of it
    const uint64_t generation = head / sub_buffer_bytes;
    const uint64_t behind = (generation - (word >> kRecordsBits)) & (kGenerations - 1);
    return {(generation - behind) * sub_buffer_bytes, word & ((1ULL << kRecordsBits) - 1), head};
  }
}

}  // namespace blkin::ring
