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
constexpr char32_t kNulShown = 0x2400;     // "␀": a NUL would end a CTF string
constexpr char32_t kReplacement = 0xFFFD;  // for half a surrogate pair, as TextEncoder does
constexpr char kCut[] = "\xE2\x80\xA6";    // "…", at the end of a string that was cut
constexpr size_t kCutBytes = 3;

// The code point at `i`, which is moved on. NULs and lone surrogates come out as what stands for them.
char32_t next_point(const char16_t* text, size_t size, size_t& i) {
  const char16_t unit = text[i++];
  if (unit == 0) return kNulShown;
  if (unit < 0xD800 || unit > 0xDFFF) return unit;
  const bool pair = unit < 0xDC00 && i < size && (text[i] & 0xFC00) == 0xDC00;
  if (!pair) return kReplacement;
  return 0x10000 + ((unit & 0x3FFU) << 10) + (text[i++] & 0x3FFU);
}

size_t utf8_bytes(char32_t point) { return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4; }

void put_point(char32_t point, uint8_t* at) {
  const size_t bytes = utf8_bytes(point);
  if (bytes == 1) {
    *at = static_cast<uint8_t>(point);
    return;
  }
  for (size_t k = bytes; k-- > 1; point >>= 6) at[k] = static_cast<uint8_t>(0x80 | (point & 0x3F));
  at[0] = static_cast<uint8_t>(0xF00 >> bytes | point);  // as many leading ones as there are bytes
}

// The leading run of plain ASCII, NUL not among it, which is what most strings are whole; eight at a time.
// Returns its length. Writes up to 7 bytes more than that.
size_t put_ascii(const char16_t* text, size_t size, uint8_t* at) {
  using Units = uint16_t __attribute__((vector_size(16)));
  using Bytes = uint8_t __attribute__((vector_size(8)));
  using Halves = uint64_t __attribute__((vector_size(16)));
  size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    Units units;
    std::memcpy(&units, text + i, sizeof units);
    const auto others = reinterpret_cast<Halves>(units - 1 >= 0x7F);
    if ((others[0] | others[1]) != 0) break;
    const Bytes bytes = __builtin_convertvector(units, Bytes);
    std::memcpy(at + i, &bytes, sizeof bytes);
  }
  for (; i < size && static_cast<char16_t>(text[i] - 1) < 0x7F; ++i) at[i] = static_cast<uint8_t>(text[i]);
  return i;
}

// Writes text and its NUL at `at`; `room` counts both and is at least kLeastString. V8 hands UTF-16 out twice as fast
// as UTF-8, and turning it here cuts, marks and replaces in one pass.
size_t put_string(napi_env env, napi_value value, uint8_t* at, size_t room) {
  char16_t text[ring::kPayloadMax + 1];
  size_t size = 0;
  if (napi_get_value_string_utf16(env, value, text, room + 1, &size) != napi_ok) size = 0;
  size_t i = put_ascii(text, std::min(size, room - 1), at);
  size_t out = i;
  size_t cut_at = std::min(out, room - 1 - kCutBytes);  // the last place where the mark would fit
  while (i < size) {
    const char32_t point = next_point(text, size, i);
    const size_t bytes = utf8_bytes(point);
    if (out + bytes > room - 1) {
      std::memcpy(at + cut_at, kCut, kCutBytes);
      out = cut_at + kCutBytes;
      break;
    }
    put_point(point, at + out);
    out += bytes;
    if (out <= room - 1 - kCutBytes) cut_at = out;
  }
  at[out] = 0;
  return out + 1;
}

// A few words rather than a call; reads and writes up to 7 bytes more, for which both have room.
void copy_words(uint8_t* to, const uint8_t* from, size_t size) {
  for (size_t i = 0; i < size; i += 8) std::memcpy(to + i, from + i, 8);
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
    default:
      return 0;  // one that a newer Node has
  }
}

// False: not a typed array of such elements, or larger than the room. The emitters pass no other than the field's;
// that is asked again here because a wider element would be read from beyond the array.
bool put_sequence(napi_env env, napi_value value, uint32_t element_bytes, uint8_t* at, size_t room,
                  size_t& size) {
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

// kAsked: how many arguments to ask for. Node-API fills what the caller did not give, at a nanosecond for each five.
template <size_t kAsked>
napi_value emit_mixed(napi_env env, napi_callback_info info) {
  napi_value arguments[kAsked];
  size_t count = kAsked;
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &count, arguments, nullptr, &data) != napi_ok) return nullptr;
  const auto& layout = *static_cast<const control::Layout*>(data);
  control::Thread& thread = t_thread;
  const auto* fixed = reinterpret_cast<const uint8_t*>(thread.staging + 1);
  auto* const payload = reinterpret_cast<uint8_t*>(thread.staging) + kStagingBytes;
  uint8_t* at = payload;
  uint8_t* const end = payload + ring::kPayloadMax;
  bool fits = true;
  for (size_t i = 0; i < layout.parts.size() && fits; ++i) {
    const control::Layout::Part& part = layout.parts[i];
    copy_words(at, fixed, part.fixed_bytes);
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
  if (fits) copy_words(at, fixed, layout.tail_bytes), at += layout.tail_bytes;
  const uint32_t length =
      fits ? static_cast<uint32_t>(at - payload) : ring::kPayloadMax + 1;  // the ring counts it
  if (control::Process::emit(layout.event, length, reinterpret_cast<uint64_t*>(payload), thread,
                             [&] { return asked_of(layout.event, thread.staging); })) [[likely]]
    return nullptr;
  return once_more(env);
}

}  // namespace

Napi::Value mixed_emitter(const Napi::CallbackInfo& info) {
  const int32_t id = info[0].As<Napi::Number>().Int32Value();
  const control::Layout* layout = control::Process::get().registry().layout(id);
  napi_value function = nullptr;
  const size_t parts = layout->parts.size();
  const napi_callback callback = parts <= 1   ? emit_mixed<1>
                                 : parts <= 4 ? emit_mixed<4>
                                              : emit_mixed<kPartsMax>;
  napi_create_function(info.Env(), nullptr, 0, callback, const_cast<control::Layout*>(layout), &function);
  return {info.Env(), function};
}

}  // namespace blkin::addon
