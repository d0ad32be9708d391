/* test/programs/lttng/pong-tp.h: one LTTng-UST tracepoint, pong:turn, with the number of the turn. */
#undef TRACEPOINT_PROVIDER
#define TRACEPOINT_PROVIDER pong
#undef TRACEPOINT_INCLUDE
#define TRACEPOINT_INCLUDE "./pong-tp.h"

#if !defined(PONG_TP_H) || defined(TRACEPOINT_HEADER_MULTI_READ)
#define PONG_TP_H
#include <lttng/tracepoint.h>

TRACEPOINT_EVENT(pong, turn, TP_ARGS(unsigned, n), TP_FIELDS(ctf_integer(unsigned, n, n)))

#endif
#include <lttng/tracepoint-event.h>
