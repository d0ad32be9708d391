// native/thrift/connection.cc: see connection.hpp.
#include "connection.hpp"

#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "../points.hpp"
#include "binary.hpp"
#include "foreign.hpp"
#include "fork.hpp"

namespace blkin::thrift {

namespace {

constexpr size_t kWorthKeeping = 64 << 10;
constexpr size_t kSparesMax = 4;
// While nothing is under way the kernel asks whether the other machine is there still: a minute after it has gone it says so.
constexpr int kKeepAliveAfterS = 30;
constexpr int kKeepAliveEveryS = 10;
constexpr int kKeepAliveTimes = 3;

std::string words(const char* what, int error) { return std::string(what) + ": " + strerror(error); }

void keep_alive(int fd) {
  const auto set = [fd](int level, int option, int value) {
    setsockopt(fd, level, option, &value, sizeof value);
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveAfterS);
  set(IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveEveryS);
  set(IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveTimes);
}

// Why it may be another user who listens there; empty where it is this user or root.
std::string wrong_listener(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return words("SO_PEERCRED", errno);
  if (peer.uid == geteuid() || peer.uid == 0) return "";
  return "who listens there is uid " + std::to_string(peer.uid) + "; expected uid " +
         std::to_string(geteuid()) + " or root";
}

// Which faults mean "not now".
bool later(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

}  // namespace

void Connection::open(const Address& address) {
  close({});
  nobody_listens_ = hung_up_ = false;
  if (!address.path.empty()) return open_socket(address.path);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &found); error != 0)
    return close("relay " + address.host + ": " + gai_strerror(error));
  addresses_ = 0;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) ++addresses_;
  const addrinfo* to = found;
  for (size_t skip = failed_attempts_++ % addresses_; skip > 0; --skip) to = to->ai_next;
  fd_ = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  close_in_child(fd_);
  const int one = 1;
  if (fd_ >= 0) {
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    keep_alive(fd_);
  }
  const bool started = fd_ >= 0 && (connect(fd_, to->ai_addr, to->ai_addrlen) == 0 || errno == EINPROGRESS);
  const int error = errno;
  freeaddrinfo(found);
  if (!started) return fail_to_connect(error);
  state_ = State::kConnecting;
}

// At once: a socket of the same host is connected, or it is not.
void Connection::open_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return fail_to_connect(ENAMETOOLONG);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  addresses_ = 1;
  fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0 || connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    ++failed_attempts_;
    return fail_to_connect(errno);
  }
  if (const std::string wrong = wrong_listener(fd_); !wrong.empty()) return close(wrong);
  state_ = State::kConnecting;
}

void Connection::close(const std::string& why) {
  keep_in_child(fd_);
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  state_ = State::kClosed;
  error_ = why;
  send_fault_.clear();
  out_.clear();
  out_offset_ = unsent_ = 0;
  queued_ = 0;
  in_.clear();
  in_offset_ = 0;
}

void Connection::fail_to_connect(int error) {
  nobody_listens_ = error == ECONNREFUSED || error == ENOENT;
  close(words("connect", error));
}

void Connection::send(std::vector<uint8_t> buffer, size_t size) {
  if (state_ == State::kClosed) return;
  unsent_ += size;
  queued_ += size;
  out_.push_back({std::move(buffer), size});
}

void Connection::send(std::vector<uint8_t> frame) {
  const size_t size = frame.size();
  send(std::move(frame), size);
}

uint64_t Connection::acknowledged() const {
  int in_kernel = 0;
  if (fd_ < 0 || ioctl(fd_, SIOCOUTQ, &in_kernel) != 0) in_kernel = 0;
  return queued_ - unsent_ - static_cast<uint64_t>(in_kernel);
}

std::vector<uint8_t> Connection::spare(size_t size) {
  if (spares_.empty()) return std::vector<uint8_t>(size);
  std::vector<uint8_t> buffer = std::move(spares_.back());
  spares_.pop_back();
  if (buffer.size() < size) buffer.resize(size);
  return buffer;
}

void Connection::pump() {
  if (state_ == State::kConnecting) {
    pollfd ready{fd_, POLLOUT, 0};
    if (poll(&ready, 1, 0) <= 0) return;
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return fail_to_connect(error);
    state_ = State::kOpen;
  }
  if (state_ != State::kOpen) return;
  const bool came = read_some();
  if (state_ != State::kOpen) return;
  // A relay that refuses and hangs up makes a send fail, with its words still to be read: so the fault waits until
  // nothing more comes.
  if (send_fault_.empty()) write_some();
  else if (!came) close(send_fault_);
}

void Connection::write_some() {
  while (!out_.empty()) {
    Frame& frame = out_.front();
    const ssize_t sent =
        ::send(fd_, frame.buffer.data() + out_offset_, frame.size - out_offset_, MSG_NOSIGNAL);
    if (sent < 0) {
      if (later(errno)) return;
      send_fault_ = words("send", errno);
      return;
    }
    BLKIN_POINT("bytes-sent");
    unsent_ -= static_cast<size_t>(sent);
    out_offset_ += static_cast<size_t>(sent);
    if (out_offset_ < frame.size) return;
    if (frame.buffer.size() >= kWorthKeeping && spares_.size() < kSparesMax)
      spares_.push_back(std::move(frame.buffer));
    out_.pop_front();
    out_offset_ = 0;
  }
}

// True: something came. An end that stands behind it is met by the next call, once it was taken.
bool Connection::read_some() {
  uint8_t chunk[16384];
  for (bool came = false;; came = true) {
    const ssize_t got = recv(fd_, chunk, sizeof chunk, 0);
    if (got <= 0) {
      if (came || (got < 0 && later(errno))) return came;
      hung_up_ = got == 0;
      return close(hung_up_ ? "the relay closed the connection" : words("receive", errno)), false;
    }
    in_.insert(in_.end(), chunk, chunk + got);
    if (static_cast<size_t>(got) < sizeof chunk || in_.size() > kFrameMax) return true;
  }
}

bool Connection::receive(const uint8_t*& frame, size_t& size) {
  const size_t have = in_.size() - in_offset_;
  if (have >= 4) {
    const auto first = static_cast<uint32_t>(Reader(in_.data() + in_offset_, 4).i32());
    size = first;
    if (size > kFrameMax) {
      const std::string foreign = foreign_protocol(first);
      close(!foreign.empty() ? foreign + "; expected a relay's --listen address"
                             : "a frame of " + std::to_string(size) + " bytes came; at most " +
                                   std::to_string(kFrameMax) + " are allowed");
      return false;
    }
    if (have >= 4 + size) {
      frame = in_.data() + in_offset_ + 4;
      in_offset_ += 4 + size;
      return true;
    }
  }
  in_.erase(in_.begin(), in_.begin() + static_cast<ptrdiff_t>(in_offset_));
  in_offset_ = 0;
  return false;
}

pollfd Connection::interest() const {
  if (state_ == State::kClosed) return {-1, 0, 0};
  const bool writing = state_ == State::kConnecting || unsent_ > 0;
  return {fd_, static_cast<short>(POLLIN | (writing ? POLLOUT : 0)), 0};
}

}  // namespace blkin::thrift
