// native/control/filter_types.cc: see filter_types.hpp.
#include "filter_types.hpp"

#include <algorithm>

#include "filter_text.hpp"
#include "layout.hpp"

namespace blkin::control {

namespace {

using thrift::Field;
using thrift::Shape;
using thrift::Type;

constexpr size_t kListedMax = 12;

template <typename List, typename NameOf>
std::string listed(const List& list, NameOf name_of) {
  std::string out;
  for (size_t i = 0; i < list.size() && i < kListedMax; ++i) out += (i > 0 ? ", " : "") + name_of(list[i]);
  if (list.size() > kListedMax) out += " and " + std::to_string(list.size() - kListedMax) + " more";
  return out;
}

std::string quoted(std::string text) {
  std::replace(text.begin(), text.end(), '\0', '*');
  return '"' + text + '"';
}

const char* spelling(FilterTag tag) {
  switch (tag) {
    case FilterTag::kMinus:
      return "-";
    case FilterTag::kPlus:
      return "+";
    case FilterTag::kComplement:
      return "~";
    case FilterTag::kShiftLeft:
      return "<<";
    case FilterTag::kShiftRight:
      return ">>";
    case FilterTag::kBitAnd:
      return "&";
    case FilterTag::kBitOr:
      return "|";
    case FilterTag::kBitXor:
      return "^";
    default:
      return "this operator";
  }
}

// What the tree says of a node, for messages.
std::string shown(const FilterNode& node) {
  switch (node.tag) {
    case FilterTag::kField:
      return node.text;
    case FilterTag::kElement:
      return node.text + "[" + std::to_string(node.bits) + "]";
    case FilterTag::kContext:
      return "$ctx." + node.text;
    case FilterTag::kText:
      return quoted(node.text);
    default:
      return "an operand";
  }
}

FilterKind kind_of(Type type) {
  switch (type) {
    case Type::kI8:
    case Type::kI16:
    case Type::kI32:
    case Type::kI64:
      return FilterKind::kSigned;
    case Type::kF32:
    case Type::kF64:
      return FilterKind::kFloat;
    case Type::kString:
      return FilterKind::kText;
    default:
      return FilterKind::kUnsigned;
  }
}

class Resolver {
 public:
  Resolver(const thrift::Tracepoint& tracepoint, const std::vector<FilterContext>& contexts)
      : tracepoint_(tracepoint), contexts_(contexts) {}

  const std::string& why() const { return why_; }

  bool truth(const FilterNode& node, TypedNode& out) {
    if (!resolve(node, out)) return false;
    return !is_text(out) || fail(shown(node) + " is a string, which is neither true nor false");
  }

 private:
  static bool is_text(const TypedNode& node) {
    return node.kind == FilterKind::kText || node.kind == FilterKind::kPattern;
  }
  bool fail(std::string what) {
    why_ = std::move(what);
    return false;
  }

  bool number(const FilterNode& node, FilterTag user, TypedNode& out) {
    if (!resolve(node, out)) return false;
    return !is_text(out) || fail(shown(node) + " is a string; " + spelling(user) + " takes numbers");
  }
  bool integer(const FilterNode& node, FilterTag user, TypedNode& out) {
    if (!number(node, user, out)) return false;
    return out.kind != FilterKind::kFloat ||
           fail(shown(node) + " is a floating-point number; " + spelling(user) + " takes integers");
  }

