// test/programs/lttng/values-tp.h: so many tracepoints with the same fields, that each can have a filter of its own.
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER values
#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "values-tp.h"
#if !defined(BLKIN_VALUES_TP_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define BLKIN_VALUES_TP_H
#include <lttng/tracepoint.h>
#include <stdint.h>

// clang-format off
LTTNG_UST_TRACEPOINT_EVENT_CLASS(values, row,
  LTTNG_UST_TP_ARGS(uint32_t, row_, uint8_t, b_, uint32_t, u_, int64_t, i_, uint64_t, w_, double, d_,
                    const char*, name_),
  LTTNG_UST_TP_FIELDS(
    lttng_ust_field_integer(uint32_t, row, row_)
    lttng_ust_field_integer(uint8_t, b, b_)
    lttng_ust_field_integer(uint32_t, u, u_)
    lttng_ust_field_integer(int64_t, i, i_)
    lttng_ust_field_integer(uint64_t, w, w_)
    lttng_ust_field_float(double, d, d_)
    lttng_ust_field_string(name, name_)))

#ifndef VALUES_EACH
#define VALUES_EACH(X) \
  X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) \
  X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31)
#endif
#define VALUES_INSTANCE(n) \
  LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(values, row, values, e##n, \
    LTTNG_UST_TP_ARGS(uint32_t, row_, uint8_t, b_, uint32_t, u_, int64_t, i_, uint64_t, w_, double, d_, \
                      const char*, name_))
VALUES_EACH(VALUES_INSTANCE)
#undef VALUES_INSTANCE
// clang-format on
#endif
#include <lttng/tracepoint-event.h>
