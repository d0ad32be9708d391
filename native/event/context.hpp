// native/event/context.hpp: what can be told of the moment of an event beside its fields. A session adds contexts to
// its events, a filter asks for them; what nobody wants is never worked out. The table is the one place that numbers
// them: a slot is an index into a thread's ContextBlock. Filters read the block from JavaScript: lib/context.ts.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "../thrift/messages.hpp"

namespace blkin::control {

constexpr size_t kContextsMax = 32;     // built in, and registered by the program
constexpr size_t kContextTextMax = 64;  // bytes of a text, its NUL included: longer ones are cut

// The values of one thread's moment. A number is an i64, a u64, or the bits of a double, by its type; a bool is 0 or 1.
struct ContextBlock {
  std::array<uint64_t, kContextsMax> number;
  std::array<std::array<char, kContextTextMax>, kContextsMax> text;
};

struct ContextSlot {
  std::string_view name;
  thrift::Type type;  // as it stands in a record; any scalar but kEnum and kBytes
  enum Source {
    kAddon,
    kScript
  } source;  // who puts it into the block: C++, or JavaScript before the native call
};

// In the order of their slots. Those that the program registers come behind.
constexpr ContextSlot kBuiltIn[] = {
    {"tid", thrift::Type::kI32, ContextSlot::kAddon},
    {"thread", thrift::Type::kString, ContextSlot::kAddon},
    {"cpu", thrift::Type::kU32, ContextSlot::kAddon},
    {"span", thrift::Type::kU64, ContextSlot::kScript},        // 0: none
    {"trace_high", thrift::Type::kU64, ContextSlot::kScript},  // the upper half of a 128-bit trace id
    {"trace_low", thrift::Type::kU64, ContextSlot::kScript},
    {"elu", thrift::Type::kF64, ContextSlot::kScript},  // event loop utilisation, 0 to 1
    {"async_id", thrift::Type::kI64, ContextSlot::kScript},
};

constexpr uint32_t kCpuSlot = 2;
static_assert(kBuiltIn[kCpuSlot].name == "cpu");

// One context of a session's events, in the order of their bytes.
struct SessionContext {
  uint32_t slot;
  thrift::Type type;
};

// Which contexts there are in this process. Any thread may call; what is registered stays.
class ContextTable {
 public:
  ContextTable();

  // The slot of a context that the program provides; the same name and type again gives the same slot. -1: the name
  // has another type, or kContextsMax are there; `why` says which.
  int32_t add(const std::string& name, thrift::Type type, std::string& why);

  // The contexts of these names; "trace" stands for both its halves. False, and `why`, where one is not there.
  bool find(const std::vector<std::string>& names, std::vector<SessionContext>& out, std::string& why);

  std::vector<thrift::Field> fields(const std::vector<SessionContext>& contexts);
  std::vector<thrift::Field> fields();  // of all, in the order of their slots

 private:
  std::mutex mutex_;
  struct Context {
    std::string name;
    thrift::Type type;
    uint32_t slot;
  };
  static thrift::Field field_of(const Context& context);

  std::vector<Context> known_;
};

// Of these slots, a bit each, those that JavaScript fills.
uint32_t from_script(uint32_t slots) noexcept;

// What `contexts` take in a record at most.
constexpr size_t kContextBytesMax = kContextsMax * kContextTextMax;

// Contexts that are integers of at most 8 bytes together, such as tid and cpu, made to one word by one store, since the copy
// into the ring reads words: it would wait for several stores to leave the store buffer.
class ContextWord {
 public:
  explicit ContextWord(const std::vector<SessionContext>& contexts);

  // False: these are none, or not such ones.
  bool fits() const noexcept { return bytes_ > 0; }

  // As put_contexts(); writes the 8 bytes before `end`.
  [[gnu::always_inline]] uint8_t* put(const ContextBlock& block, uint8_t* end) const noexcept {
    uint64_t word = 0;
    for (size_t i = 0; i < count_; ++i)
      word |= (block.number[parts_[i].slot] & parts_[i].mask) << parts_[i].shift;
    std::memcpy(end - sizeof word, &word, sizeof word);
    return end - bytes_;
  }

 private:
  struct Part {
    uint64_t mask;
    uint32_t slot, shift;
  };
  std::array<Part, 8> parts_;
  size_t count_ = 0;
  size_t bytes_ = 0;
};

// Puts the values before `end`, one behind the other; returns where the first begins.
uint8_t* put_contexts(const std::vector<SessionContext>& contexts, const ContextBlock& block,
                      uint8_t* end) noexcept;

}  // namespace blkin::control
