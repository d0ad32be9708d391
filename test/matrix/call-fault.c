// call-fault.c: preloaded into a relay, makes it die, or be refused, at a chosen system call on a chosen file: each side effect that others
// can see is such a call, and so each point of its write path is reached, in code that knows nothing of it.
//   CALL_NAME   pwrite, fdatasync, fsync, open (that makes the file), mkdir, rename, ftruncate
//   CALL_FILE   of files whose path holds this
//   CALL_NTH    the first one that is concerned, from 1
//   CALL_HOW    before, after: dies there; half: of a write, dies behind half of its bytes; ENOSPC or EIO: refused; slow: 20 ms later
//   CALL_TIMES  how many are refused or slow (1)
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { kPath = 512 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long calls;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

// What to do with this call: NULL where it is none of those.
static const char* chosen(const char* call, const char* path) {
  const char* name = getenv("CALL_NAME");
  const char* file = getenv("CALL_FILE");
  if (name == NULL || strcmp(name, call) != 0 || strstr(path, file) == NULL) return NULL;
  pthread_mutex_lock(&lock);
  const long past = ++calls - atol(getenv("CALL_NTH"));
  pthread_mutex_unlock(&lock);
  const char* times = getenv("CALL_TIMES");
  return past >= 0 && past < (times ? atol(times) : 1) ? getenv("CALL_HOW") : NULL;
}

static const char* chosen_fd(const char* call, int fd) {
  char link[64], path[kPath];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, kPath - 1);
  if (length < 0) return NULL;
  path[length] = 0;
  return chosen(call, path);
}

static int is(const char* how, const char* word) { return how != NULL && strcmp(how, word) == 0; }

// True: the call is refused, with errno set.
static int refused(const char* how) {
  if (is(how, "before")) die();
  if (is(how, "slow")) usleep(20000);
  if (!is(how, "ENOSPC") && !is(how, "EIO")) return 0;
  errno = is(how, "EIO") ? EIO : ENOSPC;
  return 1;
}

#define AROUND(how, real)      \
  if (refused(how)) return -1; \
  const int done = real;       \
  if (is(how, "after")) die(); \
  return done

ssize_t pwrite64(int fd, const void* bytes, size_t count, off_t at) {
  const char* how = chosen_fd("pwrite", fd);
  if (refused(how)) return -1;
  const ssize_t done = REAL(pwrite64)(fd, bytes, is(how, "half") ? count / 2 : count, at);
  if (is(how, "after") || is(how, "half")) die();
  return done;
}

int fsync(int fd) {
  const char* how = chosen_fd("fsync", fd);
  AROUND(how, REAL(fsync)(fd));
}
int fdatasync(int fd) {
  const char* how = chosen_fd("fdatasync", fd);
  AROUND(how, REAL(fdatasync)(fd));
}
int ftruncate64(int fd, off_t size) {
  const char* how = chosen_fd("ftruncate", fd);
  AROUND(how, REAL(ftruncate64)(fd, size));
}
int mkdir(const char* path, mode_t mode) {
  const char* how = chosen("mkdir", path);
  AROUND(how, REAL(mkdir)(path, mode));
}
int rename(const char* from, const char* to) {
  const char* how = chosen("rename", to);
  AROUND(how, REAL(rename)(from, to));
}
int open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = va_arg(more, mode_t);
  va_end(more);
  const char* how = flags & O_CREAT && access(path, F_OK) != 0 ? chosen("open", path) : NULL;
  AROUND(how, REAL(open64)(path, flags, mode));
}
