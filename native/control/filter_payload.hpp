// native/control/filter_payload.hpp: finds the values that a filter asks for in one event's payload and contexts. Used by
// Filter::passes() alone. Never reads outside of them, whatever they hold.
#pragma once

#include <cstring>

#include "filter.hpp"

namespace blkin::control {

template <typename T>
T value_at(const uint8_t* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// To 64 bits, a negative number with its sign.
template <typename T>
uint64_t widened(T value) noexcept {
  return static_cast<uint64_t>(value);  // NOLINT(bugprone-signed-char-misuse): the sign is wanted
}

template <typename To, typename From>
To bits(From value) noexcept {
  static_assert(sizeof(To) == sizeof(From));
  To out;
  std::memcpy(&out, &value, sizeof out);
  return out;
}

// Remembers how far it walked over the variable parts.
class FilterRun {
 public:
  FilterRun(const Filter& filter, const uint8_t* payload, uint32_t length,
            const ContextBlock& contexts) noexcept
      : parts_(filter.parts_.data()),
        payload_(payload),
        end_(payload + length),
        contexts_(contexts),
        base_(payload) {}

  // Where a value of so many bytes stands; null where it is not there.
  const uint8_t* find(const FilterPlace& place, uint32_t size) noexcept {
    return place.mode == FilterPlace::kFixed ? payload_ + place.offset : search(place, size);
  }

  template <typename T>
  bool read(const FilterPlace& place, T& value) noexcept {
    const uint8_t* at = find(place, sizeof value);
    if (at == nullptr) return false;
    std::memcpy(&value, at, sizeof value);
    return true;
  }

  // From a text's first byte to the end of what may be read.
  const char* text(const FilterPlace& place, size_t& room) noexcept {
    if (place.mode == FilterPlace::kContext) {
      room = kContextTextMax;
      return contexts_.text[place.offset].data();
    }
    const uint8_t* at = find(place, 1);
    if (at != nullptr) room = static_cast<size_t>(end_ - at);
    return reinterpret_cast<const char*>(at);
  }

  // A text up to its NUL.
  const char* whole_text(const FilterPlace& place, size_t& size) noexcept {
    const char* at = text(place, size);
    const void* nul = at == nullptr ? nullptr : std::memchr(at, 0, size);
    if (nul == nullptr) return nullptr;
    size = static_cast<size_t>(static_cast<const char*>(nul) - at);
    return at;
  }

 private:
  size_t left(const uint8_t* at) const noexcept { return static_cast<size_t>(end_ - at); }

  [[gnu::noinline]] const uint8_t* search(const FilterPlace& place, uint32_t size) noexcept {
    const uint8_t* at = behind(place.segment);
    if (at == nullptr || left(at) < place.offset) return nullptr;
    at += place.offset;
    if (place.mode == FilterPlace::kBehind) return left(at) < size ? nullptr : at;
    uint32_t count;
    if (left(at) < sizeof count) return nullptr;
    std::memcpy(&count, at, sizeof count);
    at += sizeof count;
    const uint64_t skip = uint64_t{place.index} * size;
    return place.index >= count || left(at) < skip + size ? nullptr : at + skip;
  }

  // Where the payload goes on after its first `segment` variable parts.
  const uint8_t* behind(uint16_t segment) noexcept {
    if (segment < walked_) base_ = payload_, walked_ = 0;
    for (; walked_ < segment; ++walked_) {
      const Filter::Part& part = parts_[walked_];
      if (left(base_) < part.before) return nullptr;
      const uint8_t* at = base_ + part.before;
      if (part.element_bytes == 0) {
        const void* nul = std::memchr(at, 0, left(at));
        if (nul == nullptr) return nullptr;
        base_ = static_cast<const uint8_t*>(nul) + 1;
      } else {
        uint32_t count;
        if (left(at) < sizeof count) return nullptr;
        std::memcpy(&count, at, sizeof count);
        const uint64_t bytes = sizeof count + uint64_t{count} * part.element_bytes;
        if (left(at) < bytes) return nullptr;
        base_ = at + bytes;
      }
    }
    return base_;
  }

  const Filter::Part* parts_;
  const uint8_t* payload_;
  const uint8_t* end_;
  const ContextBlock& contexts_;
  const uint8_t* base_;
  uint16_t walked_ = 0;
};

}  // namespace blkin::control
