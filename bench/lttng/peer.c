// bench/lttng/peer.c: LTTng-UST from C, the rival that blkin is measured against. bench/lib/lttng.mjs makes the session.
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "events.h"
//
#include "../slice.h"

static volatile uint32_t sink;

// The loop around every variant: a value that depends on the last one, stored where the compiler cannot follow.
#define SLICE(NAME, ...)                   \
  static uint64_t NAME(uint64_t count) {   \
    const uint64_t start = slice_now();    \
    uint32_t x = (uint32_t)count;          \
    for (uint64_t i = 0; i < count; ++i) { \
      x = slice_next(x);                   \
      sink = x;                            \
      __VA_ARGS__;                         \
    }                                      \
    return slice_now() - start;            \
  }

static const char* const texts[4] = {"volume-00/blk-0a", "volume-01/blk-0b", "volume-02/blk-0c",
                                     "volume-03/blk-0d"};

SLICE(loop, )
SLICE(off, lttng_ust_tracepoint(blkin_bench, off, x, (uint32_t)i, 4096))
SLICE(none, lttng_ust_tracepoint(blkin_bench, none))
SLICE(ints, lttng_ust_tracepoint(blkin_bench, ints, x, (uint32_t)i, 4096))
SLICE(request, lttng_ust_tracepoint(blkin_bench, request, x & 1, (uint64_t)x * 4096, 4096))
SLICE(text, lttng_ust_tracepoint(blkin_bench, text, texts[i & 3]))

int main(void) {
  static const slice_entry entries[] = {
      {"loop", loop}, {"off", off}, {"none", none}, {"ints", ints}, {"request", request}, {"text", text},
  };
  return slice_serve(entries, sizeof entries / sizeof entries[0]);
}
