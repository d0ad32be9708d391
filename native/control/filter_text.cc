// native/control/filter_text.cc: see filter_text.hpp.
#include "filter_text.hpp"

#include <algorithm>
#include <cstring>

namespace blkin::control {

bool filter_like(const char* pattern, size_t pattern_size, const char* text, size_t size) noexcept {
  const char* const pattern_end = pattern + pattern_size;
  const auto part_end = [&](const char* from) {
    const void* star =
        from == pattern_end ? nullptr : std::memchr(from, 0, static_cast<size_t>(pattern_end - from));
    return star == nullptr ? pattern_end : static_cast<const char*>(star);
  };
  const char* part = pattern;
  const char* stop = part_end(part);
  auto bytes = static_cast<size_t>(stop - part);
  if (bytes > size || std::memcmp(part, text, bytes) != 0) return false;
  if (stop == pattern_end) return bytes == size;
  text += bytes, size -= bytes;
  for (;;) {
    part = stop + 1;
    stop = part_end(part);
    bytes = static_cast<size_t>(stop - part);
    if (bytes > size) return false;
    if (stop == pattern_end) return std::memcmp(part, text + size - bytes, bytes) == 0;
    if (bytes == 0) continue;
    // The leftmost place leaves most to the parts behind.
    const auto* found = static_cast<const char*>(memmem(text, size, part, bytes));
    if (found == nullptr) return false;
    size -= static_cast<size_t>(found - text) + bytes;
    text = found + bytes;
  }
}

int filter_order(const char* a, size_t a_size, const char* b, size_t b_size) noexcept {
  const int common = std::memcmp(a, b, std::min(a_size, b_size));
  if (common != 0) return common < 0 ? -1 : 1;
  return a_size == b_size ? 0 : a_size < b_size ? -1 : 1;
}

}  // namespace blkin::control
