// native/ring/write.hpp: how an event gets into a ring. Called from the emit path of every thread.
// Two answers to "who may write now": threads on one CPU, by restartable sequence (rseq.hpp), or the one thread
// that leased the ring. Bytes, checks and reader are the same. Never waits, allocates or makes a system call;
// a full ring keeps what it has, and the new record is counted. Start reading at write_on_cpu().
//
// Two edges cross threads. Change both ends of a letter together; the readers' ends are in read.hpp.
//   A  head: every byte below it is whole.           rseq_write(), write_leased() -> committed()
//   B  tail: every byte below it may be overwritten.  release() -> Place::has_room()
#pragma once

#include <cstring>

#include "rseq.hpp"

namespace blkin::ring {

constexpr uint32_t kCpuMax = 8192;  // the largest NR_CPUS that x86 Linux can be built with

enum class Result : uint8_t { kWritten, kNoRoom, kTooBig, kNoRing };

// One record on its way in: length bytes at payload, which must be readable up to the next multiple of 8.
struct Record {
  uint16_t id;
  uint32_t length;
  const uint64_t* payload;
  uint64_t ticks;  // used where the ring's clock is not the TSC

  uint64_t words() const noexcept { return (length + 7) / 8; }
  uint64_t size() const noexcept { return kRecordHeader + words() * 8; }
};

// Where a record of some size would go, given one value of head. True until head moves: tail only gives room.
struct Place {
  Header* ring;
  uint64_t head;
  uint64_t size;

  Place(Header* ring_, uint64_t size_) noexcept
      : ring(ring_), head(ring_->head.load(std::memory_order_relaxed)), size(size_) {}

  uint64_t left_in_sub_buffer() const noexcept {
    return ring->sub_buffer_bytes - (head & (ring->sub_buffer_bytes - 1));
  }
  bool crosses() const noexcept { return size > left_in_sub_buffer(); }
  bool has_room(uint64_t bytes) const noexcept {
    return head + bytes - ring->tail.load(std::memory_order_acquire) <= ring->capacity;  // B
  }
  uint64_t* at() const noexcept {
    return reinterpret_cast<uint64_t*>(ring->data() + (head & (ring->capacity - 1)));
  }
  uint64_t pad_word() const noexcept { return record_word(static_cast<uint32_t>(left_in_sub_buffer()), 0, kPad); }
};

inline Result refuse(Header* ring, Result why) noexcept {
  auto& counter = why == Result::kTooBig ? ring->lost_too_big : ring->lost_no_room;
  counter.fetch_add(1, std::memory_order_relaxed);
  return why;
}

#if BLKIN_HAVE_RSEQ
// rings: one pointer per CPU, null until that CPU's ring is made: then kNoRing, and the caller makes it.
// kTsc: the clock is rdtsc, read inside the sequence, so that time never goes back within a ring.
template <bool kTsc>
inline Result write_on_cpu(RseqArea* area, const std::atomic<Header*>* rings, const Record& record) noexcept {
  // A sequence restarts only when this thread loses its CPU. A debugger that steps through it makes that happen
  // every time; the bound turns an endless loop under it into one lost event.
  for (int tries = 0; tries < 10'000; ++tries) {
    const uint32_t cpu = area->cpu_id;
    Header* ring = rings[cpu].load(std::memory_order_acquire);
    if (ring == nullptr) [[unlikely]]
      return Result::kNoRing;
    const Place place(ring, record.size());
    if (record.length > kPayloadMax) [[unlikely]]
      return refuse(ring, Result::kTooBig);
    if (place.crosses()) [[unlikely]] {
      const uint64_t left = place.left_in_sub_buffer();
      if (!place.has_room(left)) return refuse(ring, Result::kNoRoom);
      rseq_pad(area, cpu, ring, place.head, place.head + left, place.at(), place.pad_word());
      continue;
    }
    if (!place.has_room(place.size)) [[unlikely]]
      return refuse(ring, Result::kNoRoom);
    if (rseq_write<kTsc>(area, cpu, ring, place.head, place.head + place.size, place.at(),
                         record_word(record.length, record.id, 0), record.ticks, record.payload, record.words()))
        [[likely]]
      return Result::kWritten;
  }
  const uint32_t cpu = area->cpu_id;
  Header* ring = rings[cpu].load(std::memory_order_acquire);
  return ring == nullptr ? Result::kNoRing : refuse(ring, Result::kNoRoom);
}
#endif

// The ring must be leased by the calling thread.
inline Result write_leased(Header* ring, const Record& record) noexcept {
  if (record.length > kPayloadMax) return refuse(ring, Result::kTooBig);
  Place place(ring, record.size());
  if (place.crosses()) {
    const uint64_t left = place.left_in_sub_buffer();
    if (!place.has_room(left)) return refuse(ring, Result::kNoRoom);
    *place.at() = place.pad_word();
    ring->head.store(place.head + left, std::memory_order_release);  // A
    place = Place(ring, record.size());
  }
  if (!place.has_room(place.size)) return refuse(ring, Result::kNoRoom);
  uint64_t* at = place.at();
  at[0] = record_word(record.length, record.id, 0);
  at[1] = record.ticks;
  std::memcpy(at + 2, record.payload, record.words() * 8);
  ring->head.store(place.head + place.size, std::memory_order_release);  // A
  return Result::kWritten;
}

}  // namespace blkin::ring
