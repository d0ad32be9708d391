// native/ctf/packer.hpp: turns records into CTF packets as docs/ctf.md lays them out. Used by the consumer thread.
// Owns nothing: packets are built in the caller's buffer, and what must go on from packet to packet stands in a
// Stream, which a relay's reply can set. Never looks inside a payload: the ring's bytes are the packet's bytes.
//
//   begin(stream, buffer) -> add(event)* -> finish(lost) -> bytes of whole packets
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

namespace blkin::ctf {

using Uuid = std::array<uint8_t, 16>;

constexpr uint32_t kMagic = 0xC1FC1FC1;
constexpr size_t kPage = 4096;
constexpr size_t kPacketHeader = 84;
constexpr size_t kCompactHeader = 4;
constexpr size_t kExtendedHeader = 13;
constexpr uint16_t kExtendedId = 31;
constexpr uint64_t kCompactSpan = 1ULL << 27;
constexpr size_t kSmallestPacket =
    256;  // with less than this left of a page, the next packet starts a new one
constexpr uint32_t kNoCpu = 0xFFFFFFFF;

// One stream file, up to its last finished packet.
struct Stream {
  uint64_t instance = 0;
  uint32_t cpu = kNoCpu;
  uint64_t bytes = 0;
  uint64_t packets = 0;
  uint64_t last_time = 0;
  uint64_t discarded = 0;
  uint32_t epoch =
      0;  // of the time of day: each has a trace of its own, whose uuid differs from the first's by it
};

class Packer {
 public:
  explicit Packer(const Uuid& uuid) noexcept : uuid_(uuid) {}

  // capacity: at least 3 pages. `now` dates the opening packet, which a new stream gets before anything else.
  // gap: events lost between the stream's last event and the next one, which the next one's packet tells.
  void begin(Stream& stream, uint8_t* buffer, size_t capacity, uint64_t now, uint64_t gap = 0) noexcept {
    stream_ = &stream;
    buffer_ = buffer;
    at_ = buffer;
    end_ = buffer + capacity;
    events_ = 0;
    packet_ = nullptr;
    if (stream.packets == 0) {
      open(now > stream.last_time ? now : stream.last_time);
      close(stream.discarded = 0, false);
    }
    discarded_ = stream.discarded + gap;
  }

  // False: the buffer is full; finish(), and begin() again with another. ns is clamped to never go back.
  // payload must be readable, and the buffer writable, up to the next multiple of 8 of length.
  bool add(uint16_t id, uint64_t ns, const uint8_t* payload, uint32_t length) noexcept {
    if (ns < stream_->last_time) ns = stream_->last_time;
    if (packet_ == nullptr && !open(ns)) return false;
    bool compact = id < kExtendedId && ns - stream_->last_time < kCompactSpan;
    if (at_ + (compact ? kCompactHeader : kExtendedHeader) + length > page_end_) {
      close(discarded_, true);
      if (!open(ns)) return false;
      compact = id < kExtendedId;
    }
    if (compact) {
      put32(at_, id | static_cast<uint32_t>(ns << 5));
      at_ += kCompactHeader;
    } else {
      *at_ = kExtendedId;
      put32(at_ + 1, id);
      put64(at_ + 5, ns);
      at_ += kExtendedHeader;
    }
    for (uint32_t i = 0; i < length; i += 8) std::memcpy(at_ + i, payload + i, 8);
    at_ += length;
    stream_->last_time = ns;
    ++events_;
    return true;
  }

  // discarded: the stream's losses so far; where they grew and no packet is open, an empty one carries them.
  // Returns the length of the packets in the buffer.
  size_t finish(uint64_t discarded, uint64_t now) noexcept {
    if (discarded < discarded_) discarded = discarded_;
    if (packet_ == nullptr && discarded > stream_->discarded)
      open(now > stream_->last_time ? now : stream_->last_time);
    if (packet_ != nullptr) close(discarded, false);
    return static_cast<size_t>(at_ - buffer_);
  }

  uint32_t events() const noexcept { return events_; }

 private:
  static void put32(uint8_t* at, uint32_t value) noexcept { std::memcpy(at, &value, sizeof value); }
  static void put64(uint8_t* at, uint64_t value) noexcept { std::memcpy(at, &value, sizeof value); }

  bool open(uint64_t ns) noexcept {
    const size_t left = kPage - stream_->bytes % kPage;
    if (at_ + left + 8 > end_) return false;  // 8: add() copies whole words
    packet_ = at_;
    page_end_ = at_ + left;
    put32(packet_, kMagic);
    std::memcpy(packet_ + 4, uuid_.data(), uuid_.size());
    for (int i = 0; i < 4; ++i) packet_[16 + i] ^= static_cast<uint8_t>(stream_->epoch >> 8 * i);
    put32(packet_ + 20, 0);
    put64(packet_ + 24, stream_->instance);
    put64(packet_ + 32, ns);
    put64(packet_ + 64, stream_->packets);
    put32(packet_ + 80, stream_->cpu);
    at_ += kPacketHeader;
    stream_->last_time = ns;
    return true;
  }

  void close(uint64_t discarded, bool page_full) noexcept {
    const auto content = static_cast<size_t>(at_ - packet_);
    const auto room = static_cast<size_t>(page_end_ - packet_);
    size_t size = (content + 7) & ~size_t{7};
    if (page_full || room - size < kSmallestPacket) size = room;
    std::memset(at_, 0, size - content);
    put64(packet_ + 40, stream_->last_time);
    put64(packet_ + 48, content * 8);
    put64(packet_ + 56, size * 8);
    put64(packet_ + 72, discarded);
    stream_->discarded = discarded;
    stream_->bytes += size;
    ++stream_->packets;
    at_ = packet_ + size;
    packet_ = nullptr;
  }

  Uuid uuid_;
  Stream* stream_ = nullptr;
  uint8_t* buffer_ = nullptr;
  uint8_t* end_ = nullptr;
  uint8_t* at_ = nullptr;
  uint8_t* packet_ = nullptr;  // the open packet, or null
  uint8_t* page_end_ = nullptr;
  uint32_t events_ = 0;
  uint64_t discarded_ = 0;  // what the open packet tells where it is not the last
};

}  // namespace blkin::ctf
