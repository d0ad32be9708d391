// native/control/filter_types.hpp: a filter's tree with every name resolved in one tracepoint and every part known to
// fit the others. filter_link.cc makes steps of it. lib/filter/check.ts decides the same for the text, with columns; a
// test holds the two to one verdict.
#pragma once

#include "filter.hpp"
#include "filter_program.hpp"

namespace blkin::control {

enum class FilterKind : uint8_t {
  kSigned,    // 64 bits
  kUnsigned,  // 64 bits
  kFloat,
  kText,
  kPattern,  // a text of the filter's own
};

struct TypedNode {
  FilterTag tag{};
  FilterKind kind{};
  uint64_t bits = 0;                                   // of a constant
  thrift::Type type{};                                 // of a field or context, as it is read: no kEnum
  FilterPlace place{};                                 // of a field or context
  const std::vector<thrift::Label>* labels = nullptr;  // an enum's
  const std::string* text = nullptr;                   // a name, or a pattern
  std::vector<TypedNode> operands{};

  bool constant() const {
    return tag == FilterTag::kUnsigned || tag == FilterTag::kSigned || tag == FilterTag::kFloat;
  }
  bool leaf() const {
    return tag == FilterTag::kField || tag == FilterTag::kElement || tag == FilterTag::kContext;
  }
  bool integer() const { return kind == FilterKind::kSigned || kind == FilterKind::kUnsigned; }
};

// False, and `why` says in words, where the tree does not fit. `out` points into all three.
bool resolve_filter(const FilterNode& root, const thrift::Tracepoint& tracepoint,
                    const std::vector<FilterContext>& contexts, TypedNode& out, std::string& why);

}  // namespace blkin::control
