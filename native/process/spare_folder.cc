// native/process/spare_folder.cc: see spare_folder.hpp.
#include "spare_folder.hpp"

#include "../clock/clock.hpp"

namespace blkin::control {

namespace {

constexpr uint64_t kRetryNs = 1'000'000'000;

}  // namespace

const ProcessFolder* SpareFolder::get(uint64_t room) {
  const std::lock_guard lock(mutex_);
  if (!folder_.path().empty()) return &folder_;
  const uint64_t now = clock::monotonic_ns();
  if (now < retry_at_ns_) return nullptr;
  retry_at_ns_ = now + kRetryNs;
  folder_.create(room);
  if (folder_.path().empty()) return nullptr;
  add_new();
  return &folder_;
}

bool SpareFolder::keep_tracepoints() {
  const std::lock_guard lock(mutex_);
  return folder_.path().empty() || add_new();
}

bool SpareFolder::add_new() {
  std::vector<thrift::Tracepoint> fresh;
  registry_.tracepoints(tracepoints_kept_, fresh);
  if (!folder_.add_tracepoints(fresh)) return false;
  tracepoints_kept_ += fresh.size();
  return true;
}

void SpareFolder::remove() {
  const std::lock_guard lock(mutex_);
  folder_.remove();
}

}  // namespace blkin::control
