// bench/slice.h: the C side of the benchmark's handshake. A peer is a process that serves slices: it reads
// "NAME COUNT" from stdin, does the named thing COUNT times, and answers with the nanoseconds that took.
// So that peers in several processes are measured in turns, milliseconds apart. Ends at end of input.
#pragma once

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

typedef struct {
  const char* name;
  uint64_t (*run)(uint64_t count);  // returns nanoseconds
} slice_entry;

static inline uint64_t slice_now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

// The values that every variant in every language puts into its fields: cheap, and never the same twice.
static inline uint32_t slice_next(uint32_t x) { return x * 1664525U + 1013904223U; }

static inline int slice_serve(const slice_entry* entries, size_t size) {
  char name[64];
  uint64_t count = 0;
  while (scanf("%63s %" SCNu64, name, &count) == 2) {
    size_t i = 0;
    while (i < size && strcmp(entries[i].name, name) != 0) ++i;
    if (i == size) {
      fprintf(stderr, "there is no slice named %s\n", name);
      return 2;
    }
    printf("%" PRIu64 "\n", entries[i].run(count));
    fflush(stdout);
  }
  return 0;
}
