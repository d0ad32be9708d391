// native/control/agent.hpp: the thread through which others control this process, while its event loop may be blocked for
// ever: it answers the Control service on a unix socket in the process's folder, and takes the steps of closing sessions
// that wait for emitters and consumers. One per process; it blocks all signals, never throws, and a controller that
// misbehaves loses its connection and nothing else happens. Start reading at Agent::run().
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "../process/helper_thread.hpp"
#include "controller.hpp"

namespace blkin::control {

class Agent : public HelperThread {
 public:
  explicit Agent(Process& process) : process_(process) {}

  void start(const std::string& folder) override;
  bool listen(const std::string& folder) override;
  void try_again() override;
  void wake() override;
  void quit() override;
  const std::string& error() const override { return error_; }

 private:
  void run();
  void make_wake_fd();
  int complete();
  void accept_new();
  void stop_listening();
  bool bind_socket(const std::string& path);

  Process& process_;
  std::string error_;
  int listen_fd_ = -1;
  std::atomic<int> wake_fd_{-1};  // set once; -1 as long as the process has no descriptor left
  std::atomic<bool> incomplete_{false};
  uint64_t try_again_at_ns_ = 0;
  uint64_t try_again_ms_ = 0;
  std::atomic<bool> quit_{false};
  uint64_t deaf_until_ns_ = 0;  // a connection could not be taken, and waits
  uint64_t next_controller_ = 1;
  std::vector<std::unique_ptr<Controller>> controllers_;
};

}  // namespace blkin::control
