// native/thrift/binary.hpp: Thrift's strict binary protocol, as much of it as the messages in messages.hpp need.
// Writer appends to a buffer; Reader walks one whole frame and checks every length against what is left, so a
// hostile peer can make a read fail and nothing else. Neither knows a socket.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace blkin::thrift {

enum class FieldType : uint8_t {
  kStop = 0,
  kBool = 2,
  kByte = 3,
  kDouble = 4,
  kI16 = 6,
  kI32 = 8,
  kI64 = 10,
  kString = 11,
  kStruct = 12,
  kMap = 13,
  kSet = 14,
  kList = 15,
};

enum class MessageType : uint8_t { kCall = 1, kReply = 2, kException = 3, kOneway = 4 };

constexpr uint32_t kStrictVersion = 0x80010000;
constexpr size_t kFrameMax = 2 << 20;
constexpr int kDepthMax = 16;

class Writer {
 public:
  explicit Writer(std::vector<uint8_t>& out) : out_(out) {}

  void u8(uint8_t value) { out_.push_back(value); }
  void i16(int16_t value) { big_endian(static_cast<uint16_t>(value), 2); }
  void i32(int32_t value) { big_endian(static_cast<uint32_t>(value), 4); }
  void i64(int64_t value) { big_endian(static_cast<uint64_t>(value), 8); }
  void string(std::string_view value) {
    i32(static_cast<int32_t>(value.size()));
    out_.insert(out_.end(), value.begin(), value.end());
  }

  void message(std::string_view name, MessageType type, int32_t sequence) {
    i32(static_cast<int32_t>(kStrictVersion | static_cast<uint8_t>(type)));
    string(name);
    i32(sequence);
  }
  void field(FieldType type, int16_t id) { u8(static_cast<uint8_t>(type)), i16(id); }
  void field_i32(int16_t id, int32_t value) { field(FieldType::kI32, id), i32(value); }
  void field_bool(int16_t id, bool value) { field(FieldType::kBool, id), u8(value ? 1 : 0); }
  void field_i64(int16_t id, int64_t value) { field(FieldType::kI64, id), i64(value); }
  void field_string(int16_t id, std::string_view value) { field(FieldType::kString, id), string(value); }
  void field_list(int16_t id, FieldType element, size_t size) {
    field(FieldType::kList, id), u8(static_cast<uint8_t>(element)), i32(static_cast<int32_t>(size));
  }
  void stop() { u8(0); }
  void raw(const std::vector<uint8_t>& written) { out_.insert(out_.end(), written.begin(), written.end()); }

 private:
  void big_endian(uint64_t value, int bytes) {
    while (bytes-- > 0) out_.push_back(static_cast<uint8_t>(value >> (8 * bytes)));
  }

  std::vector<uint8_t>& out_;
};

// A frame: i32 length, then what `body` writes.
template <typename Body>
std::vector<uint8_t> framed(Body body) {
  std::vector<uint8_t> frame(4);
  Writer writer(frame);
  body(writer);
  const auto size = static_cast<uint32_t>(frame.size() - 4);
  for (size_t i = 0; i < 4; ++i) frame[i] = static_cast<uint8_t>(size >> (8 * (3 - i)));
  return frame;
}

// After the first thing that does not fit, ok() is false and every read gives zero.
class Reader {
 public:
  Reader(const uint8_t* data, size_t size) : at_(data), end_(data + size) {}

  bool ok() const { return ok_; }

  uint8_t u8() { return static_cast<uint8_t>(big_endian(1)); }
  int16_t i16() { return static_cast<int16_t>(big_endian(2)); }
  int32_t i32() { return static_cast<int32_t>(big_endian(4)); }
  int64_t i64() { return static_cast<int64_t>(big_endian(8)); }
  std::string string() {
    const auto size = static_cast<uint32_t>(i32());
    if (!ok_ || size > left()) return fail(), std::string();
    std::string value(reinterpret_cast<const char*>(at_), size);
    at_ += size;
    return value;
  }

  struct Message {
    std::string name;
    MessageType type;
    int32_t sequence;
  };
  Message message() {
    const auto head = static_cast<uint32_t>(i32());
    if ((head & 0xFFFF0000) != kStrictVersion) fail();
    Message message{string(), static_cast<MessageType>(head & 0xFF), 0};
    message.sequence = i32();
    return message;
  }

  struct FieldHead {
    FieldType type;
    int16_t id;
  };
  FieldHead field() {
    const auto type = static_cast<FieldType>(u8());
    return {type, type == FieldType::kStop ? int16_t{0} : i16()};
  }

  // The head of a list of `wanted`; a size that cannot fit in what is left is refused before anyone loops on it. Each struct of
  // the IDL that stands in a list has a field that must be there: were they as small as a byte, a frame would become hundreds
  // of times its size in memory.
  uint32_t list(FieldType wanted) {
    constexpr size_t kStructLeast = 8;  // an i32, and the stop
    constexpr size_t kStringLeast = 4;
    const auto element = static_cast<FieldType>(u8());
    const auto size = static_cast<uint32_t>(i32());
    const size_t least = wanted == FieldType::kStruct ? kStructLeast : kStringLeast;
    if (!ok_ || element != wanted || size > left() / least) return fail(), 0;
    return size;
  }
  uint32_t struct_list() { return list(FieldType::kStruct); }

  // Calls on_field(head) for each field up to the stop; on_field reads the value, or calls skip().
  template <typename OnField>
  void fields(OnField on_field) {
    while (ok_) {
      const FieldHead head = field();
      if (!ok_ || head.type == FieldType::kStop) return;
      on_field(head);
    }
  }

  void skip(FieldType type, int depth = 0) {
    if (depth > kDepthMax) return fail();
    switch (type) {
      case FieldType::kBool:
      case FieldType::kByte:
        u8();
        break;
      case FieldType::kI16:
        i16();
        break;
      case FieldType::kI32:
        i32();
        break;
      case FieldType::kDouble:
      case FieldType::kI64:
        i64();
        break;
      case FieldType::kString:
        string();
        break;
      case FieldType::kStruct:
        fields([&](FieldHead head) { skip(head.type, depth + 1); });
        break;
      case FieldType::kList:
      case FieldType::kSet: {
        const auto element = static_cast<FieldType>(u8());
        for (auto n = count(); ok_ && n > 0; --n) skip(element, depth + 1);
        break;
      }
      case FieldType::kMap: {
        const auto key = static_cast<FieldType>(u8());
        const auto value = static_cast<FieldType>(u8());
        for (auto n = count(); ok_ && n > 0; --n) skip(key, depth + 1), skip(value, depth + 1);
        break;
      }
      default:
        fail();
    }
  }

 private:
  size_t left() const { return static_cast<size_t>(end_ - at_); }
  void fail() { ok_ = false; }
  uint32_t count() {  // every element takes a byte at least
    const auto size = static_cast<uint32_t>(i32());
    if (size > left()) return fail(), 0;
    return size;
  }
  uint64_t big_endian(size_t bytes) {
    if (!ok_ || left() < bytes) return fail(), 0;
    uint64_t value = 0;
    while (bytes-- > 0) value = value << 8 | *at_++;
    return value;
  }

  const uint8_t* at_;
  const uint8_t* end_;
  bool ok_ = true;
};

}  // namespace blkin::thrift
