// native/rules/registry_rules.cc: how rules come to stand in a session, and go; registry.cc makes flags of them.
#include <algorithm>
#include <utility>

#include "glob.hpp"
#include "registry.hpp"

namespace blkin::control {

namespace {

constexpr size_t kUnfitTold = 64;

Outcome full() {
  Outcome out;
  out.full = true;
  return out;
}

}  // namespace

// Rules that only switch off have nothing to switch off once the last that switches on is gone.
void Registry::drop_idle(Session& session) {
  if (std::none_of(session.rules.begin(), session.rules.end(),
                   [](const Standing& one) { return one.rule.on; }))
    session.rules.clear();
}

Outcome Registry::describe(const Standing& rule) const {
  Outcome out;
  out.rule = static_cast<uint32_t>(rule.rule.id);
  for (size_t id = 0; id < entries_.size(); ++id) {
    if (!rule_covers(rule.rule, entries_[id].name, entries_[id].tracepoint.level)) continue;
    ++out.covered;
    const auto misfit = rule.misfits.find(id);
    if (misfit == rule.misfits.end()) ++out.fitting;
    else if (out.unfit.size() < kUnfitTold) out.unfit.push_back(entries_[id].name + ": " + misfit->second);
  }
  return out;
}

Outcome Registry::enable(size_t number, thrift::Rule rule, Misfits misfits) {
  const std::lock_guard lock(mutex_);
  Session& session = sessions_[number];
  if (rule.origin != thrift::Origin::kProgram)
    std::erase_if(session.rules, [&](const Standing& one) { return one.rule.same(rule); });
  if (session.rules.size() >= kRulesMax) return full();
  rule.id = static_cast<int32_t>(session.next_rule++);
  // The relay's rules stay behind all others.
  auto at = session.rules.end();
  if (rule.origin != thrift::Origin::kRelay)
    while (at != session.rules.begin() && std::prev(at)->rule.origin == thrift::Origin::kRelay) --at;
  const auto placed = session.rules.insert(at, Standing{std::move(rule), std::move(misfits)});
  apply_all(number);
  return describe(*placed);
}

void Registry::add_misfit(size_t number, int32_t rule, size_t id, const std::string& why) {
  const std::lock_guard lock(mutex_);
  Session& session = sessions_[number];
  const auto standing = std::find_if(session.rules.begin(), session.rules.end(),
                                     [&](const Standing& one) { return one.rule.id == rule; });
  if (standing == session.rules.end()) return;
  standing->misfits.emplace(id, why);
  apply(number, id, kNone);
}

std::vector<thrift::Tracepoint> Registry::covered(const thrift::Rule& rule) {
  const std::lock_guard lock(mutex_);
  std::vector<thrift::Tracepoint> out;
  for (const Entry& entry : entries_)
    if (rule_covers(rule, entry.name, entry.tracepoint.level)) out.push_back(entry.tracepoint);
  return out;
}

bool Registry::disable(size_t number, uint32_t id) {
  const std::lock_guard lock(mutex_);
  Session& session = sessions_[number];
  const size_t ended = std::erase_if(
      session.rules, [&](const Standing& one) { return static_cast<uint32_t>(one.rule.id) == id; });
  drop_idle(session);
  apply_all(number);
  return ended > 0;
}

Outcome Registry::disable(size_t number, const std::string& pattern, thrift::Origin origin) {
  const std::lock_guard lock(mutex_);
  Session& session = sessions_[number];
  std::erase_if(session.rules, [&](const Standing& one) { return one.rule.pattern == pattern; });
  drop_idle(session);
  thrift::Rule off;
  off.on = false;
  off.pattern = pattern;
  off.origin = origin;
  Standing standing{std::move(off)};
  Outcome out = describe(standing);
  if (!session.rules.empty()) {
    if (session.rules.size() >= kRulesMax) return full();
    out.rule = session.next_rule++;
    standing.rule.id = static_cast<int32_t>(out.rule);
    session.rules.push_back(std::move(standing));
  }
  apply_all(number);
  return out;
}

void Registry::replace_relay_rules(size_t number, std::vector<thrift::Rule> rules) {
  const std::lock_guard lock(mutex_);
  Session& session = sessions_[number];
  if (session.closed) return;
  std::erase_if(session.rules, [](const Standing& one) { return one.rule.origin == thrift::Origin::kRelay; });
  for (thrift::Rule& rule : rules) {
    if (session.rules.size() >= kRulesMax) break;
    rule.id = static_cast<int32_t>(session.next_rule++);
    rule.origin = thrift::Origin::kRelay;
    session.rules.push_back({std::move(rule)});
  }
  drop_idle(session);
  apply_all(number);
}

}  // namespace blkin::control
