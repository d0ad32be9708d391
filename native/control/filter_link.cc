// native/control/filter_link.cc: a resolved tree becomes steps. Steps are made from the last to the first, since each
// must know those that follow it; so they only lead to lower numbers. See filter.hpp.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "filter_ops.hpp"
#include "filter_text.hpp"
#include "filter_types.hpp"
#include "layout.hpp"

namespace blkin::control {

// A node takes a byte of the program at least and makes 4 steps at most; each level takes a register.
static_assert(kFilterBytesMax * 4 < kFilterRefuse);
static_assert(kFilterDepthMax + 2 < kFilterRegisters);

namespace {

using thrift::Type;
using Wide = __int128;

double double_of(const TypedNode& constant) {
  if (constant.kind == FilterKind::kSigned) return static_cast<double>(static_cast<int64_t>(constant.bits));
  if (constant.kind == FilterKind::kUnsigned) return static_cast<double>(constant.bits);
  double value;
  std::memcpy(&value, &constant.bits, sizeof value);
  return value;
}

Wide wide_of(const TypedNode& constant) {
  return constant.kind == FilterKind::kSigned ? Wide{static_cast<int64_t>(constant.bits)}
                                              : Wide{constant.bits};
}

uint64_t bits_of(double value) {
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

}  // namespace

class FilterLinker {
 public:
  std::unique_ptr<const Filter> link(const TypedNode& root, const thrift::Tracepoint& tracepoint) {
    uint32_t fixed = 0;
    for (const thrift::Field& field : tracepoint.fields) {
      const bool bytes = field.type == Type::kBytes;
      if (bytes || field.type == Type::kString || field.shape == thrift::Shape::kSequence) {
        filter_->parts_.push_back({fixed, bytes ? 1 : bytes_of(field.type)});
        fixed = 0;
      } else {
        const uint32_t one = bytes_of(field.type == Type::kEnum ? field.container : field.type);
        fixed += one * (field.shape == thrift::Shape::kArray ? static_cast<uint32_t>(field.length) : 1);
      }
    }
    filter_->entry_ = condition(root, 0, kFilterPass, kFilterRefuse);
    return std::move(filter_);
  }

 private:
  struct Next {
    uint16_t yes, no;
  };

  FilterStep step(FilterOp op, uint8_t reg, Next next) {
    FilterStep out{};
    out.op = op;
    out.reg = reg;
    out.yes = next.yes;
    out.no = next.no;
    return out;
  }

  // A step that reads what the leaf stands for.
  FilterStep step_on(FilterOp op, uint8_t reg, Next next, const TypedNode& leaf) {
    FilterStep out = step(op, reg, next);
    out.place = leaf.place;
    const uint32_t bytes = leaf.type == Type::kString ? 1 : bytes_of(leaf.type);  // a NUL at least
    if (leaf.place.mode == FilterPlace::kFixed)
      filter_->least_ = std::max(filter_->least_, leaf.place.offset + bytes);
    if (leaf.place.mode == FilterPlace::kContext) filter_->contexts_used_ |= 1U << leaf.place.offset;
    return out;
  }

  uint16_t emit(const FilterStep& step) {
    const bool fixed = step.op == FilterOp::kTestContext || step.place.mode == FilterPlace::kFixed;
    filter_->plain_ = filter_->plain_ && step.op <= FilterOp::kTestContext && fixed;
    filter_->steps_.push_back(step);
    return static_cast<uint16_t>(filter_->steps_.size() - 1);
  }

  uint16_t constant(uint64_t bits, uint8_t reg, uint16_t next) {
    FilterStep out = step(FilterOp::kConstant, reg, {next, next});
    out.bits = bits;
    return emit(out);
  }

