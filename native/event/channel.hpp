// native/event/channel.hpp: the channels of a session: ordinary events, and those that spans are made of. Each has rings
// and streams of its own, all of the session's geometry and mode, so that a flood in the one takes no room in the other,
// and a reader of spans need not look at the rest. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "../consumer/stream.hpp"

namespace blkin::control {

enum class Channel : uint8_t { kEvents, kSpans };

constexpr std::array kChannels{Channel::kEvents, Channel::kSpans};

// As folders and status() call it.
constexpr const char* name_of(Channel channel) noexcept {
  return channel == Channel::kSpans ? "spans" : "events";
}

// Fixed when the tracepoint is declared. No program can declare this provider; lib/trace/records.ts does.
constexpr Channel channel_of(std::string_view provider) noexcept {
  return provider == "blkin" ? Channel::kSpans : Channel::kEvents;
}

constexpr uint32_t first_stream(Channel channel) noexcept {
  return static_cast<uint32_t>(channel) * static_cast<uint32_t>(consumer::kChannelStreams);
}

// Which tracepoint an event is of, on its way to the rings. One word, split where it is used: on the hot path no register
// is to spare, and the bit of the channel is a shift away from its rings' place among all.
//
//   | 0 | channel, 1 bit | id, 14 bits |
class Event {
 public:
  static constexpr uint16_t kIds = 1U << 14;

  constexpr explicit Event(uint16_t word) noexcept : word_(word) {}
  constexpr Event(uint16_t id, Channel channel) noexcept
      : word_(static_cast<uint16_t>(id | static_cast<unsigned>(channel) * kIds)) {}

  constexpr uint16_t word() const noexcept { return word_; }
  constexpr uint16_t id() const noexcept { return word_ & (kIds - 1); }
  constexpr Channel channel() const noexcept { return static_cast<Channel>(word_ / kIds & 1U); }

 private:
  uint16_t word_;
};

}  // namespace blkin::control
