// native/consumer/stderr.hpp: what has to be told beside status(): one line on stderr, from any thread, whatever is in it.
#pragma once

#include <poll.h>
#include <unistd.h>

#include <climits>
#include <string>
#include <string_view>

#include "../thrift/visible.hpp"

namespace blkin::consumer {

// A pipe that has room has room for PIPE_BUF bytes. An escape takes four for a byte.
constexpr size_t kToldMost = 1000;
static_assert(4 * kToldMost + sizeof "blkin: \n" <= PIPE_BUF);

// Only where it cannot block: stderr may be a pipe that nobody reads. Of a longer text the first PIPE_BUF bytes.
inline void write_stderr(std::string_view text) {
  pollfd ready{STDERR_FILENO, POLLOUT, 0};
  if (poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0) return;
  text = text.substr(0, PIPE_BUF);
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

inline void tell_stderr(const std::string& what) {
  write_stderr("blkin: " + thrift::visible(what, kToldMost) + "\n");
}

}  // namespace blkin::consumer
