// native/event/context.cc: see context.hpp.
#include "context.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "../thrift/visible.hpp"
#include "layout.hpp"

namespace blkin::control {

namespace {

using thrift::Type;

// A number of up to 8 bytes, before `end`: a double in the block where the record has a float, else its low bytes.
template <typename T>
uint8_t* put_number(uint8_t* end, uint64_t number) noexcept {
  T value;
  if constexpr (std::is_floating_point_v<T>) {
    double wide;
    std::memcpy(&wide, &number, sizeof wide);
    value = static_cast<T>(wide);
  } else {
    value = static_cast<T>(number);
  }
  return static_cast<uint8_t*>(std::memcpy(end - sizeof value, &value, sizeof value));
}

// 0: of no fixed size, or not an integer.
size_t integer_bytes(Type type) noexcept {
  return type == Type::kF32 || type == Type::kF64 ? 0 : bytes_of(type);
}

}  // namespace

ContextTable::ContextTable() {
  for (const ContextSlot& slot : kBuiltIn)
    known_.push_back({std::string(slot.name), slot.type, static_cast<uint32_t>(known_.size())});
}

int32_t ContextTable::add(const std::string& name, Type type, std::string& why) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(known_.begin(), known_.end(),
                                  [&](const Context& context) { return context.name == name; });
  if (found != known_.end()) {
    const bool ours = found->slot >= std::size(kBuiltIn) && found->type == type;
    if (!ours) why = "the name is taken by a context of another kind; expected another name";
    return ours ? static_cast<int32_t>(found->slot) : -1;
  }
  if (known_.size() >= kContextsMax) {
    why = std::to_string(kContextsMax) + " contexts are there already; expected no more";
    return -1;
  }
  known_.push_back({name, type, static_cast<uint32_t>(known_.size())});
  return static_cast<int32_t>(known_.size() - 1);
}

bool ContextTable::find(const std::vector<std::string>& names, std::vector<SessionContext>& out,
                        std::string& why) {
  const std::lock_guard lock(mutex_);
  for (const std::string& name : names) {
    const size_t before = out.size();
    for (const Context& context : known_) {
      const bool half = name == "trace" && (context.name == "trace_high" || context.name == "trace_low");
      const bool again = std::any_of(out.begin(), out.end(),
                                     [&](const SessionContext& one) { return one.slot == context.slot; });
      if (context.name == name || half) {
        if (again) return why = "context " + thrift::quoted(name) + ": given twice", false;
        out.push_back({context.slot, context.type});
      }
    }
    if (out.size() > before) continue;
    why = "context " + thrift::quoted(name) + ": expected one of trace";
    for (const Context& context : known_) why += ", " + context.name;
    return false;
  }
  return true;
}

thrift::Field ContextTable::field_of(const Context& context) {
  return {context.name, context.type, thrift::Shape::kScalar, 0, {}, {}};
}

std::vector<thrift::Field> ContextTable::fields(const std::vector<SessionContext>& contexts) {
  const std::lock_guard lock(mutex_);
  std::vector<thrift::Field> out;
  for (const SessionContext& context : contexts) out.push_back(field_of(known_[context.slot]));
  return out;
}

std::vector<thrift::Field> ContextTable::fields() {
  const std::lock_guard lock(mutex_);
  std::vector<thrift::Field> out;
  for (const Context& context : known_) out.push_back(field_of(context));
  return out;
}

uint32_t from_script(uint32_t slots) noexcept {
  for (uint32_t slot = 0; slot < std::size(kBuiltIn); ++slot)
    if (kBuiltIn[slot].source == ContextSlot::kAddon) slots &= ~(1U << slot);
  return slots;
}

ContextWord::ContextWord(const std::vector<SessionContext>& contexts) {
  for (auto context = contexts.rbegin(); context != contexts.rend(); ++context) {
    const size_t bytes = integer_bytes(context->type);
    if (bytes == 0 || bytes_ + bytes > sizeof(uint64_t)) {
      bytes_ = 0;
      return;
    }
    bytes_ += bytes;
    parts_[count_++] = {UINT64_MAX >> (64 - 8 * bytes), context->slot,
                        static_cast<uint32_t>(64 - 8 * bytes_)};
  }
}

uint8_t* put_contexts(const std::vector<SessionContext>& contexts, const ContextBlock& block,
                      uint8_t* end) noexcept {
  uint8_t* at = end;
  for (size_t i = contexts.size(); i-- > 0;) {
    const auto [slot, type] = contexts[i];
    const uint64_t number = block.number[slot];
    switch (type) {
      case Type::kU8:
      case Type::kI8:
      case Type::kBool:
        at = put_number<uint8_t>(at, number);
        break;
      case Type::kU16:
      case Type::kI16:
        at = put_number<uint16_t>(at, number);
        break;
      case Type::kU32:
      case Type::kI32:
        at = put_number<uint32_t>(at, number);
        break;
      case Type::kU64:
      case Type::kI64:
        at = put_number<uint64_t>(at, number);
        break;
      case Type::kF32:
        at = put_number<float>(at, number);
        break;
      case Type::kF64:
        at = put_number<double>(at, number);
        break;
      case Type::kString: {
        const auto& text = block.text[slot];
        const size_t length = strnlen(text.data(), kContextTextMax - 1);
        *--at = 0;
        at -= length;
        std::memcpy(at, text.data(), length);
        break;
      }
      case Type::kEnum:
      case Type::kBytes:
        break;  // add() is not asked for these
    }
  }
  return at;
}

}  // namespace blkin::control