  bool resolve(const FilterNode& node, TypedNode& out) {
    out.tag = node.tag;
    out.bits = node.bits;
    out.text = &node.text;
    out.operands.resize(node.operands.size());
    switch (node.tag) {
      case FilterTag::kUnsigned:
        out.kind = FilterKind::kUnsigned;
        return true;
      case FilterTag::kSigned:
        out.kind = FilterKind::kSigned;
        return true;
      case FilterTag::kFloat:
        out.kind = FilterKind::kFloat;
        return true;
      case FilterTag::kText:
        out.kind = FilterKind::kPattern;
        return true;
      case FilterTag::kField:
      case FilterTag::kElement:
        return field(node, out);
      case FilterTag::kContext:
        return context(node, out);
      case FilterTag::kNot:
      case FilterTag::kAnd:
      case FilterTag::kOr:
        out.kind = FilterKind::kUnsigned;
        for (size_t i = 0; i < node.operands.size(); ++i)
          if (!truth(node.operands[i], out.operands[i])) return false;
        return true;
      case FilterTag::kMinus:
      case FilterTag::kPlus:
        if (!number(node.operands[0], node.tag, out.operands[0])) return false;
        out.kind = out.operands[0].kind;
        if (node.tag == FilterTag::kMinus && out.integer()) out.kind = FilterKind::kSigned;
        return fold(out);
      case FilterTag::kComplement:
      case FilterTag::kBitAnd:
      case FilterTag::kBitOr:
      case FilterTag::kBitXor:
      case FilterTag::kShiftLeft:
      case FilterTag::kShiftRight:
        out.kind = FilterKind::kUnsigned;
        for (size_t i = 0; i < node.operands.size(); ++i)
          if (!integer(node.operands[i], node.tag, out.operands[i])) return false;
        return shift_fits(node) && fold(out);
      default:
        out.kind = FilterKind::kUnsigned;
        return comparison(node, out);
    }
  }

  bool shift_fits(const FilterNode& node) {
    if (node.tag != FilterTag::kShiftLeft && node.tag != FilterTag::kShiftRight) return true;
    const FilterNode& by = node.operands[1];
    const bool given = by.tag == FilterTag::kUnsigned || by.tag == FilterTag::kSigned;
    return !given || by.bits < 64 || fail("a shift by a number that is not from 0 to 63");
  }

  // Integers that follow from constants alone are constants.
  bool fold(TypedNode& out) {
    const auto& given = out.operands;
    const auto known = [](const TypedNode& one) { return one.constant() && one.integer(); };
    if (!std::all_of(given.begin(), given.end(), known)) return true;
    uint64_t value = given[0].bits;
    for (size_t i = 1; i < given.size(); ++i) {
      const uint64_t other = given[i].bits;
      if (out.tag == FilterTag::kBitAnd) value &= other;
      else if (out.tag == FilterTag::kBitOr) value |= other;
      else if (out.tag == FilterTag::kBitXor) value ^= other;
      else if (other > 63) return true;  // refuses every event that comes so far
      else value = out.tag == FilterTag::kShiftLeft ? value << other : value >> other;
    }
    if (out.tag == FilterTag::kMinus) value = 0 - value;
    else if (out.tag == FilterTag::kComplement) value = ~value;
    out.tag = out.kind == FilterKind::kSigned ? FilterTag::kSigned : FilterTag::kUnsigned;
    out.bits = value;
    out.operands.clear();
    return true;
  }

  bool comparison(const FilterNode& node, TypedNode& out) {
    TypedNode &left = out.operands[0], &right = out.operands[1];
    const FilterNode &left_node = node.operands[0], &right_node = node.operands[1];
    if (!resolve(left_node, left) || !resolve(right_node, right)) return false;
    const bool ordering = node.tag != FilterTag::kEqual && node.tag != FilterTag::kUnequal;
    const bool left_written = left.kind == FilterKind::kPattern;
    if (left_written && right.kind == FilterKind::kPattern)
      return fail("compares two strings that are both written out");
    if (left_written || right.kind == FilterKind::kPattern) {
      const TypedNode& pattern = left_written ? left : right;
      const TypedNode& other = left_written ? right : left;
      const FilterNode& other_node = left_written ? right_node : left_node;
      if (other.kind != FilterKind::kText && other.labels == nullptr)
        return fail("compares " + shown(other_node) + ", a number, with the string " + quoted(*pattern.text));
      if (ordering && pattern.text->find('\0') != std::string::npos)
        return fail("an ordering takes no pattern; expected == or !=");
      if (other.labels == nullptr) return true;
      if (ordering) return fail(shown(other_node) + " is an enum: its labels have no order");
      return label(other, *pattern.text);
    }
    if (is_text(left) != is_text(right)) {
      const bool first = is_text(left);
      return fail("compares " + shown(first ? left_node : right_node) + ", a string, with " +
                  shown(first ? right_node : left_node) + ", which is none");
    }
    return true;
  }

