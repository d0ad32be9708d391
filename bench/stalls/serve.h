// bench/stalls/serve.h: the C side of the measurement of stalls. A peer reads "NAME THREADS MS" from stdin, makes the named call in so many
// threads for so long, each call timed by itself, and answers with one line of JSON: {"calls":N,"buckets":[...]}. Under full load:
// each thread makes kStallBurst calls at the begin of each millisecond, and spins for the rest of it, so no processor is idle, and
// what reads the rings has to fight for one. Ends at end of input.
#pragma once

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "histogram.h"

enum { kStallBurst = 500, kStallThreadsMost = 256, kPlantedMs = 20 };

typedef struct {
  const char* name;
  void (*call)(uint32_t x, uint32_t i);
} stall_entry;

typedef struct {
  const stall_entry* entry;
  uint64_t ms;
  uint64_t calls;
  double units_per_tick;
  stall_histogram histogram;
} stall_thread;

static inline uint64_t stall_now_ns(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

// What a call is timed by: the cheapest that there is, or else the clock.
static inline uint64_t stall_ticks(void) {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#else
  return stall_now_ns();
#endif
}

static inline double stall_units_per_tick(void) {
  const uint64_t ns = stall_now_ns(), ticks = stall_ticks();
  while (stall_now_ns() - ns < 20000000) {
  }
  const uint64_t ns_later = stall_now_ns(), ticks_later = stall_ticks();
  return kStallUnits * (double)(ns_later - ns) / (double)(ticks_later - ticks);
}

// No call at all: what the timing takes, and what the machine does to any loop.
static inline void stall_nothing(uint32_t x, uint32_t i) {
  (void)i;
  __asm__ volatile("" : : "r"(x));
}

// A stall that has to be seen: once in 100,000 calls.
static inline void stall_planted(uint32_t x, uint32_t i) {
  (void)x;
  const struct timespec time = {0, kPlantedMs * 1000000};
  if (i % 100000 == 50000) nanosleep(&time, NULL);
}

static inline void* stall_run(void* argument) {
  stall_thread* self = (stall_thread*)argument;
  void (*const call)(uint32_t, uint32_t) = self->entry->call;
  uint32_t x = 1;
  uint32_t i = 0;
  uint64_t next = stall_now_ns();
  const uint64_t end = next + self->ms * 1000000;
  while (next < end) {
    for (int k = 0; k < kStallBurst; ++k, ++i) {
      x = x * 1664525U + 1013904223U;
      const uint64_t start = stall_ticks();
      call(x, i);
      const uint64_t took = stall_ticks() - start;
      stall_add(&self->histogram, (uint64_t)((double)took * self->units_per_tick));
    }
    next += 1000000;
    const uint64_t now = stall_now_ns();
    if (now > next)
      next = now;  // what a stall delayed is not made up for: more at once would be another load
    while (stall_now_ns() < next) {
    }
  }
  self->calls = i;
  return NULL;
}

static inline void stall_answer(const stall_entry* entry, unsigned threads, uint64_t ms,
                                double units_per_tick) {
  pthread_t ids[kStallThreadsMost];
  stall_thread* all = (stall_thread*)calloc(threads, sizeof *all);
  if (all == NULL) exit(3);
  for (unsigned i = 0; i < threads; ++i) {
    all[i].entry = entry;
    all[i].ms = ms;
    all[i].units_per_tick = units_per_tick;
    if (pthread_create(&ids[i], NULL, stall_run, &all[i]) != 0) exit(3);
  }
  uint64_t calls = 0;
  for (unsigned i = 0; i < threads; ++i) {
    pthread_join(ids[i], NULL);
    calls += all[i].calls;
    for (unsigned k = 0; i > 0 && k < kStallBuckets; ++k)
      all[0].histogram.counts[k] += all[i].histogram.counts[k];
  }
  printf("{\"calls\":%" PRIu64 ",\"buckets\":", calls);
  stall_print(&all[0].histogram);
  printf("}\n");
  fflush(stdout);
  free(all);
}

static inline int stall_serve(const stall_entry* entries, size_t size) {
  const double units_per_tick = stall_units_per_tick();
  char name[64];
  unsigned threads = 0;
  uint64_t ms = 0;
  while (scanf("%63s %u %" SCNu64, name, &threads, &ms) == 3) {
    size_t i = 0;
    while (i < size && strcmp(entries[i].name, name) != 0) ++i;
    if (i == size || threads == 0 || threads > kStallThreadsMost) {
      fprintf(stderr, "there is no call named %s, or not in %u threads\n", name, threads);
      return 2;
    }
    stall_answer(&entries[i], threads, ms, units_per_tick);
  }
  return 0;
}
