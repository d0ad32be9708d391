// native/ring/write.hpp: how an event gets into a ring. Called from the emit path of every thread.
// Two answers to "who may write now": threads on one CPU, by restartable sequence (rseq.hpp), or the one thread
// that leased the ring. Bytes, checks and reader are the same. Never waits, allocates or makes a system call;
// a full ring keeps what it has, and the new record is counted; or, in overwrite mode, it gives up its oldest
// sub-buffer (overwrite.hpp). Start reading at write_on_cpu().
//
// Four edges cross threads. Change both ends of a letter together; the readers' ends are in read.hpp and rest.hpp.
//   A  head: every byte below it is whole.              rseq_write(), write_leased() -> committed()
//   B  tail: every byte below it may be overwritten.    release() -> find_way()
//   C  retired: what it gives up may be overwritten     retire() -> Cursor::copy()
//      from now on, and its records are counted.
//   D  asleep: the reader sleeps until it is woken.      rest() -> find_way()
#pragma once

#include <cstring>

#include "overwrite.hpp"
#include "rest.hpp"
#include "rseq.hpp"

namespace blkin::ring {

constexpr uint32_t kCpuMax = 8192;  // the largest NR_CPUS that Linux can be built with: on x86; 4096 on arm64

// The last two are for who emits: to make that CPU's ring, or to wake the ring's reader; then the record is to be written.
enum class Result : uint8_t { kWritten, kNoRoom, kTooBig, kAgain, kNoRing, kAsleep };

constexpr bool is_done(Result result) noexcept { return result < Result::kNoRing; }

// Who counts the record that finds no room: this file, at once; or the caller, who may wait, try again, and give it
// to refuse() in the end.
enum class NoRoom : uint8_t { kCounted, kTold };

// One record on its way in: length bytes at payload, which must be readable up to the next multiple of 8 bytes of it, and
// may stand anywhere.
struct Record {
  uint16_t id;
  uint32_t length;
  const void* payload;
  uint64_t ticks;  // used where the ring's clock is not the TSC

