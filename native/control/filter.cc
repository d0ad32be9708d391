// native/control/filter.cc: runs a filter. See filter.hpp. On the path of every event of a filtered tracepoint.
#include "filter.hpp"

#include <algorithm>
#include <cstring>

#include "filter_payload.hpp"
#include "filter_text.hpp"

namespace blkin::control {

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
        value = widened(value_at<int8_t>(from));
        break;
      case FilterOp::kTestI16:
        value = widened(value_at<int16_t>(from));
        break;
      case FilterOp::kTestI32:
        value = widened(value_at<int32_t>(from));
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
      hit = widened(value) - step.range.low <= step.range.span;
    }
    return true;
  };
  const auto load = [&]<typename T>(T value, const FilterStep& step) {
    if (!run.read(step.place, value)) return false;
    if constexpr (std::is_floating_point_v<T>) regs[step.reg] = bits<uint64_t>(static_cast<double>(value));
    else regs[step.reg] = widened(value);
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
        hit = (step.pool.wanted >> (filter_order(text, size, other, other_size) + 1) & 1) != 0;
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
