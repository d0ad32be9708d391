// native/test/filter_program.hpp: a filter's program, put together in C++ as lib/filter/encode.ts does in TypeScript,
// so that `all({equal(field("op"), text("read")), ...})` reads like the filter. Used by the tests of native/control.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "control/filter_program.hpp"

namespace blkin::test {

using control::FilterTag;
using Bytes = std::vector<uint8_t>;

template <typename T>
Bytes with(FilterTag tag, T value) {
  Bytes out(1 + sizeof value, static_cast<uint8_t>(tag));
  std::memcpy(out.data() + 1, &value, sizeof value);
  return out;
}
inline Bytes concat(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}
inline Bytes named(FilterTag tag, const std::string& name) {
  return concat(with(tag, static_cast<uint8_t>(name.size())), Bytes(name.begin(), name.end()));
}

inline Bytes number(uint64_t value) { return with(FilterTag::kUnsigned, value); }
inline Bytes below_zero(int64_t value) { return with(FilterTag::kSigned, value); }
inline Bytes real(double value) { return with(FilterTag::kFloat, value); }
inline Bytes text(std::string value) {  // `*` stands for any run of bytes
  for (char& c : value) c = c == '*' ? '\0' : c;
  return concat(with(FilterTag::kText, static_cast<uint16_t>(value.size())),
                Bytes(value.begin(), value.end()));
}
inline Bytes field(const std::string& name) { return named(FilterTag::kField, name); }
inline Bytes element(const std::string& name, uint32_t index) {
  Bytes out = named(FilterTag::kElement, name);
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<uint8_t>(index >> (8 * i)));
  return out;
}
inline Bytes context(const std::string& name) { return named(FilterTag::kContext, name); }
inline Bytes op(FilterTag tag, const Bytes& operand) { return concat({static_cast<uint8_t>(tag)}, operand); }
inline Bytes op(FilterTag tag, const Bytes& left, const Bytes& right) { return concat(op(tag, left), right); }
inline Bytes join(FilterTag tag, const std::vector<Bytes>& operands) {
  Bytes out = with(tag, static_cast<uint16_t>(operands.size()));
  for (const Bytes& one : operands) out = concat(std::move(out), one);
  return out;
}
inline Bytes program(const Bytes& root) { return concat({control::kFilterVersion}, root); }

}  // namespace blkin::test