  // Where a run must begin to go on to `yes` where the node holds, else to `no`. Registers below `reg` are kept.
  uint16_t condition(const TypedNode& node, uint8_t reg, uint16_t yes, uint16_t no) {
    switch (node.tag) {
      case FilterTag::kUnsigned:
      case FilterTag::kSigned:
      case FilterTag::kFloat:
        return double_of(node) != 0 ? yes : no;
      case FilterTag::kNot:
        return condition(node.operands[0], reg, no, yes);
      case FilterTag::kAnd:
        for (auto one = node.operands.rbegin(); one != node.operands.rend(); ++one)
          yes = condition(*one, reg, yes, no);
        return yes;
      case FilterTag::kOr:
        for (auto one = node.operands.rbegin(); one != node.operands.rend(); ++one)
          no = condition(*one, reg, yes, no);
        return no;
      case FilterTag::kEqual:
      case FilterTag::kUnequal:
      case FilterTag::kLess:
      case FilterTag::kLessEqual:
      case FilterTag::kGreater:
      case FilterTag::kGreaterEqual:
        return comparison(node, reg, yes, no);
      default: {
        TypedNode zero;
        zero.tag = FilterTag::kUnsigned;
        zero.kind = FilterKind::kUnsigned;
        return numbers(FilterTag::kUnequal, node, zero, reg, {yes, no});
      }
    }
  }

  uint16_t comparison(const TypedNode& node, uint8_t reg, uint16_t yes, uint16_t no) {
    const TypedNode &left = node.operands[0], &right = node.operands[1];
    if (left.kind == FilterKind::kPattern)
      return written(mirrored(node.tag), right, *left.text, reg, {yes, no});
    if (right.kind == FilterKind::kPattern) return written(node.tag, left, *right.text, reg, {yes, no});
    if (left.kind != FilterKind::kText) return numbers(node.tag, left, right, reg, {yes, no});
    FilterStep out = step_on(FilterOp::kTextOrder, 0, {yes, no}, left);
    step_on(FilterOp::kTextOrder, 0, {yes, no}, right);  // for what it notes
    out.pool = {static_cast<uint32_t>(filter_->places_.size()), 0, wanted(node.tag), true};
    filter_->places_.push_back(right.place);
    return emit(out);
  }

  static uint8_t wanted(FilterTag tag) {
    switch (tag) {
      case FilterTag::kLess:
        return 0b001;
      case FilterTag::kLessEqual:
        return 0b011;
      case FilterTag::kEqual:
        return 0b010;
      case FilterTag::kUnequal:
        return 0b101;
      case FilterTag::kGreaterEqual:
        return 0b110;
      default:
        return 0b100;
    }
  }

  // A field or context against a string of the filter's own.
  uint16_t written(FilterTag tag, const TypedNode& leaf, const std::string& pattern, uint8_t reg, Next next) {
    if (leaf.labels != nullptr) return labels(tag, leaf, pattern, reg, next);
    const size_t stars = static_cast<size_t>(std::count(pattern.begin(), pattern.end(), '\0'));
    FilterOp op = FilterOp::kTextOrder;
    std::string text = pattern;
    if (tag == FilterTag::kEqual || tag == FilterTag::kUnequal) {
      if (tag == FilterTag::kUnequal) std::swap(next.yes, next.no);
      if (stars == 0) op = FilterOp::kTextIs, text.push_back('\0');
      else if (stars == 1 && text.back() == '\0') op = FilterOp::kTextStarts, text.pop_back();
      else op = FilterOp::kTextLike;
    }
    FilterStep out = step_on(op, 0, next, leaf);
    out.pool = {static_cast<uint32_t>(filter_->texts_.size()), static_cast<uint32_t>(text.size()),
                wanted(tag), false};
    filter_->texts_ += text;
    return emit(out);
  }

  uint16_t labels(FilterTag tag, const TypedNode& leaf, const std::string& pattern, uint8_t reg, Next next) {
    if (tag == FilterTag::kUnequal) std::swap(next.yes, next.no);
    std::vector<int64_t> values;
    for (const thrift::Label& one : *leaf.labels)
      if (filter_like(pattern.data(), pattern.size(), one.name.data(), one.name.size()))
        values.push_back(one.value);
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    if (static_cast<size_t>(values.back() - values.front()) + 1 == values.size())
      return range(leaf, values.front(), values.back(), reg, next);
    FilterStep out = step(FilterOp::kTestSet, reg, next);
    out.pool = {static_cast<uint32_t>(filter_->values_.size()), static_cast<uint32_t>(values.size()), 0,
                false};
    filter_->values_.insert(filter_->values_.end(), values.begin(), values.end());
    return value(leaf, reg, emit(out));
  }

