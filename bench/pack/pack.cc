// bench/pack/pack.cc: both ends of a ring without Node and without a relay: what it costs C++ to put three integers
// into it, and how fast the consumer's own parts (Cursor, Calibration, Packer) make CTF of them.
#include "rings.hpp"

#include "../slice.h"

#include <iterator>

namespace {

blkin::bench::Rings rings;

uint64_t fill(uint64_t count) {
  auto x = static_cast<uint32_t>(count);
  const uint64_t start = slice_now();
  for (uint64_t i = 0; i < count; ++i) {
    x = slice_next(x);
    rings.write(x, static_cast<uint32_t>(i), 4096);
  }
  return slice_now() - start;
}

// Nanoseconds.
uint64_t drain() {
  rings.calibrate();
  const uint64_t start = slice_now();
  const uint64_t events = rings.drain();
  const uint64_t took = slice_now() - start;
  if (rings.lost() != 0) std::exit(4);  // a slice larger than the ring would be measured wrong
  return events == 0 ? 0 : took;
}

uint64_t write_slice(uint64_t count) {
  const uint64_t took = fill(count);
  drain();
  return took;
}

uint64_t pack_slice(uint64_t count) {
  fill(count);
  return drain();
}

volatile uint64_t stamp;

uint64_t ticks_slice(uint64_t count) {
  const uint64_t start = slice_now();
  for (uint64_t i = 0; i < count; ++i) stamp = __builtin_ia32_rdtsc();
  return slice_now() - start;
}

}  // namespace

int main() {
  static const slice_entry entries[] = {{"write", write_slice}, {"pack", pack_slice}, {"ticks", ticks_slice}};
  return slice_serve(entries, std::size(entries));
}
