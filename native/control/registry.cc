// native/control/registry.cc: see registry.hpp.
#include "registry.hpp"

#include <algorithm>

#include "glob.hpp"

namespace blkin::control {

namespace {

using thrift::Shape;
using thrift::Type;

bool covers(const Rule& rule, const std::string& name, int32_t level) {
  return level <= rule.level && glob_covers(rule.pattern, name) &&
         std::none_of(rule.exclude.begin(), rule.exclude.end(),
                      [&](const std::string& pattern) { return glob_covers(pattern, name); });
}

std::unique_ptr<Layout> lay_out(const thrift::Tracepoint& tracepoint) {
  auto layout = std::make_unique<Layout>();
  layout->id = static_cast<uint16_t>(tracepoint.id);
  uint32_t fixed = 0;
  for (const thrift::Field& field : tracepoint.fields) {
    const bool bytes = field.type == Type::kBytes;
    if (field.type == Type::kString || bytes || field.shape == Shape::kSequence) {
      layout->parts.push_back(
          {fixed, field.type, field.type != Type::kString, bytes ? 1 : bytes_of(field.type), 0});
      fixed = 0;
    } else {
      const uint32_t one = bytes_of(field.type == Type::kEnum ? field.container : field.type);
      fixed += one * (field.shape == Shape::kArray ? static_cast<uint32_t>(field.length) : 1);
    }
  }
  layout->tail_bytes = fixed;
  uint32_t behind = fixed;
  for (auto part = layout->parts.rbegin(); part != layout->parts.rend(); ++part) {
    part->least_after = behind;
    behind += part->fixed_bytes + (part->sequence ? kLeastSequence : kLeastString);
  }
  return layout;
}

}  // namespace

uint32_t bytes_of(Type type) noexcept {
  switch (type) {
    case Type::kU8:
    case Type::kI8:
    case Type::kBool:
      return 1;
    case Type::kU16:
    case Type::kI16:
      return 2;
    case Type::kU32:
    case Type::kI32:
    case Type::kF32:
      return 4;
    case Type::kU64:
    case Type::kI64:
    case Type::kF64:
      return 8;
    case Type::kString:
    case Type::kEnum:
    case Type::kBytes:
      return 0;
  }
  return 0;
}

Declared Registry::declare(thrift::Tracepoint tracepoint, const std::string& schema) {
  const std::lock_guard lock(mutex_);
  std::string name = tracepoint.provider + ":" + tracepoint.event;
  if (const auto known = by_name_.find(name); known != by_name_.end()) {
    const Entry& entry = entries_[known->second];
    if (entry.schema == schema) return {entry.tracepoint.id, {}};
    return {-1, entry.schema};
  }
  if (entries_.size() >= kTracepointsMax) return {-1, {}};
  tracepoint.id = static_cast<int32_t>(entries_.size());
  auto layout = lay_out(tracepoint);
  by_name_.emplace(name, entries_.size());
  entries_.push_back({std::move(tracepoint), std::move(name), schema, std::move(layout)});
  apply(entries_.size() - 1);
  return {static_cast<int32_t>(entries_.size() - 1), {}};
}

bool Registry::wanted(const Entry& entry) const {
  for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule)
    if (covers(*rule, entry.name, entry.tracepoint.level)) return rule->on;
  return false;
}

void Registry::apply(size_t id) {
  const uint8_t now = wanted(entries_[id]) ? 1 : 0;
  const uint8_t before = flags_[id].exchange(now, std::memory_order_relaxed);
  on_.fetch_add(static_cast<uint32_t>(now) - before, std::memory_order_relaxed);
}

void Registry::apply_all() {
  for (size_t id = 0; id < entries_.size(); ++id) apply(id);
}

// Rules that only switch off have nothing to switch off once the last that switches on is gone.
void Registry::drop_idle() {
  if (std::none_of(rules_.begin(), rules_.end(), [](const Rule& rule) { return rule.on; })) rules_.clear();
}

uint32_t Registry::enable(Rule rule) {
  const std::lock_guard lock(mutex_);
  if (rules_.size() >= kRulesMax) return 0;
  rule.id = next_rule_++;
  rules_.push_back(std::move(rule));
  apply_all();
  return rules_.back().id;
}

bool Registry::disable(uint32_t id) {
  const std::lock_guard lock(mutex_);
  const size_t ended = std::erase_if(rules_, [&](const Rule& rule) { return rule.id == id; });
  drop_idle();
  apply_all();
  return ended > 0;
}

bool Registry::disable(const std::string& pattern) {
  const std::lock_guard lock(mutex_);
  std::erase_if(rules_, [&](const Rule& rule) { return rule.pattern == pattern; });
  drop_idle();
  if (!rules_.empty()) {
    if (rules_.size() >= kRulesMax) return false;
    rules_.push_back({next_rule_++, false, pattern, {}, 14});
  }
  apply_all();
  return true;
}

std::vector<Rule> Registry::rules() {
  const std::lock_guard lock(mutex_);
  return rules_;
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

}  // namespace blkin::control