  // Both are numbers.
  uint16_t numbers(FilterTag tag, const TypedNode& left, const TypedNode& right, uint8_t reg, Next next) {
    if (left.constant() && !right.constant()) return numbers(mirrored(tag), right, left, reg, next);
    if (tag == FilterTag::kUnequal) {  // also for a NaN, which equals nothing
      std::swap(next.yes, next.no);
      tag = FilterTag::kEqual;
    }
    const bool floats = left.kind == FilterKind::kFloat || right.kind == FilterKind::kFloat;
    if (floats) {
      if (right.constant() && left.leaf() && left.kind == FilterKind::kFloat)
        return float_range(tag, left, double_of(right), next);
    } else if (right.constant()) {
      return integer_range(tag, left, wide_of(right), reg, next);
    }
    if (tag == FilterTag::kGreater) return ordered(FilterTag::kLess, right, left, floats, reg, next);
    if (tag == FilterTag::kGreaterEqual)
      return ordered(FilterTag::kLessEqual, right, left, floats, reg, next);
    return ordered(tag, left, right, floats, reg, next);
  }

  // ==, < and <= between two that are both calculated.
  uint16_t ordered(FilterTag tag, const TypedNode& left, const TypedNode& right, bool floats, uint8_t reg,
                   Next next) {
    const bool less = tag == FilterTag::kLess, equal = tag == FilterTag::kEqual;
    const auto second = static_cast<uint8_t>(reg + 1);
    if (floats) {
      const FilterOp op = less    ? FilterOp::kFloatLess
                          : equal ? FilterOp::kFloatEqual
                                  : FilterOp::kFloatLessEqual;
      return as_float(left, reg, as_float(right, second, emit(step(op, reg, next))));
    }
    if (left.kind == right.kind) {
      if (equal) return both(left, right, reg, FilterOp::kEqual, next);
      const FilterOp op = left.kind == FilterKind::kSigned ? FilterOp::kLessSigned : FilterOp::kLessUnsigned;
      // a <= b is !(b < a)
      return less ? both(left, right, reg, op, next) : both(right, left, reg, op, {next.no, next.yes});
    }
    if (left.kind == FilterKind::kSigned) {
      const FilterOp op = less    ? FilterOp::kSignedLess
                          : equal ? FilterOp::kSignedEqual
                                  : FilterOp::kSignedLessEqual;
      return both(left, right, reg, op, next);
    }
    if (equal) return both(right, left, reg, FilterOp::kSignedEqual, next);
    return both(right, left, reg, less ? FilterOp::kSignedLessEqual : FilterOp::kSignedLess,
                {next.no, next.yes});
  }

  uint16_t both(const TypedNode& left, const TypedNode& right, uint8_t reg, FilterOp op, Next next) {
    return value(left, reg, value(right, static_cast<uint8_t>(reg + 1), emit(step(op, reg, next))));
  }

  uint16_t as_float(const TypedNode& node, uint8_t reg, uint16_t next) {
    if (node.constant()) return constant(bits_of(double_of(node)), reg, next);
    if (node.kind == FilterKind::kFloat) return value(node, reg, next);
    const bool is_signed = node.kind == FilterKind::kSigned;
    const FilterOp op = is_signed ? FilterOp::kFloatOfSigned : FilterOp::kFloatOfUnsigned;
    return value(node, reg, emit(step(op, reg, {next, next})));
  }

  uint16_t integer_range(FilterTag tag, const TypedNode& node, Wide than, uint8_t reg, Next next) {
    const bool is_signed = node.kind == FilterKind::kSigned;
    const Wide least = is_signed ? std::numeric_limits<int64_t>::min() : 0;
    const Wide most =
        is_signed ? Wide{std::numeric_limits<int64_t>::max()} : Wide{std::numeric_limits<uint64_t>::max()};
    Wide low = least, high = most;
    if (tag == FilterTag::kEqual) low = high = than;
    else if (tag == FilterTag::kLess) high = than - 1;
    else if (tag == FilterTag::kLessEqual) high = than;
    else if (tag == FilterTag::kGreater) low = than + 1;
    else low = than;
    low = std::max(low, least);
    high = std::min(high, most);
    if (low > high) {  // never; but the value must be there all the same
      std::swap(next.yes, next.no);
      low = least, high = most;
    }
    return range(node, low, high, reg, next);
  }

