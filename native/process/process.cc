// native/process/process.cc: see process.hpp.
#include "process.hpp"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "../folder/sweep.hpp"

namespace blkin::control {

Process& Process::get() {
  static auto* process = new Process();
  return *process;
}

Process::Process() { one_ = this; }

bool Process::configure(Settings settings) {
  const std::lock_guard lock(mutex_);
  if (settled_ || std::exchange(configured_, true)) return false;
  settings_ = std::move(settings);
  if (!settings_.listens) return true;
  settle();
  Session* made = nullptr;
  if (!session_for(settings_.session.name, made)) made->start();
  return true;
}

Settings Process::settings() {
  const std::lock_guard lock(mutex_);
  return settings_;
}

void Process::attach(Thread& thread) {
  thread.contexts->number[0] = static_cast<uint64_t>(syscall(SYS_gettid));               // kBuiltIn: tid
  pthread_getname_np(pthread_self(), thread.contexts->text[1].data(), kContextTextMax);  // kBuiltIn: thread
  threads_.add(thread);
  const std::lock_guard lock(mutex_);
  ++thread_count_;
  for (const auto& session : sessions_)
    if (Session* one = session.load(); one != nullptr && one->wanted()) one->start();
}

void Process::detach(Thread& thread) {
  // In one go: a session that ends in between would leave its ring with a thread that nobody tells.
  const std::lock_guard lock(mutex_);
  threads_.remove(thread);
  for (const auto& session : sessions_)
    if (Session* one = session.load(); one != nullptr) one->give_back(thread);
  if (--thread_count_ == 0) end(false);
}

// Holding the mutex, as all below. The folder and the agent, once.
void Process::settle() {
  if (std::exchange(settled_, true)) return;
  sweep_dead();
  create_folder();
  helper_ = make_helper_thread(*this);
  helper_->start(folder_.path());
  apply_standing_rules();
  // process.exit() and an uncaught exception end here without telling any JavaScript environment. A copy of the process
  // that fork(2) made, without exec, has none of its threads, and what lies in the folder is not its own.
  static const pid_t self = getpid();
  std::atexit([] {
    if (getpid() != self) return;
    const std::lock_guard exit_lock(get().mutex_);
    get().end(true);
  });
}

// With room for two rings.
void Process::create_folder() {
  const thrift::Channel& channel = settings_.session.channel;
  folder_.create(2 * (ring::kHeaderBytes + static_cast<uint64_t>(channel.sub_buffer_bytes) *
                                               static_cast<uint64_t>(channel.sub_buffers)));
}

bool Process::complete() {
  const std::lock_guard lock(mutex_);
  if (exiting_) return true;
  if (folder_.path().empty()) create_folder();
  const bool kept = keep_tracepoints();
  return !folder_.path().empty() && kept && helper_->listen(folder_.path());
}

void Process::end(bool exiting) {
  for (const auto& session : sessions_)
    if (Session* one = session.load(); one != nullptr)
      one->begin_stop(kExitFlushMs, consumer::Unreached::kLeft);
  bool left = left_behind_;
  for (const auto& session : sessions_) {
    Session* one = session.load();
    if (one == nullptr) continue;
    const auto running = one->consumer();
    const bool delivered = running ? running->stop(kExitFlushMs) : !one->holds_events();
    if (exiting && delivered) one->remove_folder();
    left = left || !delivered;
  }
  if (!exiting || !settled_) return;
  helper_->quit();
  exiting_ = true;
  if (left) return;
  folder_.remove();
  spare_.remove();
}

Declared Process::declare(thrift::Tracepoint tracepoint, const std::string& schema) {
  const std::lock_guard lock(mutex_);
  settle();
  Declared declared = registry_.declare(std::move(tracepoint), schema);
  if (!keep_tracepoints()) helper_->try_again();
  for (const auto& session : sessions_) {
    Session* one = session.load();
    if (one == nullptr) continue;
    if (one->wanted()) one->start();
    one->wake();  // where nothing is on too: a relay that is listened to is told what there is
  }
  return declared;
}

bool Process::keep_tracepoints() {
  const bool spare = spare_.keep_tracepoints();
  if (folder_.path().empty()) return false;
  std::vector<thrift::Tracepoint> fresh;
  registry_.tracepoints(tracepoints_kept_, fresh);
  if (!folder_.add_tracepoints(fresh)) return false;
  tracepoints_kept_ += fresh.size();
  return spare;
}

std::vector<std::shared_ptr<consumer::Consumer>> Process::consumers(const std::string& name) {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<consumer::Consumer>> out;
  for (const auto& session : sessions_) {
    Session* one = session.load();
    // Those that are closing too: the older form of a session that was changed may hold some of its events.
    if (one == nullptr || (!name.empty() && one->spec().name != name)) continue;
    if (auto running = one->consumer()) out.push_back(std::move(running));
  }
  return out;
}

void Process::each_session(const std::function<void(Session&)>& call) {
  const std::lock_guard lock(mutex_);
  each_open(call);
}

thrift::ProcessState Process::describe() {
  thrift::ProcessState out;
  each_session([&](Session& session) { out.sessions.push_back(session.describe()); });
  const Settings now = settings();
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  out.pid = getpid();
  out.program = now.program;
  out.started_at = process_start_ns();
  out.hostname = host;
  out.version = now.version;
  out.tracepoints = static_cast<int32_t>(registry_.size());
  out.contexts = contexts_.fields();
  return out;
}

std::vector<thrift::On> Process::on(size_t tracepoint) {
  std::vector<thrift::On> out;
  each_session([&](Session& session) {
    const uint32_t rule = registry_.deciding_rule(session.number(), tracepoint);
    if (rule != 0) out.push_back({session.spec().name, static_cast<int32_t>(rule)});
  });
  return out;
}

std::string Process::folder_path() {
  const std::lock_guard lock(mutex_);
  return folder_.path();
}

std::string Process::folder_error() {
  const std::lock_guard lock(mutex_);
  return folder_.path().empty() ? folder_.error() : helper_ ? helper_->error() : "";
}

}  // namespace blkin::control