  bool label(const TypedNode& enumeration, const std::string& pattern) {
    const auto& labels = *enumeration.labels;
    const auto like = [&](const thrift::Label& one) {
      return filter_like(pattern.data(), pattern.size(), one.name.data(), one.name.size());
    };
    if (std::any_of(labels.begin(), labels.end(), like)) return true;
    return fail(*enumeration.text + " has no label " + quoted(pattern) + "; it has " +
                listed(labels, [](const thrift::Label& one) { return quoted(one.name); }));
  }

  bool field(const FilterNode& node, TypedNode& out) {
    uint64_t offset = 0;
    uint32_t segment = 0;
    for (const Field& one : tracepoint_.fields) {
      const bool bytes = one.type == Type::kBytes;
      const bool sequence = bytes || one.shape == Shape::kSequence;
      const Type type = bytes ? Type::kU8 : one.type == Type::kEnum ? one.container : one.type;
      const uint32_t size = type == Type::kString ? 0 : bytes_of(type);
      const auto count = one.shape == Shape::kArray ? static_cast<uint32_t>(std::max(one.length, 0)) : 1;
      if (one.name != node.text) {
        if (sequence || type == Type::kString) ++segment, offset = 0;
        else offset += uint64_t{size} * count;
        continue;
      }
      const bool list = sequence || one.shape == Shape::kArray;
      if (list && node.tag == FilterTag::kField)
        return fail(one.name + " is a list of values; expected one of its elements, such as " + one.name +
                    "[0]");
      if (!list && node.tag == FilterTag::kElement) return fail(one.name + " has no elements");
      if (list && !sequence && node.bits >= count)
        return fail(one.name + " has " + std::to_string(count) + " elements; expected an index from 0 to " +
                    std::to_string(int64_t{count} - 1));
      if (list && !sequence) offset += node.bits * size;
      if (offset > kFilterOffsetMax || segment > kFilterSegmentMax)
        return fail(one.name + " stands too far behind in " + tracepoint_.event);
      out.type = type;
      out.kind = kind_of(type);
      if (one.type == Type::kEnum) out.labels = &one.labels;
      out.place.mode = sequence      ? FilterPlace::kElement
                       : segment > 0 ? FilterPlace::kBehind
                                     : FilterPlace::kFixed;
      out.place.segment = static_cast<uint8_t>(segment);
      out.place.offset = static_cast<uint16_t>(offset);
      out.place.index = static_cast<uint32_t>(node.bits);
      return true;
    }
    const auto& fields = tracepoint_.fields;
    return fail(tracepoint_.provider + ":" + tracepoint_.event + " has no field \"" + node.text +
                "\"; it has " +
                (fields.empty() ? "no fields" : listed(fields, [](const Field& one) { return one.name; })));
  }

  bool context(const FilterNode& node, TypedNode& out) {
    for (const FilterContext& one : contexts_) {
      if (one.name != node.text || one.slot >= kContextsMax) continue;
      out.type = one.type;
      out.kind = kind_of(one.type);
      out.place.mode = FilterPlace::kContext;
      out.place.offset = static_cast<uint16_t>(one.slot);
      return true;
    }
    return fail("there is no context \"" + node.text + "\"; there are " +
                listed(contexts_, [](const FilterContext& one) { return one.name; }));
  }

  const thrift::Tracepoint& tracepoint_;
  const std::vector<FilterContext>& contexts_;
  std::string why_;
};

}  // namespace

bool resolve_filter(const FilterNode& root, const thrift::Tracepoint& tracepoint,
                    const std::vector<FilterContext>& contexts, TypedNode& out, std::string& why) {
  Resolver resolver(tracepoint, contexts);
  const bool ok = resolver.truth(root, out);
  if (!ok) why = resolver.why();
  return ok;
}

}  // namespace blkin::control
