// native/fuzz/input.hpp: a fuzzer's bytes, taken from the front as numbers and texts, and what a target says of a fault.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace blkin::fuzz {

class Input {
 public:
  Input(const uint8_t* data, size_t size) : at_(data), end_(data + size) {}

  bool empty() const { return at_ == end_; }
  size_t left() const { return static_cast<size_t>(end_ - at_); }
  const uint8_t* data() const { return at_; }

  // Zeros where there are no more bytes.
  template <typename Number>
  Number number() {
    Number value{};
    const size_t size = std::min(sizeof value, left());
    std::memcpy(&value, at_, size);
    at_ += size;
    return value;
  }
  uint8_t byte() { return number<uint8_t>(); }

  std::vector<uint8_t> bytes(size_t most) {
    const size_t size = std::min(most, left());
    std::vector<uint8_t> out(at_, at_ + size);
    at_ += size;
    return out;
  }
  // A byte of length before it.
  std::string text() {
    const std::vector<uint8_t> found = bytes(byte());
    return {found.begin(), found.end()};
  }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
};

// Ends the run as a fault that the sanitizers find does, so that libFuzzer keeps the input.
inline void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "expected: %s\n", what);
  std::abort();
}

}  // namespace blkin::fuzz
