// native/control/controller.hpp: one connection of a controller: its calls, its answers, and the sessions that are attached
// to it, which end with it. Used by the agent's thread alone; never blocks. What it may say is calls.hpp's business.
#pragma once

#include <poll.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace blkin::control {

class Process;

class Controller {
 public:
  Controller(Process& process, int fd);
  ~Controller();
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  // Reads what came, answers whole calls, writes what can be written.
  void serve();

  // Answers calls whose answer had to wait. True: some still wait.
  bool advance();

  bool over() const { return fd_ < 0; }
  pollfd interest() const;

  // ---- for the calls ----

  // The sessions opened on this connection with `attached`.
  std::vector<std::string>& attached() { return attached_; }

  // An answer that takes time: asked for until it gives the frame. Later calls are answered first.
  using Later = std::function<bool(std::vector<uint8_t>& frame)>;
  void answer_later(Later later) { later_.push_back(std::move(later)); }

 private:
  bool read_some();
  void write_some();
  void send(const std::vector<uint8_t>& frame);
  void end();

  Process& process_;
  int fd_;
  std::vector<uint8_t> in_;
  std::vector<uint8_t> out_;
  std::vector<Later> later_;
  std::vector<std::string> attached_;
};

}  // namespace blkin::control