  uint16_t range(const TypedNode& node, Wide low, Wide high, uint8_t reg, Next next) {
    FilterStep out =
        node.leaf() ? step_on(test_of(node), 0, next, node) : step(FilterOp::kTestRegister, reg, next);
    out.range = {static_cast<uint64_t>(low), static_cast<uint64_t>(high - low)};
    const uint16_t at = emit(out);
    return node.leaf() ? at : value(node, reg, at);
  }

  uint16_t float_range(FilterTag tag, const TypedNode& leaf, double than, Next next) {
    constexpr double kInfinite = std::numeric_limits<double>::infinity();
    FilterStep out = step_on(test_of(leaf), 0, next, leaf);
    out.floats = {-kInfinite, kInfinite};
    if (tag == FilterTag::kEqual) out.floats = {than, than};
    else if (tag == FilterTag::kLess) out.floats.high = std::nextafter(than, -kInfinite);
    else if (tag == FilterTag::kLessEqual) out.floats.high = than;
    else if (tag == FilterTag::kGreater) out.floats.low = std::nextafter(than, kInfinite);
    else out.floats.low = than;
    return emit(out);
  }

  // Where a run must begin to go on to `next` with the node's value in the register.
  uint16_t value(const TypedNode& node, uint8_t reg, uint16_t next) {
    switch (node.tag) {
      case FilterTag::kUnsigned:
      case FilterTag::kSigned:
      case FilterTag::kFloat:
        return constant(node.bits, reg, next);
      case FilterTag::kField:
      case FilterTag::kElement:
      case FilterTag::kContext:
        return emit(step_on(load_of(node), reg, {next, next}, node));
      case FilterTag::kPlus:
        return value(node.operands[0], reg, next);
      case FilterTag::kMinus: {
        const bool is_float = node.kind == FilterKind::kFloat;
        const FilterOp op = is_float ? FilterOp::kMinusF64 : FilterOp::kMinus;
        return value(node.operands[0], reg, emit(step(op, reg, {next, next})));
      }
      case FilterTag::kComplement:
        return value(node.operands[0], reg, emit(step(FilterOp::kComplement, reg, {next, next})));
      case FilterTag::kBitAnd:
        return joined(node, FilterOp::kBitAnd, reg, next);
      case FilterTag::kBitOr:
        return joined(node, FilterOp::kBitOr, reg, next);
      case FilterTag::kBitXor:
        return joined(node, FilterOp::kBitXor, reg, next);
      case FilterTag::kShiftLeft:
        return joined(node, FilterOp::kShiftLeft, reg, next);
      case FilterTag::kShiftRight:
        return joined(node, FilterOp::kShiftRight, reg, next);
      default: {  // a condition
        const uint16_t no = constant(0, reg, next);
        return condition(node, reg, constant(1, reg, next), no);
      }
    }
  }

  uint16_t joined(const TypedNode& node, FilterOp op, uint8_t reg, uint16_t next) {
    for (size_t i = node.operands.size() - 1; i > 0; --i)
      next = value(node.operands[i], static_cast<uint8_t>(reg + 1), emit(step(op, reg, {next, next})));
    return value(node.operands[0], reg, next);
  }

  std::unique_ptr<Filter> filter_ = std::make_unique<Filter>();
};

std::unique_ptr<const Filter> link_filter(const std::vector<uint8_t>& program,
                                          const thrift::Tracepoint& tracepoint,
                                          const std::vector<FilterContext>& contexts, std::string& why) {
  FilterNode root;
  TypedNode typed;
  if (!read_program(program, root, why) || !resolve_filter(root, tracepoint, contexts, typed, why))
    return nullptr;
  return FilterLinker().link(typed, tracepoint);
}

bool valid_program(const std::vector<uint8_t>& program, std::string& why) {
  FilterNode root;
  return read_program(program, root, why);
}

}  // namespace blkin::control
