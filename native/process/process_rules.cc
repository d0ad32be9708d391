// native/process/process_rules.cc: rules on their way into a session: checked, given to the registry, its consumer woken.
#include "../folder/standing.hpp"
#include "../rules/check.hpp"
#include "../rules/glob.hpp"
#include "process.hpp"

namespace blkin::control {

namespace {

Refused too_many_rules() {
  return {thrift::Refusal::kLimit,
          std::to_string(kRulesMax) + " rules stand already; expected some to be ended first"};
}

}  // namespace

std::optional<Refused> Process::enable(const std::string& name, thrift::Rule rule, Misfits misfits,
                                       Outcome& out) {
  if (std::string wrong = wrong_rule(rule); !wrong.empty())
    return Refused{thrift::Refusal::kMalformed, wrong};
  const std::lock_guard lock(mutex_);
  settle();
  Session* session = nullptr;
  if (auto refused = session_for(name, session)) return refused;
  out = registry_.enable(session->number(), std::move(rule), std::move(misfits));
  if (out.full) return too_many_rules();
  if (out.covered > 0 && out.fitting == 0) {
    registry_.disable(session->number(), out.rule);
    session->wake();
    return Refused{thrift::Refusal::kFilter, "the filter fits no tracepoint that the pattern covers (" +
                                                 std::to_string(out.covered) +
                                                 " declared): " + out.unfit.front()};
  }
  session->start();
  session->wake();
  helper_->wake();
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
  session->wake();  // to tell the relay
  helper_->wake();
  return std::nullopt;
}

void Process::disable(const std::string& name, uint32_t rule) {
  const std::lock_guard lock(mutex_);
  Session* session = find(name);
  if (session == nullptr) return;
  registry_.disable(session->number(), rule);
  session->wake();
  helper_->wake();
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

}  // namespace blkin::control
