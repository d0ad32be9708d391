// bench/stalls/histogram.h: how long single calls took, in buckets of 1.6 % each: 64 to a power of two. Each thread has one of its own, which
// bench/stalls/serve.h adds up and prints. bench/lib/histogram.mjs is the same in JavaScript, and reads these.
#pragma once

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

// A value is in sixteenths of a nanosecond: below 64 of them, 4 ns, buckets are one wide, from there on they grow with the value.
enum { kStallUnits = 16, kStallSteps = 64, kStallStepBits = 6, kStallBuckets = kStallSteps * 40 };

typedef struct {
  uint64_t counts[kStallBuckets];
} stall_histogram;

static inline unsigned stall_bucket(uint64_t value) {
  if (value < kStallSteps) return (unsigned)value;
  const unsigned shift = 63U - (unsigned)__builtin_clzll(value) - kStallStepBits;
  const uint64_t bucket = (uint64_t)(shift + 1) * kStallSteps + (value >> shift) - kStallSteps;
  return bucket < kStallBuckets ? (unsigned)bucket : kStallBuckets - 1U;
}

static inline void stall_add(stall_histogram* histogram, uint64_t value) {
  ++histogram->counts[stall_bucket(value)];
}

// [[bucket, count], ...] of those that are not empty.
static inline void stall_print(const stall_histogram* histogram) {
  const char* comma = "";
  printf("[");
  for (unsigned i = 0; i < kStallBuckets; ++i) {
    if (histogram->counts[i] == 0) continue;
    printf("%s[%u,%" PRIu64 "]", comma, i, histogram->counts[i]);
    comma = ",";
  }
  printf("]");
}
