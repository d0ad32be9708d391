// test/programs/lttng/values.c: fires values:e0 to e31 once for each line "b u i w d name" of its input, the number of the
// line before them.
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include <inttypes.h>
#include <stdio.h>

#include "values-tp.h"

int main(void) {
  uint8_t b;
  uint32_t u, row = 0;
  int64_t i;
  uint64_t w;
  double d;
  char name[64];
  while (scanf("%" SCNu8 " %" SCNu32 " %" SCNd64 " %" SCNu64 " %lf %63s", &b, &u, &i, &w, &d, name) == 6) {
#define VALUES_FIRE(n) lttng_ust_tracepoint(values, e##n, row, b, u, i, w, d, name);
    VALUES_EACH(VALUES_FIRE)
    ++row;
  }
  return 0;
}
