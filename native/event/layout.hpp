// native/event/layout.hpp: where the parts of an event stand in its payload, told from its declaration once. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "../thrift/messages.hpp"
#include "channel.hpp"

namespace blkin::control {

constexpr uint32_t kLeastString = 4;    // the mark of a cut, and the NUL
constexpr uint32_t kLeastSequence = 4;  // the count

// What stands between the variable parts of an event's staging: see addon/emit_mixed.cc.
struct Layout {
  struct Part {
    uint32_t fixed_bytes;  // copied from staging before it
    thrift::Type type;     // kString, or a sequence's element
    bool sequence;
    uint32_t element_bytes;
    uint32_t
        least_after;  // what everything behind it takes at least: a string may be cut to fit, the rest may not
  };
  Event event{0};
  std::vector<Part> parts;
  uint32_t tail_bytes;  // copied after the last part
};

std::unique_ptr<const Layout> lay_out(const thrift::Tracepoint& tracepoint);

uint32_t bytes_of(thrift::Type type) noexcept;  // of one value; 0 for kString and kBytes

}  // namespace blkin::control
