// native/process/spare_folder.hpp: a second folder of this process, for what its first one does not take: rings for which
// /dev/shm has no room any more go below TMPDIR, and those of a process that became another user to that user's. It is
// complete in itself, so recovery reads it like any other; it has no control socket. Made by the first who needs it, which may be an emitter.
#pragma once

#include <mutex>

#include "../folder/folder.hpp"
#include "../rules/registry.hpp"

namespace blkin::control {

class SpareFolder {
 public:
  explicit SpareFolder(Registry& registry) : registry_(registry) {}

  // Null where it cannot be had with room for so many bytes; then it is not tried again for a second. Once had it stays.
  const ProcessFolder* get(uint64_t room);
  // Adds the tracepoints declared since. False: they could not be stored, and the next call tries again.
  bool keep_tracepoints();
  void remove();

 private:
  bool add_new();

  Registry& registry_;
  std::mutex mutex_;  // guards what follows; under it only the registry's is taken
  ProcessFolder folder_;
  size_t tracepoints_kept_ = 0;
  uint64_t retry_at_ns_ = 0;
};

}  // namespace blkin::control