  uint64_t words() const noexcept { return (length + 7) / 8; }
  uint64_t size() const noexcept { return kRecordHeader + words() * 8; }
};

inline Result refuse(Header* ring, Result why) noexcept {
  auto& counter = why == Result::kTooBig ? ring->lost_too_big : ring->lost_no_room;
  counter.fetch_add(1, std::memory_order_relaxed);
  BLKIN_POINT("loss-counted");
  return why;
}

template <NoRoom kWho>
[[gnu::always_inline]] inline Result no_room(Header* ring) noexcept {
  return kWho == NoRoom::kCounted ? refuse(ring, Result::kNoRoom) : Result::kNoRoom;
}

inline uint64_t* place(Header* ring, uint64_t position) noexcept {
  return reinterpret_cast<uint64_t*>(ring->data() + (position & (ring->capacity - 1)));
}

// What to do about a record that would pass the limit. Off the common path: once a sub-buffer, and while a ring is full.
struct Way {
  enum { kFree, kPad, kFull, kAsleep } state;
  uint64_t pad;  // kPad: bytes to the end of the sub-buffer
};

// Looks at the sub-buffer's end and at tail, and sets the limit by both. A thread that is preempted in here may store
// a limit that others have raised since: a lower one, and so a right one.
[[gnu::noinline, gnu::cold]] inline Way find_way(Header* ring, uint64_t head, uint64_t size) noexcept {
  if (is_asleep(ring)) return {Way::kAsleep, 0};  // D
  const uint64_t left = ring->sub_buffer_bytes - (head & (ring->sub_buffer_bytes - 1));
  if (ring->mode == Mode::kOverwrite) {
    if (size > left) return {Way::kPad, left};
    retire(ring, head);
    ring->limit.store(head + left, std::memory_order_relaxed);
    BLKIN_POINT("limit-raised");
    return {Way::kFree, 0};
  }
  const uint64_t free_up_to = ring->tail.load(std::memory_order_acquire) + ring->capacity;  // B
  const bool crosses = size > left;
  if (head + (crosses ? left : size) > free_up_to) return {Way::kFull, 0};
  if (crosses) return {Way::kPad, left};
  ring->limit.store(head + left < free_up_to ? head + left : free_up_to, std::memory_order_relaxed);
  BLKIN_POINT("limit-raised");
  return {Way::kFree, 0};
}

#if BLKIN_HAVE_RSEQ
// One try: kNoRing where that CPU has none, kAgain where the sequence was broken off or a pad came before.
template <bool kTsc, NoRoom kWho>
[[gnu::always_inline]] inline Result try_on_cpu(RseqArea* area, const std::atomic<Header*>* rings,
                                                const Record& record) noexcept {
  const uint32_t cpu = area->cpu_id;
  Header* ring = rings[cpu].load(std::memory_order_acquire);
  if (ring == nullptr) [[unlikely]]
    return Result::kNoRing;
  if (record.length > kPayloadMax) [[unlikely]]
    return refuse(ring, Result::kTooBig);
  const uint64_t head = ring->head.load(std::memory_order_relaxed);
  const uint64_t next = head + record.size();
  if (next > ring->limit.load(std::memory_order_relaxed)) [[unlikely]] {
    const Way way = find_way(ring, head, record.size());
    if (way.state == Way::kFull) return no_room<kWho>(ring);
    if (way.state == Way::kAsleep) return Result::kAsleep;
    if (way.state == Way::kPad) {
      const uint64_t pad = record_word(static_cast<uint32_t>(way.pad), 0, kPad);
      rseq_pad(area, cpu, ring, head, head + way.pad, place(ring, head), pad);
      return Result::kAgain;
    }
  }
  const bool written = rseq_write<kTsc>(area, cpu, ring, head, next, place(ring, head),
                                        record_word(record.length, record.id, 0), record.ticks,
                                        record.payload, record.words());
  return written ? Result::kWritten : Result::kAgain;
}

// A sequence restarts only when this thread loses its CPU. A debugger that steps through it makes that happen
// every time; the bound turns an endless loop under it into one lost event.
template <bool kTsc, NoRoom kWho>
[[gnu::noinline, gnu::cold]] inline Result write_again(RseqArea* area, const std::atomic<Header*>* rings,
                                                       uint16_t id, uint32_t length, const void* payload,
                                                       uint64_t ticks) noexcept {
  for (int tries = 0; tries < 10'000; ++tries)
    if (const Result result = try_on_cpu<kTsc, kWho>(area, rings, {id, length, payload, ticks});
        result != Result::kAgain)
      return result;
  Header* ring = rings[area->cpu_id].load(std::memory_order_acquire);
  return ring == nullptr ? Result::kNoRing : no_room<kWho>(ring);
}

// rings: one pointer per CPU, null until that CPU's ring is made: then kNoRing, and the caller makes it. kAsleep: rest.hpp.
// kTsc: the clock is the CPU's counter, read inside the sequence, so that time never goes back within a ring.
// The first try stands apart from the others: what a loop keeps for its next turn costs registers, which the hot call lacks.
template <bool kTsc, NoRoom kWho = NoRoom::kCounted>
[[gnu::always_inline]] inline Result write_on_cpu(RseqArea* area, const std::atomic<Header*>* rings,
                                                  const Record& record) noexcept {
  const Result result = try_on_cpu<kTsc, kWho>(area, rings, record);
  if (result != Result::kAgain) [[likely]]
    return result;
  return write_again<kTsc, kWho>(area, rings, record.id, record.length, record.payload, record.ticks);
}

// One event for several rings of this CPU, at one time, since reading the counter is most of what a record costs: look() at
// each of the rings, read_counter(), write_unchanged() to each. Time does not go back in any: what came into a ring behind
// the look moved its head, and then nothing is written.
struct Seen {
  uint32_t cpu;
  Header* ring;  // null: none to write to
  uint64_t head;
};

[[gnu::always_inline]] inline Seen look(const RseqArea* area, const std::atomic<Header*>* rings) noexcept {
  const uint32_t cpu = area->cpu_id;
  Header* ring = rings[cpu].load(std::memory_order_acquire);
  return {cpu, ring, ring == nullptr ? 0 : ring->head.load(std::memory_order_relaxed)};
}

// seen.ring: not null. record.ticks: of read_counter(). False: nothing was written and nothing counted, so ask write_on_cpu().
[[gnu::always_inline]] inline bool write_unchanged(RseqArea* area, const Seen& seen,
                                                   const Record& record) noexcept {
  if (record.length > kPayloadMax) [[unlikely]]
    return false;
  const uint64_t next = seen.head + record.size();
  if (next > seen.ring->limit.load(std::memory_order_relaxed)) [[unlikely]]
    return false;
  return rseq_write<false>(area, seen.cpu, seen.ring, seen.head, next, place(seen.ring, seen.head),
                           record_word(record.length, record.id, 0), record.ticks, record.payload,
                           record.words());
}
#endif

// The ring must be leased by the calling thread. Stores words as atomics, since a reader that is being lapped reads
// them at the same time, and finds out afterwards (C).
template <NoRoom kWho = NoRoom::kCounted>
inline Result write_leased(Header* ring, const Record& record) noexcept {
  if (record.length > kPayloadMax) return refuse(ring, Result::kTooBig);
  uint64_t head = ring->head.load(std::memory_order_relaxed);
  while (head + record.size() > ring->limit.load(std::memory_order_relaxed)) {
    const Way way = find_way(ring, head, record.size());
    if (way.state == Way::kFull) return no_room<kWho>(ring);
    if (way.state == Way::kAsleep) return Result::kAsleep;
    if (way.state == Way::kFree) break;
    store_word(place(ring, head), record_word(static_cast<uint32_t>(way.pad), 0, kPad));
    head += way.pad;
    ring->head.store(head, std::memory_order_release);  // A
    BLKIN_POINT("lease-padded");
  }
  uint64_t* at = place(ring, head);
  store_word(at, record_word(record.length, record.id, 0));
  store_word(at + 1, record.ticks);
  for (uint64_t i = 0; i < record.words(); ++i) {
    uint64_t word;
    std::memcpy(&word, static_cast<const uint8_t*>(record.payload) + i * 8, sizeof word);
    store_word(at + 2 + i, word);
  }
  BLKIN_POINT("lease-copied");
  ring->head.store(head + record.size(), std::memory_order_release);  // A
  BLKIN_POINT("lease-committed");
  return Result::kWritten;
}

}  // namespace blkin::ring
