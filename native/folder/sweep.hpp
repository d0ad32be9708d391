// native/folder/sweep.hpp: keeps what dead processes of this user left from growing. Called once by each process that begins to
// trace. What is delivered goes at once. What is not is kept within a budget of bytes, the oldest first: of what finds no
// place in it, the records are given up and counted (ring/summary.hpp), so that recovery can tell the relay how many. What
// nobody will ever ask for (no relay, one that did not come for a week, another boot, damaged) only has what is left of the
// budget, the newest first. What had a relay and is removed whole is counted too (removed.hpp).
#pragma once

#include <cstdint>

namespace blkin::control {

struct SweepLimits {
  // Of one base. 0: a quarter of its file system, and no more than kKeptBytes.
  uint64_t kept_bytes = 0;
  // Beside it, for what is left of those that were given up. 0: an eighth of that.
  uint64_t summary_bytes = 0;
  uint64_t time_ms = 500;  // the program that starts waits for it; what is not done then, the next one does
};

constexpr uint64_t kKeptBytes = 512 << 20;

// Never waits for a lock, and touches no process that lives or is being recovered.
void sweep_dead(const SweepLimits& limits = {});

}  // namespace blkin::control
