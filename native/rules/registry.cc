// native/rules/registry.cc: see registry.hpp.
#include "registry.hpp"

#include <algorithm>
#include <utility>

#include "glob.hpp"

namespace blkin::control {

namespace {

constexpr size_t kEnabledRulesBytes =
    1 << 20;  // in a call; with all tracepoints it stays below a frame of 2 MiB

size_t size_of(const thrift::Rule& rule) {
  std::vector<uint8_t> bytes;
  thrift::Writer writer(bytes);
  thrift::write_rule(writer, rule);
  return bytes.size();
}

}  // namespace

Declared Registry::declare(thrift::Tracepoint tracepoint, const std::string& schema) {
  const std::lock_guard lock(mutex_);
  std::string name = tracepoint.provider + ":" + tracepoint.event;
  if (const auto known = by_name_.find(name); known != by_name_.end()) {
    for (const size_t form : known->second)
      if (entries_[form].schema == schema) return {entries_[form].tracepoint.id, {}};
    if (known->second.size() >= kFormsMax) return {-1, entries_[known->second.front()].schema};
  }
  if (entries_.size() >= kTracepointsMax) return {-1, {}};
  const size_t id = entries_.size();
  tracepoint.id = static_cast<int32_t>(id);
  auto layout = lay_out(tracepoint);
  by_name_[name].push_back(id);
  entries_.push_back({std::move(tracepoint), std::move(name), schema, std::move(layout)});
  for (size_t session = 0; session < kSessionsMax; ++session) apply(session, id, kNone);
  return {static_cast<int32_t>(id), {}};
}

void Registry::open(size_t session, uint32_t contexts) {
  const std::lock_guard lock(mutex_);
  sessions_[session].closed = false;
  sessions_[session].contexts = contexts;
}

void Registry::close(size_t session) {
  const std::lock_guard lock(mutex_);
  sessions_[session].closed = true;
  sessions_[session].rules.clear();
  sessions_[session].contexts = 0;
  apply_all(session);
}

void Registry::hand_over(size_t from, size_t to) {
  const std::lock_guard lock(mutex_);
  sessions_[to].rules = std::move(sessions_[from].rules);
  sessions_[to].next_rule = sessions_[from].next_rule;
  sessions_[from].closed = true;
  sessions_[from].rules.clear();
  sessions_[from].contexts = 0;
  for (size_t id = 0; id < entries_.size(); ++id) apply(to, id, from);
}

// Null: no rule covers it.
const thrift::Rule* Registry::deciding(const Session& session, size_t id) const {
  const Entry& entry = entries_[id];
  for (auto one = session.rules.rbegin(); one != session.rules.rend(); ++one)
    if (rule_covers(one->rule, entry.name, entry.tracepoint.level) && !one->misfits.contains(id))
      return &one->rule;
  return nullptr;
}

// Whether an emitter has something to ask before the session takes an event by this rule: kGated.
bool Registry::asks_first(const Session& session, const thrift::Rule& rule) {
  return rule.filter || rule.sample.keep != rule.sample.of || from_script(session.contexts) != 0;
}

// Makes the flag what the rules say; where `instead_of` is a session, that one loses the tracepoint at the same instant.
void Registry::apply(size_t number, size_t id, size_t instead_of) {
  Session& session = sessions_[number];
  if (session.deciding.size() <= id) session.deciding.resize(entries_.size(), 0);
  const thrift::Rule* rule = deciding(session, id);
  const uint32_t decides = rule == nullptr || !rule->on ? 0 : static_cast<uint32_t>(rule->id);
  const uint32_t before = std::exchange(session.deciding[id], decides);
  if (before == decides && instead_of == kNone) return;
  ++session.changes;

  const bool asks = decides != 0 && asks_first(session, *rule);
  const auto bit = static_cast<uint16_t>(1U << number);
  const auto both = static_cast<uint16_t>(bit | bit * kGated);
  uint16_t flag = flags_[id].load(std::memory_order_relaxed) & static_cast<uint16_t>(~both);
  if (decides != 0) flag |= asks ? both : bit;
  if (instead_of != kNone) {
    const auto other = static_cast<uint16_t>(1U << instead_of);
    flag &= static_cast<uint16_t>(~(other | other * kGated));
  }
  generations_[id].fetch_add(1, std::memory_order_release);
  flags_[id].store(flag, std::memory_order_release);
  if ((before != 0) != (decides != 0))
    session.on.fetch_add(decides != 0 ? 1 : UINT32_MAX, std::memory_order_relaxed);
  if (instead_of == kNone) return;
  Session& other = sessions_[instead_of];
  ++other.changes;
  if (id < other.deciding.size() && std::exchange(other.deciding[id], 0) != 0)
    other.on.fetch_sub(1, std::memory_order_relaxed);
}

std::vector<Gate> Registry::gates(size_t id, uint32_t& generation) {
  const std::lock_guard lock(mutex_);
  generation = generations_[id].load(std::memory_order_relaxed);
  std::vector<Gate> out;
  for (size_t number = 0; number < kSessionsMax; ++number) {
    const Session& session = sessions_[number];
    if (id >= session.deciding.size() || session.deciding[id] == 0) continue;
    const thrift::Rule* rule = deciding(session, id);
    if (asks_first(session, *rule))
      out.push_back(
          {number, rule->id, rule->sample, rule->filter.value_or(""), from_script(session.contexts)});
  }
  return out;
}

void Registry::apply_all(size_t session) {
  for (size_t id = 0; id < entries_.size(); ++id) apply(session, id, kNone);
}

std::vector<thrift::Rule> Registry::rules(size_t session) {
  const std::lock_guard lock(mutex_);
  std::vector<thrift::Rule> out;
  for (const Standing& one : sessions_[session].rules) out.push_back(one.rule);
  return out;
}

uint32_t Registry::deciding_rule(size_t session, size_t id) {
  const std::lock_guard lock(mutex_);
  const auto& deciding = sessions_[session].deciding;
  return id < deciding.size() ? deciding[id] : 0;
}

bool Registry::enabled(size_t number, uint64_t& seen, thrift::Enabled& out) {
  const std::lock_guard lock(mutex_);
  const Session& session = sessions_[number];
  if (std::exchange(seen, session.changes) == session.changes) return false;
  for (size_t id = 0; id < session.deciding.size(); ++id)
    if (session.deciding[id] != 0)
      out.tracepoints.push_back({static_cast<int32_t>(id), static_cast<int32_t>(session.deciding[id])});
  size_t bytes = 0;
  for (const Standing& one : session.rules) {
    if (one.rule.on && (bytes += size_of(one.rule)) <= kEnabledRulesBytes) out.rules.push_back(one.rule);
  }
  return true;
}

size_t Registry::size() {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

void Registry::tracepoints(size_t from, std::vector<thrift::Tracepoint>& out) {
  const std::lock_guard lock(mutex_);
  for (size_t id = from; id < entries_.size(); ++id) out.push_back(entries_[id].tracepoint);
}

const Layout* Registry::layout(int32_t id) {
  const std::lock_guard lock(mutex_);
  return id >= 0 && static_cast<size_t>(id) < entries_.size() ? entries_[static_cast<size_t>(id)].layout.get()
                                                              : nullptr;
}

uint32_t Registry::count_on() noexcept {
  const std::lock_guard lock(mutex_);
  uint32_t on = 0;
  for (size_t id = 0; id < entries_.size(); ++id)
    on += (flags_[id].load(std::memory_order_relaxed) & 255) != 0;
  return on;
}

}  // namespace blkin::control
