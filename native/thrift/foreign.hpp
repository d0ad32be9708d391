// native/thrift/foreign.hpp: what speaks at the other end that is no relay, by the first four bytes it sends, where a frame
// has its length. The words are those of relay/src/protocol/foreign.ts, and a test holds both to them. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace blkin::thrift {

// Empty: it may be a frame, or nothing that is known.
inline std::string foreign_protocol(uint32_t first) {
  const char text[] = {static_cast<char>(first >> 24), static_cast<char>(first >> 16),
                       static_cast<char>(first >> 8), static_cast<char>(first), 0};
  const std::string begin(text, 4);
  if (begin == "HTTP") return "it speaks HTTP, as a relay does at its --http address";
  if (begin == "SSH-") return "it speaks SSH";
  if (first >> 16 == 0x1503 || first >> 16 == 0x1603) return "it speaks TLS, and this is plain TCP";
  for (const char one : begin)
    if ((one < ' ' || one > '~') && one != '\r' && one != '\n') return {};
  const std::string shown = begin.substr(0, begin.find_first_of("\r\n"));
  return "it speaks text that begins with \"" + shown + "\"";
}

}  // namespace blkin::thrift
