// native/folder/removed.hpp: how much of what dead processes left was removed for room without a trace to count it in: its relay
// had not come for a week, or there was no room even for counts. The sweep adds, recovery takes and says it, once.
//
//   BASE/blkin-UID/removed: | u64 records | for each session, appended
#pragma once

#include "directory.hpp"

namespace blkin::control {

struct Removed {
  uint64_t sessions = 0;
  uint64_t records = 0;
};

void add_removed(const Directory& user, uint64_t records);
// From now on it counts from nothing.
Removed take_removed(const Directory& user);

}  // namespace blkin::control
