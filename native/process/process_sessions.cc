// native/process/process_sessions.cc: a process's sessions from open() to the last step of close(): process.hpp tells
// the steps. Each holds the process's mutex.
#include <algorithm>
#include <utility>

#include "../rules/check.hpp"
#include "../thrift/visible.hpp"
#include "process.hpp"

namespace blkin::control {

namespace {

constexpr uint64_t kQuietUs = 2000;  // an emit takes well under a microsecond, unless it loses its CPU

}  // namespace

bool Process::is_closing(const Session* session) const {
  return std::any_of(closings_.begin(), closings_.end(),
                     [&](const Closing& closing) { return closing.session == session; });
}

Session* Process::find(const std::string& name) {
  Session* found = nullptr;  // a name is open once
  each_open([&](Session& one) {
    if (one.spec().name == name) found = &one;
  });
  return found;
}

Refused Process::no_session(const std::string& name) {
  std::string there;
  each_open([&](const Session& one) { there += (there.empty() ? "" : ", ") + one.spec().name; });
  return {thrift::Refusal::kNoSession, "session " + thrift::quoted(name) +
                                           ": there is none of that name; expected " +
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
  if (free == sessions_.end()) {
    const std::string closing =
        closings_.empty() ? ""
                          : ", " + std::to_string(closings_.size()) + " of them still deliver what they held";
    return Refused{thrift::Refusal::kLimit, std::to_string(kSessionsMax) + " sessions are open" + closing +
                                                "; expected one to be closed first"};
  }
  const auto number = static_cast<size_t>(free - sessions_.begin());
  uint32_t slots = 0;
  for (const SessionContext& context : contexts) slots |= 1U << context.slot;
  auto fields = contexts_.fields(contexts);
  made = new Session(
      number, registry_, threads_, folder_, settings_, spec, std::move(contexts), std::move(fields),
      [this] { helper_->wake(); }, &spare_);
  free->store(made, std::memory_order_release);
  registry_.open(number, slots);
  if (!spec.sends) helper_->wake();
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
// this one delivers what it holds, to the new relay where it had none.
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
  if (!old->spec().sends && spec.sends) old->send_to(spec);
  registry_.hand_over(old->number(), made->number());
  if (spec.name == settings_.session.name) settings_.session = spec;
  if (made->wanted()) made->start();
  begin_close(*old, consumer::kUntilDelivered, std::make_shared<Ending>());
  return std::nullopt;
}

std::optional<Refused> Process::close(const std::string& name, uint64_t timeout_ms,
                                      std::shared_ptr<Ending>& ending) {
  const std::lock_guard lock(mutex_);
  Session* session = find(name);
  if (session == nullptr) return no_session(name);
  ending = std::make_shared<Ending>();
  for (Closing& closing : closings_) {
    if (closing.session->spec().name != name || closing.timeout_ms != consumer::kUntilDelivered) continue;
    closing.ending = ending;
    ++ending->parts;
    limit(closing, timeout_ms);
  }
  begin_close(*session, timeout_ms, ending);
  return std::nullopt;
}

void Process::limit(Closing& closing, uint64_t timeout_ms) {
  closing.timeout_ms = std::min(closing.timeout_ms, timeout_ms);
  if (closing.left) closing.session->begin_stop(timeout_ms, consumer::Unreached::kAwaited);
}

void Process::close_owned(uint64_t owner, uint64_t timeout_ms) {
  const std::lock_guard lock(mutex_);
  for (Closing& closing : closings_)
    if (closing.session->owner() == owner) limit(closing, timeout_ms);
  each_open([&](Session& one) {
    if (one.owner() == owner) begin_close(one, timeout_ms, std::make_shared<Ending>());
  });
}

void Process::begin_close(Session& session, uint64_t timeout_ms, std::shared_ptr<Ending> ending) {
  ending->last = session.describe();
  registry_.close(session.number());
  closings_.push_back({&session, std::move(ending), timeout_ms, timeout_ms == consumer::kUntilDelivered});
  helper_->wake();
}

// Returns whether the session delivered all.
bool Process::tell_end(const Closing& closing) {
  Ending& ending = *closing.ending;
  const bool delivered = closing.session->delivered();
  {
    const std::lock_guard lock(ending.mutex);
    ending.delivered = ending.delivered && delivered;
    if (!closing.older) {
      std::vector<thrift::Rule> rules = std::move(ending.last.rules);
      ending.last = closing.session->describe();
      ending.last.rules = std::move(rules);
    }
    ending.over = --ending.parts == 0;
  }
  ending.changed.notify_all();
  return delivered;
}

bool Process::look_at_clocks() {
  const std::lock_guard lock(mutex_);
  bool any = false;
  if (!exiting_) each_open([&](Session& one) { any = one.look_at_clocks() || any; });
  return any;
}

Process::Next Process::advance() {
  const std::lock_guard lock(mutex_);
  if (exiting_) return Next::kWhenWoken;
  const bool waits =
      std::any_of(closings_.begin(), closings_.end(), [](const Closing& one) { return !one.left; });
  const bool quiet = waits && threads_.quiet(kQuietUs);
  for (auto closing = closings_.begin(); closing != closings_.end();) {
    Session* session = closing->session;
    if (quiet && !std::exchange(closing->left, true))
      session->begin_stop(closing->timeout_ms, consumer::Unreached::kAwaited);
    if (!closing->left || !session->ended()) {
      ++closing;
      continue;
    }
    // No emitter is inside and the consumer's thread is over: nobody knows of it any more but we.
    // Only what has a relay can be recovered.
    const bool recoverable = session->spec().sends && closing->timeout_ms == consumer::kUntilDelivered;
    const bool left = !tell_end(*closing) && recoverable;
    sessions_[session->number()].store(nullptr, std::memory_order_release);
    threads_.each([&](Thread& thread) { thread.leased[session->number()] = {}; });
    if (left) left_behind_ = true;
    else session->remove_folder();
    delete session;
    closing = closings_.erase(closing);
  }
  if (closings_.empty()) return Next::kWhenWoken;
  const bool soon = std::any_of(closings_.begin(), closings_.end(), [](const Closing& one) {
    return !one.left || one.timeout_ms != consumer::kUntilDelivered;
  });
  return soon ? Next::kSoon : Next::kLater;
}

}  // namespace blkin::control
