// native/thrift/fork.cc: see fork.hpp.
#include "fork.hpp"

#include <pthread.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <mutex>

namespace blkin::thrift {

namespace {

// More than a process ever has: a lock, a socket, 8 sessions and 16 controllers, in each copy of the addon. A descriptor that finds
// no place is kept by the child.
constexpr size_t kMost = 128;
constexpr int kFree = 0;  // so that the table needs no constructor; a descriptor 0 is not minded

std::array<std::atomic<int>, kMost> g_places;

bool replace(int from, int to) noexcept {
  for (std::atomic<int>& place : g_places) {
    int expected = from;
    if (place.compare_exchange_strong(expected, to)) return true;
  }
  return false;
}

// In the child, which has one thread: only what is safe after a fork of a process that had many.
void close_all() noexcept {
  for (std::atomic<int>& place : g_places)
    if (const int fd = place.exchange(kFree); fd > 0) close(fd);
}

}  // namespace

void close_in_child(int fd) noexcept {
  static std::once_flag once;
  std::call_once(once, [] { pthread_atfork(nullptr, nullptr, close_all); });
  if (fd > 0) replace(kFree, fd);
}

void keep_in_child(int fd) noexcept {
  if (fd > 0) replace(fd, kFree);
}

}  // namespace blkin::thrift
