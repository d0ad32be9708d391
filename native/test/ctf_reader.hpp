// native/test/ctf_reader.hpp: reads a stream file by docs/ctf.md alone, sharing nothing with the packer. Every rule that
// the document states of a stream is asserted on the way; read() is to be followed by a check of HasFatalFailure().
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace blkin::test {

struct In {
  uint16_t id;
  uint64_t ns;
  std::string payload;

  bool operator==(const In&) const = default;
};

// Reads a stream file by the document alone.
class CtfReader {
 public:
  explicit CtfReader(const std::array<uint8_t, 16>& uuid) : uuid_(uuid) {}

  std::vector<In> events;
  std::vector<std::pair<size_t, uint64_t>> ends;  // of each packet: events so far, and losses so far
  uint64_t packets = 0, discarded = 0, last_time = 0;

  // file: everything from the stream's first byte on. length_of: an event's payload, which only its schema tells.
  template <typename LengthOf>
  void read(const std::vector<uint8_t>& file, LengthOf length_of) {
    for (size_t at = 0; at < file.size();) {
      const uint8_t* packet = file.data() + at;
      ASSERT_LE(at + 84, file.size());
      ASSERT_EQ(u32(packet), 0xC1FC1FC1U);
      ASSERT_EQ(std::memcmp(packet + 4, uuid_.data(), 16), 0);
      const uint64_t begin = u64(packet + 32), end = u64(packet + 40);
      const uint64_t content = u64(packet + 48), size = u64(packet + 56);
      ASSERT_EQ(content % 8, 0U);
      ASSERT_EQ(size % 64, 0U) << "multiples of 8 bytes";
      ASSERT_LE(content, size);
      ASSERT_EQ(at / 4096, (at + size / 8 - 1) / 4096) << "a packet crosses a page";
      ASSERT_EQ(u64(packet + 64), packets);
      ASSERT_GE(u64(packet + 72), discarded);
      if (packets == 0) {
        ASSERT_EQ(content, 84U * 8) << "the first holds no events";
        ASSERT_EQ(u64(packet + 72), 0U) << "and no losses";
      }
      ASSERT_GE(begin, last_time);
      uint64_t time = begin;
      const uint8_t* event = packet + 84;
      while (event < packet + content / 8) {
        In in;
        const uint32_t head = u32(event);
        in.id = head & 31;
        if (in.id == 31) {
          in.id = static_cast<uint16_t>(u32(event + 1));
          time = u64(event + 5);
          event += 13;
        } else {
          const uint64_t low = head >> 5;
          const uint64_t span = 1ULL << 27;
          time = (time & ~(span - 1)) + low + ((time & (span - 1)) > low ? span : 0);
          event += 4;
        }
        in.ns = time;
        const size_t length = length_of(events.size());
        in.payload.assign(event, event + length);
        event += length;
        events.push_back(std::move(in));
      }
      ASSERT_EQ(event, packet + content / 8);
      ASSERT_EQ(time, events.empty() || content == 84 * 8 ? end : time);
      for (const uint8_t* pad = event; pad < packet + size / 8; ++pad) ASSERT_EQ(*pad, 0);
      ASSERT_LE(time, end);
      last_time = end;
      discarded = u64(packet + 72);
      ends.emplace_back(events.size(), discarded);
      ++packets;
      at += size / 8;
    }
  }

 private:
  std::array<uint8_t, 16> uuid_;

  static uint32_t u32(const uint8_t* at) {
    uint32_t value;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
  static uint64_t u64(const uint8_t* at) {
    uint64_t value;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
};

}  // namespace blkin::test
