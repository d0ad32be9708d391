// native/control/filter_program.cc: see filter_program.hpp.
#include "filter_program.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace blkin::control {

namespace {

bool is_name(const std::string& name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && name.size() <= kFilterNameMax && letter(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

// Well-formed, as the standard says: no long forms, no surrogates, nothing above U+10FFFF. Texts go into messages.
bool is_utf8(const std::string& text) {
  const auto at = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0}; };
  for (size_t i = 0; i < text.size();) {
    const uint8_t first = at(i);
    const size_t bytes = first < 0x80                     ? 1
                         : first >= 0xC2 && first <= 0xDF ? 2
                         : (first & 0xF0) == 0xE0         ? 3
                         : first >= 0xF0 && first <= 0xF4 ? 4
                                                          : 0;
    if (bytes == 0) return false;
    for (size_t k = 1; k < bytes; ++k)
      if ((at(i + k) & 0xC0) != 0x80) return false;
    const uint8_t second = at(i + 1);
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
        (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F))
      return false;
    i += bytes;
  }
  return true;
}

class ProgramReader {
 public:
  explicit ProgramReader(const std::vector<uint8_t>& program) : bytes_(program) {}

  bool read(FilterNode& root) {
    if (bytes_.size() > kFilterBytesMax)
      return fail("it has " + std::to_string(bytes_.size()) + " bytes; expected at most " +
                  std::to_string(kFilterBytesMax));
    if (const auto version = number<uint8_t>(); ok() && version != kFilterVersion)
      return fail("its version is " + std::to_string(version) + "; expected " +
                  std::to_string(kFilterVersion));
    node(root, 1);
    if (ok() && at_ != bytes_.size())
      return fail(std::to_string(bytes_.size() - at_) + " bytes stand behind its end");
    return ok();
  }

  const std::string& why() const { return why_; }

 private:
  bool ok() const { return why_.empty(); }
  bool fail(const std::string& what) {
    if (ok()) why_ = "the filter's program is damaged at byte " + std::to_string(at_) + ": " + what;
    return false;
  }
  bool left(size_t bytes) { return bytes_.size() - at_ >= bytes || fail("it ends too early"); }

  template <typename T>
  T number() {
    T value{};
    if (!ok() || !left(sizeof value)) return value;
    std::memcpy(&value, bytes_.data() + at_, sizeof value);  // little-endian, as the machine
    at_ += sizeof value;
    return value;
  }
  std::string string(size_t size) {
    if (!ok() || !left(size)) return {};
    const auto* from = reinterpret_cast<const char*>(bytes_.data()) + at_;
    at_ += size;
    return {from, size};
  }

  void operands(FilterNode& out, size_t count, uint32_t depth) {
    // Every operand takes a byte at least. Room is not made up front: what a count says costs nothing yet.
    if (!ok() || !left(count)) return;
    for (; ok() && count > 0; --count) node(out.operands.emplace_back(), depth + 1);
  }

  void node(FilterNode& out, uint32_t depth) {
    if (depth > kFilterDepthMax)
      return void(fail("it is nested deeper than " + std::to_string(kFilterDepthMax) + " levels"));
    out.tag = static_cast<FilterTag>(number<uint8_t>());
    if (!ok()) return;
    switch (out.tag) {
      case FilterTag::kUnsigned:
        out.bits = number<uint64_t>();
        return;
      case FilterTag::kSigned:
        out.bits = number<uint64_t>();
        if (ok() && static_cast<int64_t>(out.bits) >= 0) fail("a signed number is not below 0");
        return;
      case FilterTag::kFloat: {
        const auto value = number<double>();
        if (!std::isfinite(value)) fail("a number is not finite");
        std::memcpy(&out.bits, &value, sizeof value);
        return;
      }
      case FilterTag::kText:
        out.text = string(number<uint16_t>());
        if (!is_utf8(out.text)) fail("a text is no UTF-8");
        return;
      case FilterTag::kField:
      case FilterTag::kElement:
      case FilterTag::kContext:
        out.text = string(number<uint8_t>());
        if (ok() && !is_name(out.text)) fail("a name is not made of 1 to 100 letters, digits and _");
        if (out.tag == FilterTag::kElement) out.bits = number<uint32_t>();
        return;
      case FilterTag::kNot:
      case FilterTag::kMinus:
      case FilterTag::kPlus:
      case FilterTag::kComplement:
        return operands(out, 1, depth);
      case FilterTag::kEqual:
      case FilterTag::kUnequal:
      case FilterTag::kLess:
      case FilterTag::kLessEqual:
      case FilterTag::kGreater:
      case FilterTag::kGreaterEqual:
      case FilterTag::kShiftLeft:
      case FilterTag::kShiftRight:
        return operands(out, 2, depth);
      case FilterTag::kAnd:
      case FilterTag::kOr:
      case FilterTag::kBitAnd:
      case FilterTag::kBitOr:
      case FilterTag::kBitXor: {
        const auto count = number<uint16_t>();
        if (ok() && count < 2) fail("an operator that joins has fewer than 2 operands");
        return operands(out, count, depth);
      }
    }
    --at_;
    fail("no part of a filter begins with " + std::to_string(static_cast<int>(out.tag)));
  }

  const std::vector<uint8_t>& bytes_;
  size_t at_ = 0;
  std::string why_;
};

}  // namespace

bool read_program(const std::vector<uint8_t>& program, FilterNode& root, std::string& why) {
  ProgramReader reader(program);
  const bool ok = reader.read(root);
  if (!ok) why = reader.why();
  return ok;
}

}  // namespace blkin::control
