// native/control/controller.cc: see controller.hpp.
#include "controller.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "../process/process.hpp"
#include "../thrift/binary.hpp"
#include "../thrift/fork.hpp"
#include "calls.hpp"

namespace blkin::control {

namespace {

constexpr size_t kUntakenMax =
    1 << 20;               // of answers that the other side does not read: its calls wait from there on
constexpr int kTurn = 64;  // calls of one controller, and then the others have a turn
constexpr size_t kLaterMax = 64;
constexpr uint64_t kDetachMs = 1000;  // for the rings of a session whose controller has gone
constexpr size_t kFrameHead = 4;

// Of the frame that begins the bytes, without its head; SIZE_MAX: not known yet.
size_t frame_size(const uint8_t* bytes, size_t have) {
  return have < kFrameHead ? SIZE_MAX : static_cast<uint32_t>(thrift::Reader(bytes, kFrameHead).i32());
}

}  // namespace

Controller::Controller(Process& process, int fd, uint64_t id, bool crowded)
    : process_(process), fd_(fd), id_(id), crowded_(crowded) {
  thrift::close_in_child(fd_);
}

Controller::~Controller() { end(); }

void Controller::end() {
  if (fd_ < 0) return;
  thrift::keep_in_child(fd_);
  close(fd_);
  fd_ = -1;
  later_.clear();
  process_.close_owned(id_, kDetachMs);
}

pollfd Controller::interest() const {
  const bool reads = in_.size() < kFrameHead + thrift::kFrameMax;
  return {fd_, static_cast<short>((reads ? POLLIN : 0) | (out_.empty() ? 0 : POLLOUT)), 0};
}

void Controller::serve(short events) {
  const bool gone = (events & POLLIN) != 0 ? !read_some() : (events & (POLLHUP | POLLERR)) != 0;
  answer_some();  // also the last words of one that has gone
  write_some();
  if (gone) end();
}

// Whether a whole call is there, and room for its answer.
bool Controller::may_answer() const {
  const size_t size = frame_size(in_.data(), in_.size());
  return fd_ >= 0 && out_.size() < kUntakenMax && size != SIZE_MAX && in_.size() - kFrameHead >= size;
}

void Controller::answer_some() {
  size_t taken = 0;
  for (int calls = 0; calls < kTurn && fd_ >= 0 && out_.size() < kUntakenMax; ++calls) {
    const size_t size = frame_size(in_.data() + taken, in_.size() - taken);
    if (size == SIZE_MAX) break;
    if (size == 0 || size > thrift::kFrameMax) return end();
    if (in_.size() - taken - kFrameHead < size) break;
    std::vector<uint8_t> frame;
    if (later_.size() >= kLaterMax ||
        !answer_call(process_, *this, in_.data() + taken + kFrameHead, size, frame))
      return end();
    send(frame);
    taken += kFrameHead + size;
    if (!crowded_) continue;
    write_some();
    return end();
  }
  in_.erase(in_.begin(), in_.begin() + static_cast<ptrdiff_t>(taken));
}

bool Controller::advance() {
  std::vector<Later> waiting;
  waiting.swap(later_);
  for (Later& later : waiting) {
    std::vector<uint8_t> frame;
    if (later(frame)) send(frame);
    else later_.push_back(std::move(later));
  }
  answer_some();
  write_some();
  return !later_.empty() || may_answer();
}

void Controller::send(const std::vector<uint8_t>& frame) {
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
    if (in_.size() >= kFrameHead + thrift::kFrameMax) return true;
  }
}

}  // namespace blkin::control
