// native/control/controller.hpp: one connection of a controller: its calls, its answers, and the sessions that are attached
// to it, which end with it. Used by the agent's thread alone; never blocks. What it may say is calls.hpp's business.
#pragma once

#include <poll.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace blkin::control {

class Process;

class Controller {
 public:
  // id: its own among all that this process ever had. crowded: one too many, who is told so and let go.
  Controller(Process& process, int fd, uint64_t id, bool crowded);
  ~Controller();
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  // What poll() says of it: reads what came, answers whole calls, writes what can be written.
  void serve(short events);

  // Answers calls that had to wait: for what they ask, or for their turn. True: some still do.
  bool advance();

  bool over() const { return fd_ < 0; }
  pollfd interest() const;

  // ---- for the calls ----

  uint64_t id() const { return id_; }
  bool crowded() const { return crowded_; }

  // An answer that takes time: asked for until it gives the frame. Later calls are answered first.
  using Later = std::function<bool(std::vector<uint8_t>& frame)>;
  void answer_later(Later later) { later_.push_back(std::move(later)); }

 private:
  bool read_some();
  bool may_answer() const;
  void answer_some();
  void write_some();
  void send(const std::vector<uint8_t>& frame);
  void end();

  Process& process_;
  int fd_;
  uint64_t id_;
  bool crowded_;
  std::vector<uint8_t> in_;
  std::vector<uint8_t> out_;
  std::vector<Later> later_;
};

}  // namespace blkin::control
