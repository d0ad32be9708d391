// native/control/filter_text.hpp: how a filter compares texts. Pure; neither allocates.
#pragma once

#include <cstddef>

namespace blkin::control {

// Whether a text is what the pattern, in which a NUL stands for any run of bytes, describes. Linear but for memmem().
bool filter_like(const char* pattern, size_t pattern_size, const char* text, size_t size) noexcept;

// -1, 0 or 1, by bytes, which for UTF-8 is by code points.
int filter_order(const char* a, size_t a_size, const char* b, size_t b_size) noexcept;

}  // namespace blkin::control
