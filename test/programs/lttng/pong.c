/* test/programs/lttng/pong.c: answers each byte on stdin by an LTTng-UST event and a byte on stdout. Says "r" once ready. */
#include <unistd.h>
#define TRACEPOINT_CREATE_PROBES
#define TRACEPOINT_DEFINE
#include "pong-tp.h"

int main(void) {
  char byte = 'r';
  unsigned n = 1;
  if (write(1, &byte, 1) != 1) return 1;
  while (read(0, &byte, 1) == 1) {
    tracepoint(pong, turn, n);
    n += 2;
    if (write(1, &byte, 1) != 1) return 1;
  }
  return 0;
}
