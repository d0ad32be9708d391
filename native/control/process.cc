// native/control/process.cc: see process.hpp.
#include "process.hpp"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "agent.hpp"
#include "check.hpp"
#include "glob.hpp"
#include "standing.hpp"

namespace blkin::control {

namespace {

constexpr uint64_t kExitFlushMs = 2000;
constexpr uint64_t kQuietUs = 2000;  // an emit takes well under a microsecond, unless it loses its CPU
constexpr size_t kDeadKept = 8;

Refused too_many_rules() {
  return {thrift::Refusal::kLimit,
          std::to_string(kRulesMax) + " rules stand already; expected some to be ended first"};
}

}  // namespace

Process& Process::get() {
  static auto* process = new Process();
  return *process;
}

Process::Process() { one_ = this; }

void Process::deliver(uint16_t want, uint16_t id, uint32_t length, const uint64_t* payload,
                      Thread& thread) noexcept {
  for (unsigned bits = want & 255U; bits != 0; bits &= bits - 1) {
    const auto number = static_cast<size_t>(std::countr_zero(bits));
    if ((want / kGated >> number & 1U) != 0) offer(number, id, length, payload, thread);
    else take(number, false, id, length, payload, thread);
  }
}

void Process::note_cpu(Thread& thread) noexcept {
  thread.contexts->number[kCpuSlot] = static_cast<unsigned>(sched_getcpu());
}

void Process::take(size_t number, bool gated, uint16_t id, uint32_t length, const uint64_t* payload,
                   Thread& thread) noexcept {
  Session* session = session_of(number, thread);
  if (gated && !session->contexts().empty()) session->write_in_context({id, length, payload, 0}, thread);
  else session->write({id, length, payload, 0}, thread);
}

void Process::count_bad_value(uint16_t id, Thread& thread) noexcept {
  const Inside inside(thread);
  const uint16_t want = one_->registry_.wanted(id);
  for (unsigned bits = want & 255U; bits != 0; bits &= bits - 1)
    sessions_[static_cast<size_t>(std::countr_zero(bits))].load(std::memory_order_acquire)->count_bad_value();
}

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
  thread.random = (clock::monotonic_ns() ^ reinterpret_cast<uintptr_t>(&thread) << 20) | 1;
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
  sweep_dead(kDeadKept);
  const thrift::Channel& channel = settings_.session.channel;
  folder_.create(2 * (ring::kHeaderBytes + static_cast<uint64_t>(channel.sub_buffer_bytes) *
                                               static_cast<uint64_t>(channel.sub_buffers)));
  agent_ = std::make_unique<Agent>(*this);
  agent_->start(folder_.path());
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

void Process::end(bool exiting) {
  for (const auto& session : sessions_)
    if (Session* one = session.load(); one != nullptr) one->begin_stop(kExitFlushMs);
  bool left = false;
  for (const auto& session : sessions_) {
    Session* one = session.load();
    if (one == nullptr) continue;
    const auto running = one->consumer();
    const bool delivered = running ? running->stop(kExitFlushMs) : !one->holds_events();
    if (exiting && delivered) one->remove_folder();
    left = left || !delivered;
  }
  if (!exiting || !settled_) return;
  agent_->quit();
  exiting_ = true;
  if (!left) folder_.remove();
}

bool Process::is_closing(const Session* session) const {
  return std::any_of(closings_.begin(), closings_.end(),
                     [&](const Closing& closing) { return closing.session == session; });
}

Session* Process::find(const std::string& name) {
  for (const auto& session : sessions_) {
    Session* one = session.load();
    if (one != nullptr && one->spec().name == name && !is_closing(one)) return one;
  }
  return nullptr;
}

Refused Process::no_session(const std::string& name) {
  std::string there;
  for (const auto& session : sessions_)
    if (const Session* one = session.load(); one != nullptr && !is_closing(one))
      there += (there.empty() ? "" : ", ") + one->spec().name;
  return {thrift::Refusal::kNoSession, "session " + quoted(name) + ": there is none of that name; expected " +
                                           (there.empty() ? "one to be opened first" : there)};
}

std::optional<Refused> Process::missing(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (find(name) != nullptr) return std::nullopt;
  return no_session(name);
}

std::optional<Refused> Process::make(const thrift::SessionSpec& spec, Session*& made) {
  if (std::string wrong = wrong_session(spec); !wrong.empty())
    return Refused{thrift::Refusal::kMalformed, wrong};
  std::vector<SessionContext> contexts;
  std::string why;
  if (!contexts_.find(spec.contexts, contexts, why)) return Refused{thrift::Refusal::kMalformed, why};
  const auto free =
      std::find_if(sessions_.begin(), sessions_.end(), [](const auto& one) { return one.load() == nullptr; });
  if (free == sessions_.end())
    return Refused{thrift::Refusal::kLimit,
                   std::to_string(kSessionsMax) + " sessions are open; expected one to be closed first"};
  const auto number = static_cast<size_t>(free - sessions_.begin());
  uint32_t slots = 0;
  for (const SessionContext& context : contexts) slots |= 1U << context.slot;
  auto fields = contexts_.fields(contexts);
  made = new Session(number, registry_, folder_, settings_, spec, std::move(contexts), std::move(fields),
                     [this] { agent_->wake(); });
  free->store(made, std::memory_order_release);
  registry_.open(number, slots);
  return std::nullopt;
}

std::optional<Refused> Process::session_for(const std::string& name, Session*& out) {
  out = find(name);
  if (out != nullptr) return std::nullopt;
  if (name == settings_.session.name) return make(settings_.session, out);
  return no_session(name);
}

std::optional<Refused> Process::open(const thrift::SessionSpec& spec, uint64_t owner) {
  const std::lock_guard lock(mutex_);
  settle();
  if (find(spec.name) != nullptr)
    return Refused{thrift::Refusal::kExists,
                   "session \"" + spec.name + "\": is open already; expected another name"};
  Session* made = nullptr;
  if (auto refused = make(spec, made)) return refused;
  made->attach_to(owner);
  return std::nullopt;
}

// In place where only the relay is new to it; else by another session that takes its name, rules and tracepoints, while
// this one delivers what it holds.
std::optional<Refused> Process::change(thrift::SessionSpec spec) {
  const std::lock_guard lock(mutex_);
  settle();
  Session* old = nullptr;
  if (auto refused = session_for(spec.name, old)) return refused;
  // No answer ever tells a token, so who changes something else cannot give it again.
  if (spec.token.empty() && spec.relay == old->spec().relay) spec.token = old->spec().token;
  const bool same_rings = old->spec().channel == spec.channel && old->spec().contexts == spec.contexts;
  if (same_rings && !old->spec().sends && spec.sends) {
    if (std::string wrong = wrong_session(spec); !wrong.empty())
      return Refused{thrift::Refusal::kMalformed, wrong};
    old->send_to(spec);
    return std::nullopt;
  }
  Session* made = nullptr;
  thrift::SessionSpec next = spec;
  next.attached = old->spec().attached;
  if (auto refused = make(next, made)) return refused;
  made->attach_to(old->owner());
  old->attach_to(0);
  registry_.hand_over(old->number(), made->number());
  if (spec.name == settings_.session.name) settings_.session = spec;
  if (made->wanted()) made->start();
  begin_close(*old, kExitFlushMs, std::make_shared<Ending>());
  return std::nullopt;
}

std::optional<Refused> Process::close(const std::string& name, uint64_t timeout_ms,
                                      std::shared_ptr<Ending>& ending) {
  const std::lock_guard lock(mutex_);
  Session* session = find(name);
  if (session == nullptr) return no_session(name);
  ending = std::make_shared<Ending>();
  begin_close(*session, timeout_ms, ending);
  return std::nullopt;
}

void Process::close_owned(uint64_t owner, uint64_t timeout_ms) {
  const std::lock_guard lock(mutex_);
  for (Closing& closing : closings_) {
    if (closing.session->owner() != owner) continue;
    closing.timeout_ms = std::min(closing.timeout_ms, timeout_ms);
    if (closing.left) closing.session->begin_stop(timeout_ms);
  }
  for (const auto& session : sessions_) {
    Session* one = session.load();
    if (one != nullptr && one->owner() == owner && !is_closing(one))
      begin_close(*one, timeout_ms, std::make_shared<Ending>());
  }
}

void Process::begin_close(Session& session, uint64_t timeout_ms, std::shared_ptr<Ending> ending) {
  ending->last = session.describe();
  registry_.close(session.number());
  closings_.push_back({&session, std::move(ending), timeout_ms, false});
  agent_->wake();
}

void Process::tell_end(const Closing& closing) {
  Ending& ending = *closing.ending;
  {
    const std::lock_guard lock(ending.mutex);
    std::vector<thrift::Rule> rules = std::move(ending.last.rules);
    ending.delivered = closing.session->delivered();
    ending.last = closing.session->describe();
    ending.last.rules = std::move(rules);
    ending.over = true;
  }
  ending.changed.notify_all();
}

bool Process::advance() {
  const std::lock_guard lock(mutex_);
  if (exiting_) return false;
  auto retired = registry_.take_retired();
  std::move(retired.begin(), retired.end(), std::back_inserter(old_gates_));
  const bool waits = !old_gates_.empty() || std::any_of(closings_.begin(), closings_.end(),
                                                        [](const Closing& one) { return !one.left; });
  const bool quiet = waits && threads_.quiet(kQuietUs);
  if (quiet) old_gates_.clear();
  for (auto closing = closings_.begin(); closing != closings_.end();) {
    Session* session = closing->session;
    if (quiet && !std::exchange(closing->left, true)) session->begin_stop(closing->timeout_ms);
    if (!closing->left || !session->ended()) {
      ++closing;
      continue;
    }
    // No emitter is inside and the consumer's thread is over: nobody knows of it any more but we.
    tell_end(*closing);
    sessions_[session->number()].store(nullptr, std::memory_order_release);
    threads_.each([&](Thread& thread) { thread.leased[session->number()] = nullptr; });
    session->remove_folder();
    delete session;
    closing = closings_.erase(closing);
  }
  return !closings_.empty() || !old_gates_.empty();
}

Declared Process::declare(thrift::Tracepoint tracepoint, const std::string& schema) {
  const std::lock_guard lock(mutex_);
  settle();
  Declared declared = registry_.declare(std::move(tracepoint), schema);
  keep_tracepoints();
  for (const auto& session : sessions_) {
    Session* one = session.load();
    if (one == nullptr || !one->wanted()) continue;
    one->start();
    one->wake();
  }
  return declared;
}

void Process::keep_tracepoints() {
  std::vector<thrift::Tracepoint> fresh;
  registry_.tracepoints(tracepoints_kept_, fresh);
  folder_.add_tracepoints(fresh);
  tracepoints_kept_ += fresh.size();
}

std::optional<Refused> Process::enable(const std::string& name, thrift::Rule rule, Outcome& out) {
  if (std::string wrong = wrong_rule(rule); !wrong.empty())
    return Refused{thrift::Refusal::kMalformed, wrong};
  const std::lock_guard lock(mutex_);
  settle();
  Session* session = nullptr;
  if (auto refused = session_for(name, session)) return refused;
  out = registry_.enable(session->number(), std::move(rule));
  if (out.full) return too_many_rules();
  if (out.covered > 0 && out.fitting == 0) {
    registry_.disable(session->number(), out.rule);
    return Refused{thrift::Refusal::kFilter, "the filter fits no tracepoint that the pattern covers (" +
                                                 std::to_string(out.covered) +
                                                 " declared): " + out.unfit.front()};
  }
  session->start();
  session->wake();
  agent_->wake();
  return std::nullopt;
}

std::optional<Refused> Process::disable(const std::string& name, const std::string& pattern,
                                        thrift::Origin origin, Outcome& out) {
  if (std::string wrong = wrong_pattern(pattern); !wrong.empty())
    return Refused{thrift::Refusal::kMalformed, wrong};
  const std::lock_guard lock(mutex_);
  settle();
  Session* session = nullptr;
  if (auto refused = session_for(name, session)) return refused;
  out = registry_.disable(session->number(), pattern, origin);
  if (out.full) return too_many_rules();
  agent_->wake();
  return std::nullopt;
}

void Process::disable(const std::string& name, uint32_t rule) {
  const std::lock_guard lock(mutex_);
  Session* session = find(name);
  if (session == nullptr) return;
  registry_.disable(session->number(), rule);
  agent_->wake();
}

void Process::apply_standing_rules() {
  for (thrift::Rule& rule : read_standing(folder_.user())) {
    if (!wrong_rule(rule).empty() || !name_covers(rule.target, settings_.program)) continue;
    Session* session = nullptr;
    if (session_for(settings_.session.name, session)) return;
    rule.origin = thrift::Origin::kStanding;
    registry_.enable(session->number(), std::move(rule));
    session->start();
  }
}

std::vector<std::shared_ptr<consumer::Consumer>> Process::consumers(const std::string& name) {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<consumer::Consumer>> out;
  for (const auto& session : sessions_) {
    Session* one = session.load();
    if (one == nullptr || (!name.empty() && (one->spec().name != name || is_closing(one)))) continue;
    if (auto running = one->consumer()) out.push_back(std::move(running));
  }
  return out;
}

void Process::each_session(const std::function<void(Session&)>& call) {
  const std::lock_guard lock(mutex_);
  for (const auto& session : sessions_)
    if (Session* one = session.load(); one != nullptr && !is_closing(one)) call(*one);
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

std::string Process::folder_error() {
  const std::lock_guard lock(mutex_);
  return folder_.path().empty() ? folder_.error() : agent_ ? agent_->error() : "";
}

}  // namespace blkin::control
