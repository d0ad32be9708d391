// native/control/filter.hpp: a filter, fitted to one tracepoint. The agent thread links it when a rule or a tracepoint
// comes; then any thread runs passes() on an event's payload before the ring is touched.
//
//   program (bytes, names) --read_program--> tree --link_filter--> FilterStep list --passes()--> keep or refuse
//
// A step is one comparison, or one calculation; it names the steps that follow. Steps only lead to lower numbers, so
// every run ends. passes() reads nothing outside of payload and contexts, allocates nothing and never throws, whatever
// the payload holds. A value that is not there (an element beyond a sequence's end) refuses the event.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "../thrift/messages.hpp"
#include "context.hpp"

namespace blkin::control {

enum class FilterOp : uint8_t {
  // Tests: on to `yes` or `no`. An integer or double is read and compared with low..high; the integers first.
  kTestU8,
  kTestU16,
  kTestU32,
  kTest64,
  kTestI8,
  kTestI16,
  kTestI32,
  kTestContext,
  kTestF32,
  kTestF64,
  kTestContextF64,
  kTestRegister,
  kTestSet,          // register: one of the values of a pool
  kEqual,            // register and the next, as integers of one sign
  kLessSigned,       // i64 < i64
  kLessUnsigned,     // u64 < u64
  kSignedLess,       // i64 < u64
  kSignedLessEqual,  // i64 <= u64
  kSignedEqual,      // i64 == u64
  kFloatEqual,
  kFloatLess,
  kFloatLessEqual,
  kTextIs,      // the text and its NUL
  kTextStarts,  // the text's beginning
  kTextLike,    // a pattern with stars
  kTextOrder,   // less, equal or greater is in `wanted`
  // Calculations: on to `yes`. The register, and the next where there are two operands.
  kLoadU8,
  kLoadU16,
  kLoadU32,
  kLoad64,
  kLoadI8,
  kLoadI16,
  kLoadI32,
  kLoadF32,
  kLoadF64,
  kLoadContext,
  kConstant,
  kBitAnd,
  kBitOr,
  kBitXor,
  kShiftLeft,
  kShiftRight,
  kComplement,
  kMinus,
  kMinusF64,
  kFloatOfSigned,
  kFloatOfUnsigned,
};

// Where a value stands.
struct FilterPlace {
  enum Mode : uint8_t {
    kFixed,    // at `offset`: within every payload that is long enough at all
    kBehind,   // at `offset` behind as many variable parts as `segment` says
    kElement,  // `index` of the sequence whose count stands there
    kContext,  // a text in slot `offset`
  };
  uint32_t index = 0;
  uint16_t offset = 0;
  uint8_t segment = 0;
  Mode mode = kFixed;
};

struct FilterStep {
  FilterPlace place;
  uint16_t yes, no;
  FilterOp op;
  uint8_t reg;
  union {
    struct {
      uint64_t low, span;  // value - low <= span, modulo 2^64
    } range;
    struct {
      double low, high;
    } floats;
    struct {
      uint32_t at, size;  // in a pool
      uint8_t wanted;     // kTextOrder: bits 0 to 2 for less, equal, greater
      bool two;           // kTextOrder: the other side is `places_[at]`
    } pool;
    uint64_t bits;
  };
};

static_assert(sizeof(FilterStep) == 32, "two to a cache line; its address is a shift away");

constexpr uint32_t kFilterOffsetMax = 0xFFFF;
constexpr uint32_t kFilterSegmentMax = 0xFF;
constexpr uint16_t kFilterPass = 0xFFFF;  // `yes` and `no` that lead out
constexpr uint16_t kFilterRefuse = 0xFFFE;
constexpr uint32_t kFilterRegisters = 40;  // more than a program is deep

class Filter {
 public:
  bool passes(const uint8_t* payload, uint32_t length, const ContextBlock& contexts) const noexcept;

  // A bit for each slot that passes() reads.
  uint32_t contexts_used() const noexcept { return contexts_used_; }

 private:
  friend class FilterLinker;
  friend class FilterRun;

  struct Part {              // a variable part of the payload
    uint32_t before;         // fixed bytes in front of it
    uint32_t element_bytes;  // 0: a string
  };

  bool compare(const uint8_t* payload, const ContextBlock& contexts) const noexcept;
  bool run(const uint8_t* payload, uint32_t length, const ContextBlock& contexts) const noexcept;

  uint16_t entry_ = kFilterRefuse;
  bool plain_ = true;   // no step but those that compare() knows
  uint32_t least_ = 0;  // a shorter payload is damaged
  uint32_t contexts_used_ = 0;
  std::vector<FilterStep> steps_;
  std::vector<Part> parts_;
  std::vector<int64_t> values_;      // kTestSet
  std::vector<FilterPlace> places_;  // kTextOrder
  std::string texts_;
};

// Null, and `why` says in words, where the bytes are no program or do not fit the tracepoint.
std::unique_ptr<const Filter> link_filter(const std::vector<uint8_t>& program,
                                          const thrift::Tracepoint& tracepoint,
                                          const std::vector<FilterContext>& contexts, std::string& why);

// The bytes alone: whether they are a program. False, and `why` says in words, where they are none.
bool valid_program(const std::vector<uint8_t>& program, std::string& why);

}  // namespace blkin::control
