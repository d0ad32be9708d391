// native/thrift/connection.hpp: one connection to a relay, by TCP or a Unix socket, never blocking. Used by the consumer thread alone.
// Sends whole frames in the order given, gives back whole frames as they come; on any fault it closes itself and
// says why. Knows no message. Start reading at Connection.
#pragma once

#include <poll.h>

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "address.hpp"

namespace blkin::thrift {

class Connection {
 public:
  enum class State { kClosed, kConnecting, kOpen };

  Connection() = default;
  ~Connection() { close({}); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Resolves the host, the one step that may block (for names that are not in /etc/hosts), and starts to connect: to
  // the name's next address where the last attempt failed, since a relay may listen on 127.0.0.1 and not on ::1. Behind a
  // Unix socket there must be this user or root: the events, and the token, are for nobody else.
  void open(const Address& address);
  void close(const std::string& why);

  // The last attempt failed, and the name has addresses that were not tried yet.
  bool more_addresses() const { return failed_attempts_ % addresses_ != 0; }
  // Whoever took the connection is whom it was for: who else listens at one of the addresses says nothing, or hangs up.
  void accept_peer() { failed_attempts_ = 0; }

  State state() const { return state_; }
  const std::string& error() const { return error_; }  // why it is closed; empty when asked to
  // Of the last attempt: nobody took it; the other side ended it.
  bool nobody_listens() const { return nobody_listens_; }
  bool hung_up() const { return hung_up_; }
  size_t unsent() const { return unsent_; }
  // Bytes of this connection: given to send(), and those that the other side's kernel has taken.
  uint64_t queued() const { return queued_; }
  uint64_t acknowledged() const;

  // The first `size` bytes of the buffer; the whole buffer comes back through spare() once they are sent.
  void send(std::vector<uint8_t> buffer, size_t size);
  void send(std::vector<uint8_t> frame);

  // A buffer to fill, of at least `size` bytes, not cleared.
  std::vector<uint8_t> spare(size_t size);

  // Does what the socket allows now: finishes connecting, writes, reads.
  void pump();

  // The next whole frame without its length; valid until the next call.
  bool receive(const uint8_t*& frame, size_t& size);

  // For poll(2): fd -1 when closed.
  pollfd interest() const;

 private:
  void open_socket(const std::string& path);
  void fail_to_connect(int error);
  void write_some();
  bool read_some();

  int fd_ = -1;
  size_t failed_attempts_ = 0;  // in a row
  size_t addresses_ = 1;
  State state_ = State::kClosed;
  std::string error_;
  bool nobody_listens_ = false;
  bool hung_up_ = false;
  std::string send_fault_;  // of a connection that is only read any more
  struct Frame {
    std::vector<uint8_t> buffer;
    size_t size;
  };
  std::deque<Frame> out_;
  std::vector<std::vector<uint8_t>> spares_;
  size_t out_offset_ = 0;
  size_t unsent_ = 0;
  uint64_t queued_ = 0;
  std::vector<uint8_t> in_;
  size_t in_offset_ = 0;
};

}  // namespace blkin::thrift
