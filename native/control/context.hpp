// native/control/context.hpp: what can be told of the moment of an event beside its fields. A session adds contexts to
// its events, a filter asks for them; what nobody wants is never worked out. The table is the one place that numbers
// them: a slot is an index into a thread's ContextBlock.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "../thrift/messages.hpp"

namespace blkin::control {

constexpr size_t kContextsMax = 32;     // built in, and registered by the program
constexpr size_t kContextTextMax = 64;  // bytes of a text, its NUL included: longer ones are cut

// The values of one thread's moment. A number is an i64, a u64, or the bits of a double, by its type; a bool is 0 or 1.
struct ContextBlock {
  std::array<uint64_t, kContextsMax> number;
  std::array<std::array<char, kContextTextMax>, kContextsMax> text;
};

struct ContextSlot {
  std::string_view name;
  thrift::Type type;  // as it stands in a record; any scalar but kEnum and kBytes
  enum Source {
    kAddon,
    kScript
  } source;  // who puts it into the block: C++, or JavaScript before the native call
};

// In the order of their slots. Those that the program registers come behind.
constexpr ContextSlot kBuiltIn[] = {
    {"tid", thrift::Type::kI32, ContextSlot::kAddon},
    {"thread", thrift::Type::kString, ContextSlot::kAddon},
    {"cpu", thrift::Type::kU32, ContextSlot::kAddon},
    {"span", thrift::Type::kU64, ContextSlot::kScript},        // 0: none
    {"trace_high", thrift::Type::kU64, ContextSlot::kScript},  // the upper half of a 128-bit trace id
    {"trace_low", thrift::Type::kU64, ContextSlot::kScript},
    {"elu", thrift::Type::kF64, ContextSlot::kScript},  // event loop utilisation, 0 to 1
    {"async_id", thrift::Type::kI64, ContextSlot::kScript},
};

}  // namespace blkin::control
