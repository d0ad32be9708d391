// bench/stalls/lttng.c: LTTng-UST's event with three integers, for bench/stalls/serve.h. bench/lib/lttng.mjs makes the session, whose
// consumer daemon reads the rings meanwhile.
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "../lttng/events.h"
//
#include "serve.h"

static void ints(uint32_t x, uint32_t i) { lttng_ust_tracepoint(blkin_bench, ints, x, i, 4096); }

int main(void) {
  static const stall_entry entries[] = {{"ints", ints}};
  return stall_serve(entries, sizeof entries / sizeof entries[0]);
}
