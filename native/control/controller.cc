// native/control/controller.cc: see controller.hpp.
#include "controller.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "../thrift/binary.hpp"
#include "calls.hpp"
#include "process.hpp"

namespace blkin::control {

namespace {

constexpr size_t kUntakenMax = 16 << 20;  // of answers that the other side does not read
constexpr size_t kLaterMax = 64;
constexpr uint64_t kDetachMs = 1000;  // for the rings of a session whose controller has gone

}  // namespace

Controller::Controller(Process& process, int fd) : process_(process), fd_(fd) {}

Controller::~Controller() { end(); }

void Controller::end() {
  if (fd_ < 0) return;
  close(fd_);
  fd_ = -1;
  later_.clear();
  for (const std::string& name : attached_) {
    std::shared_ptr<Ending> nobody_waits;
    process_.close(name, kDetachMs, nobody_waits);
  }
  attached_.clear();
}

pollfd Controller::interest() const {
  return {fd_, static_cast<short>(POLLIN | (out_.empty() ? 0 : POLLOUT)), 0};
}

void Controller::serve() {
  if (!read_some()) return end();
  size_t taken = 0;
  while (in_.size() - taken >= 4) {
    const auto size = static_cast<uint32_t>(thrift::Reader(in_.data() + taken, 4).i32());
    if (size == 0 || size > thrift::kFrameMax) return end();
    if (in_.size() - taken < 4 + size) break;
    std::vector<uint8_t> frame;
    if (later_.size() >= kLaterMax || !answer_call(process_, *this, in_.data() + taken + 4, size, frame))
      return end();
    send(frame);
    taken += 4 + size;
  }
  in_.erase(in_.begin(), in_.begin() + static_cast<ptrdiff_t>(taken));
  write_some();
}

bool Controller::advance() {
  std::vector<Later> waiting;
  waiting.swap(later_);
  for (Later& later : waiting) {
    std::vector<uint8_t> frame;
    if (later(frame)) send(frame);
    else later_.push_back(std::move(later));
  }
  write_some();
  return !later_.empty();
}

void Controller::send(const std::vector<uint8_t>& frame) {
  if (fd_ < 0) return;
  if (out_.size() > kUntakenMax) return end();
  out_.insert(out_.end(), frame.begin(), frame.end());
}

void Controller::write_some() {
  while (fd_ >= 0 && !out_.empty()) {
    const ssize_t sent = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
    if (sent > 0) out_.erase(out_.begin(), out_.begin() + sent);
    else if (errno == EAGAIN || errno == EINTR) return;
    else return end();
  }
}

// False: the other side is gone.
bool Controller::read_some() {
  uint8_t chunk[16384];
  for (;;) {
    const ssize_t got = recv(fd_, chunk, sizeof chunk, 0);
    if (got > 0) in_.insert(in_.end(), chunk, chunk + got);
    else if (got < 0 && errno == EINTR) continue;
    else return got < 0 && errno == EAGAIN;
    if (in_.size() > thrift::kFrameMax) return true;
  }
}

}  // namespace blkin::control
