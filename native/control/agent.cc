// native/control/agent.cc: see agent.hpp.
#include "agent.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>

#include "../process/process.hpp"
#include "../thrift/fork.hpp"
#include "calls.hpp"

namespace blkin::control {

namespace {

constexpr size_t kCrowdMax = 2 * kControllersMax;  // those one too many are heard as well, to be told
constexpr int kDeafMs = 100;
constexpr int kBusyMs = 1;     // while something waits for others
constexpr int kLaterMs = 100;  // while something waits for a relay
constexpr int kClockMs = 1000;
constexpr uint64_t kTryAgainLeastMs = 1000;
constexpr uint64_t kTryAgainMostMs = 64'000;

bool same_user(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         (peer.uid == geteuid() || peer.uid == 0);
}

}  // namespace

std::unique_ptr<HelperThread> make_helper_thread(Process& process) {
  return std::make_unique<Agent>(process);
}

void Agent::start(const std::string& folder) {
  make_wake_fd();
  if (folder.empty() || !listen(folder)) try_again();
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread thread([this] { run(); });
    pthread_setname_np(thread.native_handle(), "blkin-agent");
    thread.detach();
  } catch (const std::system_error& error) {  // as many threads as there may be: nobody controls this process
    error_ = std::string("no thread: ") + error.what();
    stop_listening();
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Agent::make_wake_fd() {
  if (wake_fd_ < 0) wake_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

bool Agent::listen(const std::string& folder) {
  if (listen_fd_ >= 0) return true;
  if (bind_socket(folder + "/control")) return error_.clear(), true;
  error_ = folder + "/control: " + strerror(errno);
  stop_listening();
  unlink((folder + "/control").c_str());
  return false;
}

void Agent::try_again() {
  incomplete_ = true;
  wake();
}

// Milliseconds until it is to be called again; -1 where nothing is missing.
int Agent::complete() {
  if (!incomplete_) return -1;
  const uint64_t now = clock::monotonic_ns();
  if (now >= try_again_at_ns_) {
    incomplete_ = false;  // before the try: what fails in the meantime sets it again
    if (try_again_at_ns_ != 0 && process_.complete()) return try_again_ms_ = try_again_at_ns_ = 0, -1;
    incomplete_ = true;
    try_again_ms_ = std::clamp(2 * try_again_ms_, kTryAgainLeastMs, kTryAgainMostMs);
    try_again_at_ns_ = now + try_again_ms_ * 1'000'000;
  }
  return static_cast<int>((try_again_at_ns_ - now) / 1'000'000) + 1;
}

void Agent::stop_listening() {
  thrift::keep_in_child(listen_fd_);
  if (listen_fd_ >= 0) close(listen_fd_);
  listen_fd_ = -1;
}

bool Agent::bind_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return errno = ENAMETOOLONG, false;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  listen_fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  thrift::close_in_child(listen_fd_);
  // Nobody else reaches it before the mode is set: its folder is this user's alone.
  return listen_fd_ >= 0 && bind(listen_fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
         chmod(path.c_str(), 0600) == 0 && ::listen(listen_fd_, kControllersMax) == 0;
}

void Agent::wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof one);
}

void Agent::quit() {
  quit_ = true;
  wake();
}

void Agent::run() {
  while (!quit_) try {
      make_wake_fd();
      const int complete_ms = complete();
      const Process::Next next = process_.advance();
      bool busy = next == Process::Next::kSoon;
      for (const auto& controller : controllers_) busy = controller->advance() || busy;
      std::erase_if(controllers_, [](const auto& controller) { return controller->over(); });

      const bool deaf = clock::monotonic_ns() < deaf_until_ns_;
      std::vector<pollfd> fds{{wake_fd_, POLLIN, 0}, {deaf ? -1 : listen_fd_, POLLIN, 0}};
      for (const auto& controller : controllers_) fds.push_back(controller->interest());
      const bool has_clock = process_.look_at_clocks();
      int idle_ms = next == Process::Next::kLater ? kLaterMs : has_clock ? kClockMs : -1;
      for (const int ms : {complete_ms, wake_fd_ < 0 ? kDeafMs : -1})
        if (ms >= 0) idle_ms = idle_ms < 0 ? ms : std::min(idle_ms, ms);
      poll(fds.data(), fds.size(), busy ? kBusyMs : deaf ? kDeafMs : idle_ms);

      uint64_t ignored = 0;
      [[maybe_unused]] const ssize_t got = read(wake_fd_, &ignored, sizeof ignored);
      if ((fds[1].revents & POLLIN) != 0) accept_new();
      for (size_t i = 2; i < fds.size(); ++i)
        if (fds[i].revents != 0) controllers_[i - 2]->serve(fds[i].revents);
    } catch (const std::exception&) {
      controllers_.clear();  // no memory: what they asked for is given up, and the program is not
    }
}

void Agent::accept_new() {
  const int fd = accept4(listen_fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  // Without a descriptor for it the connection stays in the queue, and poll() would come back at once.
  if (fd < 0) deaf_until_ns_ = clock::monotonic_ns() + static_cast<uint64_t>(kDeafMs) * 1'000'000;
  if (fd < 0) return;
  const auto heard = std::count_if(controllers_.begin(), controllers_.end(),
                                   [](const auto& controller) { return !controller->crowded(); });
  const bool crowded = static_cast<size_t>(heard) >= kControllersMax;
  if (controllers_.size() >= kCrowdMax || !same_user(fd)) close(fd);
  else controllers_.push_back(std::make_unique<Controller>(process_, fd, next_controller_++, crowded));
}

}  // namespace blkin::control
