// native/thrift/visible.hpp: text from another process as a terminal or a log may have it: what a terminal obeys, and what would begin
// a line, comes as an escape. lib/cli/print/visible.ts does the same for the command, and a test holds both to the same texts. Pure.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace blkin::thrift {

// Bytes of the character that `text` begins with, and its number. 0 where they are no UTF-8.
inline size_t character(std::string_view text, uint32_t& code) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  const size_t size = first < 0x80   ? 1
                      : first < 0xC2 ? 0
                      : first < 0xE0 ? 2
                      : first < 0xF0 ? 3
                      : first < 0xF5 ? 4
                                     : 0;
  if (size == 0 || size > text.size()) return 0;
  code = size == 1 ? first : first & (0x7Fu >> size);
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3Fu);
  }
  const bool too_long = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  return too_long || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000) ? 0 : size;
}

// Controls (with DEL and C1), line separators, and marks that turn the direction of all that follows.
inline bool is_mark(uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x61C || code == 0x200E || code == 0x200F ||
         (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

// Of a longer text the first `most` bytes.
inline std::string visible(std::string_view text, size_t most) {
  std::string out;
  const auto escape = [&](const char* form, uint32_t code) {
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, form, code);
    out += escaped;
  };
  for (text = text.substr(0, most); !text.empty();) {
    uint32_t code = 0;
    const size_t size = character(text, code);
    if (size == 0) escape("\\x%02x", static_cast<uint8_t>(text[0]));
    else if (code == '\n') out += "\\n";
    else if (code == '\r') out += "\\r";
    else if (code == '\t') out += "\\t";
    else if (is_mark(code)) escape(code < 0x100 ? "\\x%02x" : "\\u%04x", code);
    else out += text.substr(0, size);
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return out;
}

// What was given, in quotes, as an answer may hold it: cut, and of ASCII only what prints.
inline std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, 256)) out += c >= ' ' && c < 127 ? c : '?';
  return out + "\"";
}

}  // namespace blkin::thrift
