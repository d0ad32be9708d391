// native/folder/session_folder.cc: a session's folder. See folder.hpp.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "../points.hpp"
#include "../ring/signals.hpp"
#include "folder.hpp"

namespace blkin::control {

void SessionFolder::let_go() {
  if (state_ != nullptr && state_ != &in_memory_) munmap(state_, sizeof(State));
  state_ = nullptr;
  for (int& fd : rings_fds_) {
    if (fd >= 0) close(fd);
    fd = -1;
  }
}

void SessionFolder::create(const ProcessFolder& process, const thrift::Hello& hello, const std::string& relay,
                           bool tsc, clock::Sample first) {
  hello_ = hello;
  relay_ = relay;
  if (process.path().empty()) error_ = process.error();
  else create_in(process, hello.session.empty() ? "default" : hello.session);
  if (state_ == nullptr) state_ = &in_memory_;
  state_->version = 1;
  state_->tsc = tsc ? 1 : 0;
  state_->first = first;
  state_->later[0] = state_->later[1] = first;
  state_->epochs.begin(hello.clock_offset);
  std::atomic_thread_fence(std::memory_order_release);
  BLKIN_POINT("state-written");
  state_->magic = kStateMagic;
  BLKIN_POINT("session-made");
}

void SessionFolder::create_beside(const ProcessFolder& process, SessionFolder& first) {
  const State& state = *first.state();
  create(process, first.hello_, first.relay_, state.tsc != 0, state.first);
  follow(first);
}

void SessionFolder::calibrated(clock::Sample sample) {
  const uint32_t before = state_->newest.load(std::memory_order_relaxed) & 1;
  state_->later[1 - before] = sample;
  BLKIN_POINT("clock-written");
  state_->newest.store(1 - before, std::memory_order_release);
  BLKIN_POINT("clock-named");
}

void SessionFolder::follow(SessionFolder& first) {
  const State& state = *first.state();
  state_->epochs.follow(state.epochs);
  calibrated(state.later[state.newest.load(std::memory_order_acquire) & 1]);
}

bool SessionFolder::create_in(const ProcessFolder& process, const std::string& name) {
  path_ = process.path() + "/" + name;
  for (int copy = 2; mkdir(path_.c_str(), 0700) != 0; ++copy) {
    if (errno != EEXIST || copy > 64) return error_ = path_ + ": " + strerror(errno), path_.clear(), false;
    path_ = process.path() + "/" + name + "~" + std::to_string(copy);
  }
  BLKIN_POINT("session-folder-made");
  for (const Channel channel : kChannels) make_folder(path_ + "/" + name_of(channel));
  set_relay(hello_, relay_);
  if (open_channels() && map_state()) return true;
  error_ = path_ + ": " + strerror(errno);
  remove();
  let_go();
  path_.clear();
  return false;
}

void SessionFolder::set_relay(const thrift::Hello& hello, const std::string& relay) {
  hello_ = hello;
  relay_ = relay;
  if (path_.empty()) return;
  thrift::Hello public_part = hello;
  public_part.token.clear();  // it stays in memory; the session's secret is needed by whoever recovers it
  std::vector<uint8_t> bytes;
  thrift::Writer writer(bytes);
  thrift::write_hello(writer, public_part);
  write_file(path_ + "/hello", bytes);
  BLKIN_POINT("hello-written");
  write_file(path_ + "/relay", std::vector<uint8_t>(relay.begin(), relay.end()));
  BLKIN_POINT("relay-written");
}

bool SessionFolder::map_state() {
  const int fd = ::open((path_ + "/state").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return false;
  const ring::SignalsBlocked blocked;
  const bool there = posix_fallocate(fd, 0, sizeof(State)) == 0;
  void* page = there ? mmap(nullptr, sizeof(State), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
  close(fd);
  if (page == MAP_FAILED) return false;
  state_ = static_cast<State*>(page);
  return true;
}

bool SessionFolder::open_channels() {
  for (const Channel channel : kChannels) {
    int& fd = rings_fds_[static_cast<size_t>(channel)];
    fd = open((path_ + "/" + name_of(channel)).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return false;
  }
  return true;
}

void SessionFolder::remove() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace blkin::control
