// native/control/process.cc: see process.hpp.
#include "process.hpp"

#include <cstdlib>
#include <utility>

namespace blkin::control {

namespace {

constexpr uint64_t kExitFlushMs = 2000;

}  // namespace

Process& Process::get() {
  static auto* process = new Process();
  return *process;
}

bool Process::configure(Settings settings) {
  const std::lock_guard lock(mutex_);
  if (session() != nullptr || std::exchange(configured_, true)) return false;
  settings_ = std::move(settings);
  return true;
}

Settings Process::settings() {
  const std::lock_guard lock(mutex_);
  return settings_;
}

void Process::attach() {
  const std::lock_guard lock(mutex_);
  ++threads_;
  if (session() != nullptr && registry_.any_on()) session()->start();
}

void Process::detach(Thread& thread) {
  if (Session* open = session(); open != nullptr) open->give_back(thread);
  const std::lock_guard lock(mutex_);
  if (--threads_ == 0) end(false);
}

// Holding the mutex.
Session& Process::open_session() {
  if (Session* open = session(); open != nullptr) return *open;
  auto* made = new Session(registry_, settings_);
  session_.store(made, std::memory_order_release);
  // process.exit() and an uncaught exception end here without telling any JavaScript environment.
  std::atexit([] {
    const std::lock_guard exit_lock(get().mutex_);
    get().end(true);
  });
  return *made;
}

void Process::end(bool exiting) {
  Session* open = session();
  if (open == nullptr) return;
  open->stop(kExitFlushMs);
  if (exiting) open->clean();
}

Declared Process::declare(thrift::Tracepoint tracepoint, const std::string& schema) {
  Declared declared = registry_.declare(std::move(tracepoint), schema);
  if (Session* open = session(); open != nullptr) {
    open->keep_tracepoints();
    open->wake();
  }
  return declared;
}

uint32_t Process::enable(Rule rule) {
  const std::lock_guard lock(mutex_);
  Session& open = open_session();
  open.keep_tracepoints();
  const uint32_t id = registry_.enable(std::move(rule));
  open.start();
  open.wake();
  return id;
}

}  // namespace blkin::control
