// test/programs/power-cut.c: a disk that loses what was not synced, as a library to preload into a relay. power-cut.ts builds it.
// It remembers what stood in each page below POWER_CUT_FOLDER before the first write since the file was last synced. At the
// write number POWER_CUT_WRITE (counted over all files there) the power goes: of each page that was not synced a random draw by
// POWER_CUT_SEED says whether it had reached the disk, and the process is killed. POWER_CUT_LOSES is "pages" (a page that is lost has
// zeros, or what stood there before; the file keeps its size), "end" (all from one page on is lost, and the file is as much shorter)
// or "all" (nothing that was not synced is there: also no file, and no name, that was made since its folder was synced).
// POWER_CUT_FAILS=N makes the N-th sync of a folder fail, and nothing else happens.
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

enum { kPage = 4096, kPages = 1 << 16, kNames = 1 << 12, kPath = 512 };

struct page {
  char path[kPath];
  off_t at;
  ssize_t had;  // bytes of it that were there
  char bytes[kPage];
};
struct name {  // a file that was made, or a folder that was renamed from `from`
  char path[kPath];
  char from[kPath];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct page* pages;
static struct name* names;
static size_t page_count, name_count;
static long writes, folder_syncs;
static unsigned seed;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int ours(const char* path) {
  const char* folder = getenv("POWER_CUT_FOLDER");
  return folder != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

static int path_of(int fd, char* out) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, out, kPath - 1);
  if (length < 0) return 0;
  out[length] = 0;
  return ours(out);
}

static int is_folder(int fd) {
  struct stat now;
  return fstat(fd, &now) == 0 && S_ISDIR(now.st_mode);
}

static void parent_of(const char* path, char* out) {
  snprintf(out, kPath, "%s", path);
  *strrchr(out, '/') = 0;
}

static void remember(int fd, const char* path, off_t from, size_t count) {
  for (off_t at = from / kPage * kPage; at < from + (off_t)count; at += kPage) {
    int known = 0;
    for (size_t i = 0; i < page_count && !known; ++i) known = pages[i].at == at && strcmp(pages[i].path, path) == 0;
    if (known || page_count == kPages) continue;
    struct page* one = &pages[page_count++];
    snprintf(one->path, kPath, "%s", path);
    one->at = at;
    one->had = pread(fd, one->bytes, kPage, at);
    if (one->had < 0) one->had = 0;
  }
}

static void forget(const char* path) {
  size_t kept = 0;
  for (size_t i = 0; i < page_count; ++i)
    if (strcmp(pages[i].path, path) != 0) pages[kept++] = pages[i];
  page_count = kept;
}

static void forget_names(const char* folder) {
  size_t kept = 0;
  for (size_t i = 0; i < name_count; ++i) {
    char parent[kPath];
    parent_of(names[i].path, parent);
    if (strcmp(parent, folder) != 0) names[kept++] = names[i];
  }
  name_count = kept;
}

// A random page of each file is the first that is lost of it.
static off_t first_lost(const char* path) {
  unsigned own = seed;
  for (const char* c = path; *c; ++c) own = own * 31 + (unsigned char)*c;
  off_t low = -1, high = 0;
  for (size_t i = 0; i < page_count; ++i) {
    if (strcmp(pages[i].path, path) != 0) continue;
    if (low < 0 || pages[i].at < low) low = pages[i].at;
    if (pages[i].at > high) high = pages[i].at;
  }
  return low + rand_r(&own) % ((high - low) / kPage + 2) * kPage;
}

static void cut(void) {
  const char* loses = getenv("POWER_CUT_LOSES");
  const int all = strcmp(loses, "all") == 0, end = strcmp(loses, "end") == 0;
  for (size_t i = 0; i < page_count; ++i) {
    struct page* one = &pages[i];
    const int lost = all ? 1 : end ? one->at >= first_lost(one->path) : rand_r(&seed) % 4 == 0;
    const int fd = lost ? REAL(open)(one->path, O_WRONLY | O_CLOEXEC) : -1;
    if (fd < 0) continue;
    struct stat now;
    fstat(fd, &now);
    off_t after = one->at + one->had;
    if ((all || end) && now.st_size > after && ftruncate(fd, after) != 0) abort();
    if (!all && !end) {
      const off_t here = now.st_size - one->at < kPage ? now.st_size - one->at : kPage;
      memset(one->bytes + one->had, 0, kPage - one->had);
      if (here > 0 && REAL(pwrite)(fd, one->bytes, here, one->at) != here) abort();
    } else if (REAL(pwrite)(fd, one->bytes, one->had, one->at) != one->had) abort();
    close(fd);
  }
  for (size_t i = name_count; all && i-- > 0;) {
    if (names[i].from[0] == 0) unlink(names[i].path);
    else REAL(rename)(names[i].path, names[i].from);
  }
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

__attribute__((constructor)) static void begin(void) {
  pages = calloc(kPages, sizeof *pages);
  names = calloc(kNames, sizeof *names);
  const char* given = getenv("POWER_CUT_SEED");
  seed = given ? (unsigned)atoi(given) : 1;
}

ssize_t pwrite64(int fd, const void* bytes, size_t count, off_t at) {
  char path[kPath];
  if (!path_of(fd, path)) return REAL(pwrite64)(fd, bytes, count, at);
  pthread_mutex_lock(&lock);
  remember(fd, path, at, count);
  const ssize_t done = REAL(pwrite64)(fd, bytes, count, at);
  const char* last = getenv("POWER_CUT_WRITE");
  if (last && ++writes == atol(last)) cut();
  pthread_mutex_unlock(&lock);
  return done;
}
ssize_t pwrite(int fd, const void* bytes, size_t count, off_t at) { return pwrite64(fd, bytes, count, at); }

static int sync_of(int fd, int (*real)(int)) {
  char path[kPath];
  if (!path_of(fd, path)) return real(fd);
  pthread_mutex_lock(&lock);
  const char* fails = getenv("POWER_CUT_FAILS");
  const int folder = is_folder(fd);
  int done = -1;
  if (folder && fails && ++folder_syncs == atol(fails)) errno = EIO;
  else done = real(fd);
  if (done == 0) folder ? forget_names(path) : forget(path);
  pthread_mutex_unlock(&lock);
  return done;
}
int fsync(int fd) { return sync_of(fd, REAL(fsync)); }
int fdatasync(int fd) { return sync_of(fd, REAL(fdatasync)); }

static int open_of(const char* path, int flags, mode_t mode) {
  const int there = access(path, F_OK) == 0;
  const int fd = REAL(open64)(path, flags, mode);
  if (fd < 0 || there || !(flags & O_CREAT) || !ours(path)) return fd;
  pthread_mutex_lock(&lock);
  if (name_count < kNames) {
    snprintf(names[name_count].path, kPath, "%s", path);
    names[name_count++].from[0] = 0;
  }
  pthread_mutex_unlock(&lock);
  return fd;
}
int open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = va_arg(more, mode_t);
  va_end(more);
  return open_of(path, flags, mode);
}
int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = va_arg(more, mode_t);
  va_end(more);
  return open_of(path, flags, mode);
}

int rename(const char* from, const char* to) {
  struct stat now;
  const int moves = ours(to) && stat(from, &now) == 0 && S_ISDIR(now.st_mode);
  const int done = REAL(rename)(from, to);
  if (done != 0 || !moves) return done;
  pthread_mutex_lock(&lock);
  if (name_count < kNames) {
    snprintf(names[name_count].path, kPath, "%s", to);
    snprintf(names[name_count++].from, kPath, "%s", from);
  }
  pthread_mutex_unlock(&lock);
  return done;
}
