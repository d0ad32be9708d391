// native/process/helper_thread.hpp: the thread that a process has beside those of the program, as the process sees it: it takes
// Process::advance()'s steps, tries again what could not be had, and is how others reach the process. Which thread that is lies
// above this room: control/agent.cc makes it.
#pragma once

#include <memory>
#include <string>

namespace blkin::control {

class Process;

class HelperThread {
 public:
  HelperThread() = default;
  virtual ~HelperThread() = default;
  HelperThread(const HelperThread&) = delete;
  HelperThread& operator=(const HelperThread&) = delete;

  // Where there is no folder nobody can reach it, but the thread is still needed.
  virtual void start(const std::string& folder) = 0;
  // Where it cannot be reached yet, for lack of a descriptor: again. False: it cannot.
  virtual bool listen(const std::string& folder) = 0;
  // Something could not be had, so Process::complete() is to be called in a while. On its own thread or another.
  virtual void try_again() = 0;
  // Something waits to be taken on.
  virtual void wake() = 0;
  // Before exit: no more answers. The thread is left to end with the process.
  virtual void quit() = 0;
  // Why it cannot be reached; empty where it can.
  virtual const std::string& error() const = 0;
};

// Of this process; not started.
std::unique_ptr<HelperThread> make_helper_thread(Process& process);

}  // namespace blkin::control
