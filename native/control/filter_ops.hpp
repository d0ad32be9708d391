// native/control/filter_ops.hpp: which step reads and tests, or loads, a value of a type. Tables of filter_link.cc.
#pragma once

#include "filter_types.hpp"

namespace blkin::control {

// a < b is b > a.
inline FilterTag mirrored(FilterTag tag) {
  switch (tag) {
    case FilterTag::kLess:
      return FilterTag::kGreater;
    case FilterTag::kLessEqual:
      return FilterTag::kGreaterEqual;
    case FilterTag::kGreater:
      return FilterTag::kLess;
    case FilterTag::kGreaterEqual:
      return FilterTag::kLessEqual;
    default:
      return tag;
  }
}

inline FilterOp test_of(const TypedNode& leaf) {
  if (leaf.tag == FilterTag::kContext)
    return leaf.kind == FilterKind::kFloat ? FilterOp::kTestContextF64 : FilterOp::kTestContext;
  switch (leaf.type) {
    case thrift::Type::kU16:
      return FilterOp::kTestU16;
    case thrift::Type::kU32:
      return FilterOp::kTestU32;
    case thrift::Type::kU64:
    case thrift::Type::kI64:
      return FilterOp::kTest64;
    case thrift::Type::kI8:
      return FilterOp::kTestI8;
    case thrift::Type::kI16:
      return FilterOp::kTestI16;
    case thrift::Type::kI32:
      return FilterOp::kTestI32;
    case thrift::Type::kF32:
      return FilterOp::kTestF32;
    case thrift::Type::kF64:
      return FilterOp::kTestF64;
    default:
      return FilterOp::kTestU8;
  }
}

inline FilterOp load_of(const TypedNode& leaf) {
  if (leaf.tag == FilterTag::kContext) return FilterOp::kLoadContext;
  switch (leaf.type) {
    case thrift::Type::kU16:
      return FilterOp::kLoadU16;
    case thrift::Type::kU32:
      return FilterOp::kLoadU32;
    case thrift::Type::kU64:
    case thrift::Type::kI64:
      return FilterOp::kLoad64;
    case thrift::Type::kI8:
      return FilterOp::kLoadI8;
    case thrift::Type::kI16:
      return FilterOp::kLoadI16;
    case thrift::Type::kI32:
      return FilterOp::kLoadI32;
    case thrift::Type::kF32:
      return FilterOp::kLoadF32;
    case thrift::Type::kF64:
      return FilterOp::kLoadF64;
    default:
      return FilterOp::kLoadU8;
  }
}

}  // namespace blkin::control
