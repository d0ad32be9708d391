// native/ring/file.hpp: makes a ring's file and maps it; opens one that a dead process left.
// System calls, so never on the write path: called when a CPU's or a thread's first event comes, and by recovery.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <new>

#include "../points.hpp"
#include "layout.hpp"
#include "read.hpp"
#include "signals.hpp"

namespace blkin::ring {

struct Created {
  Header* ring;
  int error;  // errno where ring is null
};

// dir_fd < 0: no folder could be had, so the ring is anonymous memory and dies with the process.
// The pages are reserved here, so that a full /dev/shm is ENOSPC now and not SIGBUS at some store later.
inline Created create_with_signals_blocked(int dir_fd, const char* name, uint32_t stream,
                                           Geometry geometry) noexcept {
  if (!valid_geometry(geometry)) return {nullptr, EINVAL};
  const auto bytes = static_cast<off_t>(kHeaderBytes + geometry.capacity);
  const int fd = dir_fd >= 0 ? openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)
                             : memfd_create("blkin-ring", MFD_CLOEXEC);
  if (fd < 0) return {nullptr, errno};
  BLKIN_POINT("ring-file-made");
  void* base = MAP_FAILED;
  int error = posix_fallocate(fd, 0, bytes);
  BLKIN_POINT("ring-reserved");
  if (error == 0) {
    base = mmap(nullptr, static_cast<size_t>(bytes), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) error = errno;
  }
  close(fd);
  if (error != 0) {
    if (dir_fd >= 0) unlinkat(dir_fd, name, 0);
    return {nullptr, error};
  }
  auto* ring = new (base) Header{};
  ring->version = kVersion;
  ring->stream = stream;
  ring->sub_buffer_bytes = geometry.sub_buffer_bytes;
  ring->capacity = geometry.capacity;
  ring->mode = geometry.mode;
  BLKIN_POINT("ring-header-written");
  std::atomic_thread_fence(std::memory_order_release);
  ring->magic = kMagic;  // last: a file without it was never a ring
  BLKIN_POINT("ring-made");
  return {ring, 0};
}

// Before Linux 6.13 a pending signal ends posix_fallocate() on tmpfs with EINTR: without the mask a profiler's SIGPROF
// costs the ring, and with it a second of its CPU's events.
inline Created create(int dir_fd, const char* name, uint32_t stream, Geometry geometry) noexcept {
  const SignalsBlocked blocked;
  return create_with_signals_blocked(dir_fd, name, stream, geometry);
}

// sharing: MAP_SHARED, or MAP_PRIVATE for a file that stays as it is, whatever its reader notes in it (tail).
// Null when the file is not a ring of this version with a geometry that fits its size and positions that can be: with
// a head further from tail than the ring is long, what was never written would be read, again after each release.
inline Header* open(int dir_fd, const char* name, Geometry& geometry, int sharing = MAP_SHARED) noexcept {
  const int fd = openat(dir_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);  // a FIFO is no ring
  if (fd < 0) return nullptr;
  struct stat status {};
  void* base = MAP_FAILED;
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > static_cast<off_t>(kHeaderBytes))
    base = mmap(nullptr, static_cast<size_t>(status.st_size), PROT_READ | PROT_WRITE, sharing, fd, 0);
  close(fd);
  if (base == MAP_FAILED) return nullptr;
  auto* ring = static_cast<Header*>(base);
  geometry = {ring->sub_buffer_bytes, ring->capacity, ring->mode};
  const bool good = ring->magic == kMagic && ring->version == kVersion && valid_geometry(geometry) &&
                    geometry.capacity + kHeaderBytes == static_cast<uint64_t>(status.st_size) &&
                    valid_positions(ring, geometry);
  if (good) return ring;
  munmap(base, static_cast<size_t>(status.st_size));
  return nullptr;
}

}  // namespace blkin::ring
