// native/control/recovery.hpp: brings what a dead process left in its folder to a relay. Called by `blkin record`
// once the programs it watched have ended, in its own process.
#pragma once

#include <string>
#include <vector>

#include "../thrift/connection.hpp"
#include "folder.hpp"

namespace blkin::control {

struct Recovered {
  std::string folder;
  std::array<uint8_t, 16> uuid;
  uint64_t events;  // brought by this call
  bool delivered;   // all of it, and the folder was removed
  std::string error;
};

// Every folder of this user whose process is dead and sent to the relay `wrote_to` (HOST:PORT, as it was told).
std::vector<Recovered> recover_dead(const std::string& wrote_to, const thrift::Address& relay,
                                    const std::string& token, uint64_t timeout_ms);

}  // namespace blkin::control
