// bench/lttng/events.h: LTTng-UST's tracepoints with the fields of ours. LTTng's macros include it several times.
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER blkin_bench
#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "events.h"
#if !defined(BLKIN_BENCH_EVENTS_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define BLKIN_BENCH_EVENTS_H
#include <lttng/tracepoint.h>
#include <stdint.h>

// clang-format off
LTTNG_UST_TRACEPOINT_ENUM(blkin_bench, operation,
  LTTNG_UST_TP_ENUM_VALUES(
    lttng_ust_field_enum_value("read", 0)
    lttng_ust_field_enum_value("write", 1)
    lttng_ust_field_enum_value("flush", 2)))

LTTNG_UST_TRACEPOINT_EVENT(blkin_bench, none, LTTNG_UST_TP_ARGS(), LTTNG_UST_TP_FIELDS())

LTTNG_UST_TRACEPOINT_EVENT_CLASS(blkin_bench, three,
  LTTNG_UST_TP_ARGS(uint32_t, a, uint32_t, b, uint32_t, c),
  LTTNG_UST_TP_FIELDS(
    lttng_ust_field_integer(uint32_t, a, a)
    lttng_ust_field_integer(uint32_t, b, b)
    lttng_ust_field_integer(uint32_t, c, c)))
LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(blkin_bench, three, blkin_bench, ints,
  LTTNG_UST_TP_ARGS(uint32_t, a, uint32_t, b, uint32_t, c))
LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(blkin_bench, three, blkin_bench, off,
  LTTNG_UST_TP_ARGS(uint32_t, a, uint32_t, b, uint32_t, c))

LTTNG_UST_TRACEPOINT_EVENT(blkin_bench, request,
  LTTNG_UST_TP_ARGS(uint8_t, operation_, uint64_t, offset_, uint32_t, length_),
  LTTNG_UST_TP_FIELDS(
    lttng_ust_field_enum(blkin_bench, operation, uint8_t, operation, operation_)
    lttng_ust_field_integer(uint64_t, offset, offset_)
    lttng_ust_field_integer(uint32_t, length, length_)))

LTTNG_UST_TRACEPOINT_EVENT(blkin_bench, text,
  LTTNG_UST_TP_ARGS(const char*, text_),
  LTTNG_UST_TP_FIELDS(lttng_ust_field_string(text, text_)))
// clang-format on
#endif
#include <lttng/tracepoint-event.h>
