// native/consumer/stderr.hpp: what has to be told beside status(): one line on stderr, from any thread.
#pragma once

#include <poll.h>
#include <unistd.h>

#include <string>

namespace blkin::consumer {

// Only where it cannot block: stderr may be a pipe that nobody reads.
inline void tell_stderr(const std::string& what) {
  pollfd ready{STDERR_FILENO, POLLOUT, 0};
  if (poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0) return;
  const std::string line = "blkin: " + what + "\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace blkin::consumer
