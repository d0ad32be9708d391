// native/control/filter_program.hpp: a filter as it came over a socket or out of a file, read into a tree.
// docs/filter.md draws the bytes; lib/filter/encode.ts writes them. Nothing here is believed before it was looked at:
// sizes, depth, names and texts are within their limits in every tree that read_program() gives.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace blkin::control {

constexpr uint8_t kFilterVersion = 1;
constexpr size_t kFilterBytesMax = 8192;
constexpr uint32_t kFilterDepthMax = 32;
constexpr size_t kFilterNameMax = 100;

// The numbers of lib/filter/encode.ts.
enum class FilterTag : uint8_t {
  kUnsigned = 0x01,  // 8 bytes
  kSigned = 0x02,    // 8 bytes, below 0
  kFloat = 0x03,     // 8 bytes, finite
  kText = 0x04,      // u16 length, UTF-8 in which a NUL stands for a star
  kField = 0x10,     // u8 length, name
  kElement = 0x11,   // u8 length, name, u32 index
  kContext = 0x12,   // u8 length, name
  kNot = 0x20,       // an operand each
  kMinus = 0x21,
  kPlus = 0x22,
  kComplement = 0x23,
  kEqual = 0x30,  // two operands each
  kUnequal = 0x31,
  kLess = 0x32,
  kLessEqual = 0x33,
  kGreater = 0x34,
  kGreaterEqual = 0x35,
  kShiftLeft = 0x40,
  kShiftRight = 0x41,
  kAnd = 0x50,  // u16 count, at least 2, then as many operands
  kOr = 0x51,
  kBitAnd = 0x52,
  kBitOr = 0x53,
  kBitXor = 0x54,
};

struct FilterNode {
  FilterTag tag;
  uint64_t bits = 0;   // a number, or the bits of a double; an element's index
  std::string text{};  // a name, or a text
  std::vector<FilterNode> operands{};
};

// False, and `why` says in words, where the bytes are no program.
bool read_program(const std::vector<uint8_t>& program, FilterNode& root, std::string& why);

}  // namespace blkin::control
