// native/folder/recovery.hpp: brings what dead processes left in their folders to the relay that they sent to. Called by
// `blkin relay` every two seconds, and by `blkin record` once the programs it watched have ended, in its own process.
#pragma once

#include <atomic>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "../thrift/connection.hpp"
#include "folder.hpp"

namespace blkin::control {

// A session; or what was removed of a user's folders without a relay to tell it to (removed.hpp), of no uuid, as its error.
struct Recovered {
  std::string folder;
  std::array<uint8_t, 16> uuid;
  uint64_t events;    // brought by this call
  uint64_t given_up;  // records that were given up for room before (sweep.hpp), told to the relay as lost
  bool delivered;     // all of it, and the folder was removed
  std::string error;
};

struct RecoverOptions {
  std::string
      listens;  // where the relay is bound, HOST:PORT; sessions that sent there by whatever name are taken
  thrift::Address relay;
  std::string token;
  uint64_t timeout_ms;  // for all of them together; each has its share of what is left
  const std::atomic<int32_t>* cancel = nullptr;  // not 0: enough, as if the time were over
  // Of other users' sessions, where this process is root, only these are brought: those that the relay knows, where it asks for
  // a token, since they showed it. Nothing: all.
  std::optional<std::set<std::array<uint8_t, 16>>> known{};
};

// Every session of a process that is dead, of this user, or of any where this one is root.
std::vector<Recovered> recover_dead(const RecoverOptions& options);

}  // namespace blkin::control
