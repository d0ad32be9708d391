// native/event/layout.cc: see layout.hpp.
#include "layout.hpp"

namespace blkin::control {

using thrift::Shape;
using thrift::Type;

uint32_t bytes_of(Type type) noexcept {
  switch (type) {
    case Type::kU8:
    case Type::kI8:
    case Type::kBool:
      return 1;
    case Type::kU16:
    case Type::kI16:
      return 2;
    case Type::kU32:
    case Type::kI32:
    case Type::kF32:
      return 4;
    case Type::kU64:
    case Type::kI64:
    case Type::kF64:
      return 8;
    case Type::kString:
    case Type::kEnum:
    case Type::kBytes:
      return 0;
  }
  return 0;
}

std::unique_ptr<const Layout> lay_out(const thrift::Tracepoint& tracepoint) {
  auto layout = std::make_unique<Layout>();
  layout->event = Event(static_cast<uint16_t>(tracepoint.id), channel_of(tracepoint.provider));
  uint32_t fixed = 0;
  for (const thrift::Field& field : tracepoint.fields) {
    const bool bytes = field.type == Type::kBytes;
    if (field.type == Type::kString || bytes || field.shape == Shape::kSequence) {
      layout->parts.push_back(
          {fixed, field.type, field.type != Type::kString, bytes ? 1 : bytes_of(field.type), 0});
      fixed = 0;
    } else {
      const uint32_t one = bytes_of(field.type == Type::kEnum ? field.container : field.type);
      fixed += one * (field.shape == Shape::kArray ? static_cast<uint32_t>(field.length) : 1);
    }
  }
  layout->tail_bytes = fixed;
  uint32_t behind = fixed;
  for (auto part = layout->parts.rbegin(); part != layout->parts.rend(); ++part) {
    part->least_after = behind;
    behind += part->fixed_bytes + (part->sequence ? kLeastSequence : kLeastString);
  }
  return layout;
}

}  // namespace blkin::control
