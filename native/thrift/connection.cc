// native/thrift/connection.cc: see connection.hpp.
#include "connection.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "binary.hpp"

namespace blkin::thrift {

namespace {

constexpr size_t kWorthKeeping = 64 << 10;
constexpr size_t kSparesMax = 4;

std::string words(const char* what, int error) { return std::string(what) + ": " + strerror(error); }

// Which faults mean "not now".
bool later(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

}  // namespace

void Connection::open(const Address& address) {
  close({});
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
  const int one = 1;
  if (fd_ >= 0) setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  const bool started = fd_ >= 0 && (connect(fd_, to->ai_addr, to->ai_addrlen) == 0 || errno == EINPROGRESS);
  const int error = errno;
  freeaddrinfo(found);
  if (!started) return close(words("connect", error));
  state_ = State::kConnecting;
}

void Connection::close(const std::string& why) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  state_ = State::kClosed;
  error_ = why;
  out_.clear();
  out_offset_ = unsent_ = 0;
  in_.clear();
  in_offset_ = 0;
}

void Connection::send(std::vector<uint8_t> buffer, size_t size) {
  if (state_ == State::kClosed) return;
  unsent_ += size;
  out_.push_back({std::move(buffer), size});
}

void Connection::send(std::vector<uint8_t> frame) {
  const size_t size = frame.size();
  send(std::move(frame), size);
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
    if (error != 0) return close(words("connect", error));
    failed_attempts_ = 0;
    state_ = State::kOpen;
  }
  // Reading first: a relay that refuses and hangs up makes the next send fail, and its words would be lost.
  if (state_ == State::kOpen) read_some();
  if (state_ == State::kOpen) write_some();
}

void Connection::write_some() {
  while (!out_.empty()) {
    Frame& frame = out_.front();
    const ssize_t sent =
        ::send(fd_, frame.buffer.data() + out_offset_, frame.size - out_offset_, MSG_NOSIGNAL);
    if (sent < 0) {
      if (later(errno)) return;
      return close(words("send", errno));
    }
    unsent_ -= static_cast<size_t>(sent);
    out_offset_ += static_cast<size_t>(sent);
    if (out_offset_ < frame.size) return;
    if (frame.buffer.size() >= kWorthKeeping && spares_.size() < kSparesMax)
      spares_.push_back(std::move(frame.buffer));
    out_.pop_front();
    out_offset_ = 0;
  }
}

void Connection::read_some() {
  uint8_t chunk[16384];
  for (;;) {
    const ssize_t got = recv(fd_, chunk, sizeof chunk, 0);
    if (got == 0) return close("the relay closed the connection");
    if (got < 0) {
      if (later(errno)) return;
      return close(words("receive", errno));
    }
    in_.insert(in_.end(), chunk, chunk + got);
    if (static_cast<size_t>(got) < sizeof chunk || in_.size() > kFrameMax) return;
  }
}

bool Connection::receive(const uint8_t*& frame, size_t& size) {
  const size_t have = in_.size() - in_offset_;
  if (have >= 4) {
    size = static_cast<uint32_t>(Reader(in_.data() + in_offset_, 4).i32());
    if (size > kFrameMax) {
      close("a frame of " + std::to_string(size) + " bytes came; at most " + std::to_string(kFrameMax) +
            " are allowed");
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
