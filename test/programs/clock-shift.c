// clock-shift.c: preloaded, makes a process see the time of day as many nanoseconds later as the file of CLOCK_SHIFT says, at every
// reading: as if somebody set the clock, which a test must not do.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static int (*real)(clockid_t, struct timespec*);
static volatile int64_t* shift;

__attribute__((constructor)) static void open_shift(void) {
  const char* path = getenv("CLOCK_SHIFT");
  const int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  void* page = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *shift, PROT_READ, MAP_SHARED, fd, 0);
  if (page != MAP_FAILED) shift = page;
}

int clock_gettime(clockid_t id, struct timespec* at) {
  if (real == NULL) real = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
  const int failed = real(id, at);
  if (failed != 0 || id != CLOCK_REALTIME || shift == NULL) return failed;
  const int64_t ns = (int64_t)at->tv_sec * 1000000000 + at->tv_nsec + *shift;
  at->tv_sec = ns / 1000000000;
  at->tv_nsec = ns % 1000000000;
  return 0;
}
