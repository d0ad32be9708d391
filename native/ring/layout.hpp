// native/ring/layout.hpp: the bytes of a ring, as they stand in its file. Held by nobody, read by all.
// A ring is one header page and then its sub-buffers; it outlives the process that wrote it, so every
// reader treats what it finds here as input from outside. Start reading at Header.
//
//   file:       | Header, 4096 bytes | sub-buffer 0 | sub-buffer 1 | ... |
//   sub-buffer: | record | record | ... | pad |        a record never crosses the end of a sub-buffer
//   record:     | u32 length | u16 id | u16 flags | u64 clock ticks | payload, length bytes | 0-7 unused |
//   pad:        | u32 bytes to skip, these 8 included | u16 0 | u16 kPad | ... |
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace blkin::ring {

constexpr uint64_t kMagic = 0x31474e49524b4c42;  // "BLKRING1", little-endian
constexpr uint32_t kVersion = 2;
constexpr size_t kHeaderBytes = 4096;
constexpr size_t kRecordHeader = 16;
constexpr uint32_t kPayloadMax = 3984;  // what one page of a CTF stream can hold; docs/ctf.md
constexpr uint16_t kPad = 1;

constexpr uint64_t kSubBufferMin = 8192;
constexpr uint64_t kSubBufferMax = 1ULL << 30;

// What becomes of a record that finds the ring full: it is refused, or the oldest sub-buffer is given up for it.
enum class Mode : uint32_t { kDiscard = 1, kOverwrite = 2 };

constexpr uint64_t kOverwriteLeast = 2;  // sub-buffers: one to write in, one to keep
constexpr uint64_t kOverwriteMost = 64;  // sub-buffers: few against kGenerations in overwrite.hpp

constexpr uint64_t align8(uint64_t n) noexcept { return (n + 7) & ~7ULL; }

constexpr uint64_t record_word(uint32_t length, uint16_t id, uint16_t flags) noexcept {
  return length | static_cast<uint64_t>(id) << 32 | static_cast<uint64_t>(flags) << 48;
}

// Positions are bytes since the ring was made; they only grow, and position % capacity is the place.
// Each line below has one kind of writer, so that no two kinds share a cache line.
struct Header {
  uint64_t magic;
  uint32_t version;
  uint32_t stream;  // which stream of the trace this is: docs/ctf.md
  uint64_t sub_buffer_bytes;
  uint64_t capacity;  // sub_buffer_bytes times a power of two
  Mode mode;

  // The writer who holds the ring: threads on its CPU, or the thread that leased it. limit: up to where head may go
  // before anyone need look at tail or at the sub-buffer's end again; never too high, at times too low; 0 where the
  // reader has put it to rest, the one store of the reader's here: rest.hpp.
  // retired: which sub-buffers an overwriting ring has given up, and how many records with them: overwrite.hpp.
  alignas(64) std::atomic<uint64_t> head;
  std::atomic<uint64_t> limit;
  std::atomic<uint64_t> retired;

  // The reader. In an overwriting ring nobody waits for it: it only says how far the relay has the records.
  // asleep: not 0 while it sleeps and wants to be woken by the next record.
  alignas(64) std::atomic<uint64_t> tail;
  std::atomic<uint64_t> asleep;

  // Any thread whose record was refused; relaxed additions, off the path of those that were not.
  alignas(64) std::atomic<uint64_t> lost_no_room;
  std::atomic<uint64_t> lost_too_big;

  uint8_t* data() noexcept { return reinterpret_cast<uint8_t*>(this) + kHeaderBytes; }
  const uint8_t* data() const noexcept { return reinterpret_cast<const uint8_t*>(this) + kHeaderBytes; }
};

static_assert(sizeof(Header) <= kHeaderBytes);
static_assert(offsetof(Header, head) == 64 && offsetof(Header, tail) == 128 &&
              offsetof(Header, lost_no_room) == 192);
static_assert(std::atomic<uint64_t>::is_always_lock_free);

}  // namespace blkin::ring
