// native/addon/emit_mixed.cc: the call for events with strings, bytes or sequences. JavaScript has put the fixed parts
// into staging, one behind the other, and passes the others as arguments; here the payload is composed in scratch
// memory and put into the ring. Never throws, whatever the arguments are.
//
//   fields:   u32 a, string b, u64 c, sequence<u16> d        Layout: parts {4, string} {8, sequence}, tail 0
//   staging:  a c           arguments: b, d (a typed array)
//   payload:  a | b NUL | c | u32 count | d
#include <algorithm>
#include <cstring>

#include "environment.hpp"

namespace blkin::addon {

namespace {

constexpr size_t kPartsMax = 64;
constexpr char kCut[] = "\xE2\x80\xA6";   // "…", at the end of a string that was cut
constexpr char kNul[] = "\xE2\x90\x80";   // U+2400, for a NUL, which would end a CTF string
constexpr size_t kMarkBytes = 3;

// The largest length up to `size` at which UTF-8 text may end.
size_t boundary(const uint8_t* text, size_t size) {
  while (size > 0 && (text[size] & 0xC0) == 0x80) --size;
  return size;
}

// Makes every NUL three bytes, keeping to `limit` and to whole characters.
size_t show_nuls(uint8_t* text, size_t size, size_t limit) {
  uint8_t copy[ring::kPayloadMax];
  std::memcpy(copy, text, size);
  size_t out = 0, i = 0;
  for (; i < size; ++i) {
    if (copy[i] != 0) {
      if (out + 1 > limit) break;
      text[out++] = copy[i];
    } else {
      if (out + kMarkBytes > limit) break;
      std::memcpy(text + out, kNul, kMarkBytes);
      out += kMarkBytes;
    }
  }
  for (; i < size && (copy[i] & 0xC0) == 0x80; --i)
    --out;  // what did not fit goes on from a character's middle
  return out;
}

// Writes text and its NUL at `at`; `room` counts both and is at least kMarkBytes + 1.
size_t put_string(napi_env env, napi_value value, uint8_t* at, size_t room) {
  size_t size = 0;
  if (napi_get_value_string_utf8(env, value, reinterpret_cast<char*>(at), room, &size) != napi_ok) size = 0;
  size_t whole = size;
  if (size + 4 >= room) napi_get_value_string_utf8(env, value, nullptr, 0, &whole);  // near the end: was it cut?
  const size_t nuls = static_cast<size_t>(std::count(at, at + size, uint8_t{0}));
  if (whole > size || whole + 2 * nuls > room - 1) {
    const size_t limit = room - 1 - kMarkBytes;
    if (nuls > 0) size = show_nuls(at, size, limit);
    at[size] = 0;
    size = boundary(at, std::min(size, limit));
    std::memcpy(at + size, kCut, kMarkBytes);
    size += kMarkBytes;
  } else if (nuls > 0) {
    size = show_nuls(at, size, room - 1);
  }
  at[size] = 0;
  return size + 1;
}

constexpr uint32_t bytes_of(napi_typedarray_type type) noexcept {
  switch (type) {
    case napi_int8_array:
    case napi_uint8_array:
    case napi_uint8_clamped_array:
      return 1;
    case napi_int16_array:
    case napi_uint16_array:
      return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      return 4;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array:
      return 8;
  }
  return 0;
}

// False: not a typed array of such elements, or larger than the room. The emitters pass no other than the field's;
// that is asked again here because a wider element would be read from beyond the array.
bool put_sequence(napi_env env, napi_value value, uint32_t element_bytes, uint8_t* at, size_t room, size_t& size) {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok) return false;
  if (bytes_of(type) != element_bytes) return false;
  const size_t bytes = length * element_bytes;
  if (room < 4 || length > room || bytes > room - 4) return false;
  const auto count = static_cast<uint32_t>(length);
  std::memcpy(at, &count, sizeof count);
  if (bytes > 0) std::memcpy(at + 4, data, bytes);
  size = 4 + bytes;
  return true;
}

napi_value emit_mixed(napi_env env, napi_callback_info info) {
  napi_value arguments[kPartsMax];
  size_t count = kPartsMax;
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &count, arguments, nullptr, &data) != napi_ok) return nullptr;
  const auto& layout = *static_cast<const control::Layout*>(data);
  control::Thread& thread = t_thread;
  const auto* fixed = reinterpret_cast<const uint8_t*>(thread.staging + 1);
  auto* const payload = reinterpret_cast<uint8_t*>(thread.staging) + kStagingBytes;
  uint8_t* at = payload;
  uint8_t* const end = payload + ring::kPayloadMax;
  bool fits = true;
  for (size_t i = 0; i < layout.parts.size() && i < count && fits; ++i) {
    const control::Layout::Part& part = layout.parts[i];
    std::memcpy(at, fixed, part.fixed_bytes);
    at += part.fixed_bytes;
    fixed += part.fixed_bytes;
    const auto left = static_cast<size_t>(end - at);
    const size_t room = left - std::min<size_t>(left, part.least_after);
    size_t size = 0;
    if (part.sequence) {
      fits = put_sequence(env, arguments[i], part.element_bytes, at, room, size);
    } else {
      fits = room >= control::kLeastString;
      if (fits) size = put_string(env, arguments[i], at, room);
    }
    at += size;
  }
  if (fits) std::memcpy(at, fixed, layout.tail_bytes), at += layout.tail_bytes;
  const uint32_t length = fits ? static_cast<uint32_t>(at - payload) : ring::kPayloadMax + 1;  // the ring counts it
  ring::Record record{layout.id, length, reinterpret_cast<const uint64_t*>(payload), 0};
  control::Process::session()->write(record, thread);
  return nullptr;
}

}  // namespace

Napi::Value mixed_emitter(const Napi::CallbackInfo& info) {
  const int32_t id = info[0].As<Napi::Number>().Int32Value();
  const control::Layout* layout = control::Process::get().registry().layout(id);
  napi_value function = nullptr;
  napi_create_function(info.Env(), nullptr, 0, emit_mixed, const_cast<control::Layout*>(layout), &function);
  return {info.Env(), function};
}

}  // namespace blkin::addon
