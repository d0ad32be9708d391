// native/control/process.hpp: what there is one of in a process, however many JavaScript threads use it: the registry,
// the session, and the count of threads, the last of which ends the consumer. Never destroyed, since threads may
// still emit while the process exits.
//
//   the consumer     starts with the first rule, or when a thread comes and rules stand
//   ... and ends     with the last JavaScript thread, or at exit(3), whichever is first; a killed process is recovered
#pragma once

#include <atomic>
#include <mutex>

#include "session.hpp"

namespace blkin::control {

class Process {
 public:
  static Process& get();

  // Before the first rule, once. False: another thread came first, and the settings in force stay.
  bool configure(Settings settings);
  Settings settings();

  void attach();
  void detach(Thread& thread);

  Declared declare(thrift::Tracepoint tracepoint, const std::string& schema);
  uint32_t enable(Rule rule);

  Registry& registry() { return registry_; }

  // Null until the first rule. Where a flag is set there is one.
  static Session* session() noexcept { return session_.load(std::memory_order_acquire); }

 private:
  Process() = default;
  Session& open_session();
  void end(bool exiting);

  Registry registry_;
  inline static std::atomic<Session*> session_{nullptr};  // static: one load for the emit path
  std::mutex mutex_;
  Settings settings_;
  bool configured_ = false;
  int threads_ = 0;
};

}  // namespace blkin::control
