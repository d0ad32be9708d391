// native/control/filter.cc: runs a filter. See filter.hpp. On the path of every event of a filtered tracepoint.
#include "filter.hpp"

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

// One event: finds values in its payload. Remembers how far it walked over the variable parts.
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

namespace {

template <typename T>
T value_at(const uint8_t* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <typename To, typename From>
To bits(From value) noexcept {
  static_assert(sizeof(To) == sizeof(From));
  To out;
  std::memcpy(&out, &value, sizeof out);
  return out;
}

// -1, 0 or 1, by bytes, which for UTF-8 is by code points.
int order(const char* a, size_t a_size, const char* b, size_t b_size) noexcept {
  const int common = std::memcmp(a, b, std::min(a_size, b_size));
  if (common != 0) return common < 0 ? -1 : 1;
  return a_size == b_size ? 0 : a_size < b_size ? -1 : 1;
}

}  // namespace

bool Filter::passes(const uint8_t* payload, uint32_t length, const ContextBlock& contexts) const noexcept {
  if (length < least_) return false;
  return plain_ ? compare(payload, contexts) : run(payload, length, contexts);
}

// Most filters compare integers at fixed places with numbers or labels. They need neither registers nor a walk, and so
// not the frame that run() has: it would cost them more than their steps.
bool Filter::compare(const uint8_t* payload, const ContextBlock& contexts) const noexcept {
  const FilterStep* const steps = steps_.data();
  uint16_t at = entry_;
  while (at < kFilterRefuse) {
    const FilterStep& step = steps[at];
    const uint8_t* const from = payload + step.place.offset;
    uint64_t value = 0;
    switch (step.op) {
      case FilterOp::kTestU8:
        value = *from;
        break;
      case FilterOp::kTestU16:
        value = value_at<uint16_t>(from);
        break;
      case FilterOp::kTestU32:
        value = value_at<uint32_t>(from);
        break;
      case FilterOp::kTestI8:
        value = static_cast<uint64_t>(value_at<int8_t>(from));
        break;
      case FilterOp::kTestI16:
        value = static_cast<uint64_t>(value_at<int16_t>(from));
        break;
      case FilterOp::kTestI32:
        value = static_cast<uint64_t>(value_at<int32_t>(from));
        break;
      case FilterOp::kTest64:
        value = value_at<uint64_t>(from);
        break;
      case FilterOp::kTestContext:
        value = contexts.number[step.place.offset];
        break;
      default:
        __builtin_unreachable();
    }
    at = value - step.range.low <= step.range.span ? step.yes : step.no;
  }
  return at == kFilterPass;
}

bool Filter::run(const uint8_t* payload, uint32_t length, const ContextBlock& contexts) const noexcept {
  FilterRun run(*this, payload, length, contexts);
  uint64_t regs[kFilterRegisters];
  const FilterStep* const steps = steps_.data();

  // `false` from these two: the value is not there.
  const auto test = [&]<typename T>(T value, const FilterStep& step, bool& hit) {
    if (!run.read(step.place, value)) return false;
    if constexpr (std::is_floating_point_v<T>) {
      hit = value >= step.floats.low && value <= step.floats.high;
    } else {
      hit = static_cast<uint64_t>(value) - step.range.low <= step.range.span;
    }
    return true;
  };
  const auto load = [&]<typename T>(T value, const FilterStep& step) {
    if (!run.read(step.place, value)) return false;
    if constexpr (std::is_floating_point_v<T>) regs[step.reg] = bits<uint64_t>(static_cast<double>(value));
    else regs[step.reg] = static_cast<uint64_t>(value);
    return true;
  };

  uint16_t at = entry_;
  while (at < kFilterRefuse) {
    const FilterStep& step = steps[at];
    uint64_t* const reg = regs + step.reg;
    bool hit = true;
    size_t size = 0, other_size = 0;
    switch (step.op) {
      case FilterOp::kTestU8:
        if (!test(uint8_t{}, step, hit)) return false;
        break;
      case FilterOp::kTestU16:
        if (!test(uint16_t{}, step, hit)) return false;
        break;
      case FilterOp::kTestU32:
        if (!test(uint32_t{}, step, hit)) return false;
        break;
      case FilterOp::kTest64:
        if (!test(uint64_t{}, step, hit)) return false;
        break;
      case FilterOp::kTestI8:
        if (!test(int8_t{}, step, hit)) return false;
        break;
      case FilterOp::kTestI16:
        if (!test(int16_t{}, step, hit)) return false;
        break;
      case FilterOp::kTestI32:
        if (!test(int32_t{}, step, hit)) return false;
        break;
      case FilterOp::kTestF32:
        if (!test(float{}, step, hit)) return false;
        break;
      case FilterOp::kTestF64:
        if (!test(double{}, step, hit)) return false;
        break;
      case FilterOp::kTestContext:
        hit = contexts.number[step.place.offset] - step.range.low <= step.range.span;
        break;
      case FilterOp::kTestContextF64: {
        const auto value = bits<double>(contexts.number[step.place.offset]);
        hit = value >= step.floats.low && value <= step.floats.high;
        break;
      }
      case FilterOp::kTestRegister:
        hit = *reg - step.range.low <= step.range.span;
        break;
      case FilterOp::kTestSet: {
        const int64_t* const from = values_.data() + step.pool.at;
        hit = std::binary_search(from, from + step.pool.size, static_cast<int64_t>(*reg));
        break;
      }
      case FilterOp::kEqual:
        hit = reg[0] == reg[1];
        break;
      case FilterOp::kLessSigned:
        hit = static_cast<int64_t>(reg[0]) < static_cast<int64_t>(reg[1]);
        break;
      case FilterOp::kLessUnsigned:
        hit = reg[0] < reg[1];
        break;
      case FilterOp::kSignedLess:
        hit = static_cast<int64_t>(reg[0]) < 0 || reg[0] < reg[1];
        break;
      case FilterOp::kSignedLessEqual:
        hit = static_cast<int64_t>(reg[0]) < 0 || reg[0] <= reg[1];
        break;
      case FilterOp::kSignedEqual:
        hit = static_cast<int64_t>(reg[0]) >= 0 && reg[0] == reg[1];
        break;
      case FilterOp::kFloatEqual:
        hit = bits<double>(reg[0]) == bits<double>(reg[1]);
        break;
      case FilterOp::kFloatLess:
        hit = bits<double>(reg[0]) < bits<double>(reg[1]);
        break;
      case FilterOp::kFloatLessEqual:
        hit = bits<double>(reg[0]) <= bits<double>(reg[1]);
        break;
      case FilterOp::kTextIs:
      case FilterOp::kTextStarts: {
        const char* text = run.text(step.place, size);
        if (text == nullptr) return false;
        hit = size >= step.pool.size && std::memcmp(text, texts_.data() + step.pool.at, step.pool.size) == 0;
        break;
      }
      case FilterOp::kTextLike: {
        const char* text = run.whole_text(step.place, size);
        if (text == nullptr) return false;
        hit = filter_like(texts_.data() + step.pool.at, step.pool.size, text, size);
        break;
      }
      case FilterOp::kTextOrder: {
        const char* text = run.whole_text(step.place, size);
        const char* other = texts_.data() + step.pool.at;
        other_size = step.pool.size;
        if (step.pool.two) other = run.whole_text(places_[step.pool.at], other_size);
        if (text == nullptr || other == nullptr) return false;
        hit = (step.pool.wanted >> (order(text, size, other, other_size) + 1) & 1) != 0;
        break;
      }
      case FilterOp::kLoadU8:
        if (!load(uint8_t{}, step)) return false;
        break;
      case FilterOp::kLoadU16:
        if (!load(uint16_t{}, step)) return false;
        break;
      case FilterOp::kLoadU32:
        if (!load(uint32_t{}, step)) return false;
        break;
      case FilterOp::kLoad64:
        if (!load(uint64_t{}, step)) return false;
        break;
      case FilterOp::kLoadI8:
        if (!load(int8_t{}, step)) return false;
        break;
      case FilterOp::kLoadI16:
        if (!load(int16_t{}, step)) return false;
        break;
      case FilterOp::kLoadI32:
        if (!load(int32_t{}, step)) return false;
        break;
      case FilterOp::kLoadF32:
        if (!load(float{}, step)) return false;
        break;
      case FilterOp::kLoadF64:
        if (!load(double{}, step)) return false;
        break;
      case FilterOp::kLoadContext:
        *reg = contexts.number[step.place.offset];
        break;
      case FilterOp::kConstant:
        *reg = step.bits;
        break;
      case FilterOp::kBitAnd:
        reg[0] &= reg[1];
        break;
      case FilterOp::kBitOr:
        reg[0] |= reg[1];
        break;
      case FilterOp::kBitXor:
        reg[0] ^= reg[1];
        break;
      case FilterOp::kShiftLeft:
        if (reg[1] > 63) return false;
        reg[0] <<= reg[1];
        break;
      case FilterOp::kShiftRight:
        if (reg[1] > 63) return false;
        reg[0] >>= reg[1];
        break;
      case FilterOp::kComplement:
        *reg = ~*reg;
        break;
      case FilterOp::kMinus:
        *reg = 0 - *reg;
        break;
      case FilterOp::kMinusF64:
        *reg = bits<uint64_t>(-bits<double>(*reg));
        break;
      case FilterOp::kFloatOfSigned:
        *reg = bits<uint64_t>(static_cast<double>(static_cast<int64_t>(*reg)));
        break;
      case FilterOp::kFloatOfUnsigned:
        *reg = bits<uint64_t>(static_cast<double>(*reg));
        break;
    }
    at = hit ? step.yes : step.no;
  }
  return at == kFilterPass;
}

}  // namespace blkin::control
