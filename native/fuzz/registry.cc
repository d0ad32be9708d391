// native/fuzz/registry.cc: declarations and changes of rules in any order. After each, what decides over a tracepoint is the last
// of the rules that cover it, by a naive reading of their patterns, and flags and counts say the same.
#include "rules/registry.hpp"

#include <map>
#include <set>

#include "input.hpp"

namespace blkin::fuzz {
namespace {

using namespace control;

constexpr size_t kSessions = 3;
constexpr size_t kStepsMost = 40;

bool covers(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern.front() == '*')
    return covers(pattern.substr(1), name) ||
           (!name.empty() && name.front() != ':' && covers(pattern, name.substr(1)));
  return !name.empty() && pattern.front() == name.front() && covers(pattern.substr(1), name.substr(1));
}

class Model {
 public:
  void step(Input& input) {
    const size_t session = input.byte() % kSessions;
    switch (input.byte() % 7) {
      case 0:
        declare(input);
        break;
      case 1:
        registry_->enable(session, rule(input));
        break;
      case 2:
        registry_->disable(session, uint32_t{input.byte()});
        break;
      case 3:
        registry_->disable(session, name(input, "ab*:"), thrift::Origin::kControl);
        break;
      case 4:
        registry_->replace_relay_rules(session, {rule(input), rule(input)});
        break;
      case 5: {
        const int32_t id = input.byte();
        const size_t tracepoint = input.byte() % 8;
        misfits_.insert({session, id, tracepoint});
        // Of a rule that stands: it has to do with no later one of the same number, since numbers only rise.
        const std::vector<thrift::Rule> rules = registry_->rules(session);
        const bool stands =
            std::any_of(rules.begin(), rules.end(), [&](const auto& one) { return one.id == id; });
        if (!stands || tracepoint >= tracepoints_.size()) misfits_.erase({session, id, tracepoint});
        else registry_->add_misfit(session, id, tracepoint, "why");
        break;
      }
      default:
        std::erase_if(misfits_, [&](const Misfit& one) { return std::get<0>(one) == session; });
        registry_->close(session);
        registry_->open(session, input.byte());
    }
    check();
  }

 private:
  using Misfit = std::tuple<size_t, int32_t, size_t>;  // session, rule, tracepoint

  // Short, and of few letters, so that patterns and names meet.
  static std::string name(Input& input, std::string_view letters) {
    std::string out(input.byte() % 7, ' ');
    for (char& c : out) c = letters[input.byte() % letters.size()];
    return out;
  }

  static thrift::Rule rule(Input& input) {
    thrift::Rule out;
    const uint8_t bits = input.byte();
    out.on = (bits & 1) != 0;
    out.exactly = (bits & 2) != 0;
    out.pattern = name(input, "ab*:");
    if ((bits & 4) != 0) out.exclude.push_back(name(input, "ab*:"));
    out.level = (bits >> 3) % 4;
    out.origin = static_cast<thrift::Origin>(1 + (bits >> 5) % 3);
    if ((bits & 128) != 0) out.filter = "n > 1";
    return out;
  }

  void declare(Input& input) {
    const std::vector<uint8_t> bytes = input.bytes(input.byte());
    thrift::Reader reader(bytes.data(), bytes.size());
    thrift::Tracepoint tracepoint = thrift::read_tracepoint(reader);
    tracepoint.provider = name(input, "ab");
    tracepoint.event = name(input, "ab");
    tracepoint.level = input.byte() % 4;
    const std::string schema(1, static_cast<char>(input.byte() % 2));
    const Declared declared = registry_->declare(tracepoint, schema);
    if (static_cast<size_t>(declared.id) < tracepoints_.size()) {
      const auto& [known, text] = tracepoints_[static_cast<size_t>(declared.id)];
      expect(known.provider == tracepoint.provider && known.event == tracepoint.event && text == schema,
             "the tracepoint of this name and schema");
      return;
    }
    expect(static_cast<size_t>(declared.id) == tracepoints_.size(), "the next id");
    const Layout* const layout = registry_->layout(declared.id);
    expect(layout != nullptr && layout->parts.size() <= tracepoint.fields.size(), "a layout");
    tracepoints_.emplace_back(std::move(tracepoint), schema);
  }

  uint32_t deciding(size_t session, const std::vector<thrift::Rule>& rules, size_t id) const {
    const thrift::Tracepoint& tracepoint = tracepoints_[id].first;
    const std::string whole = tracepoint.provider + ":" + tracepoint.event;
    for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) {
      const bool level = rule->exactly ? tracepoint.level == rule->level : tracepoint.level <= rule->level;
      const bool excluded = std::any_of(rule->exclude.begin(), rule->exclude.end(),
                                        [&](const std::string& pattern) { return covers(pattern, whole); });
      if (level && covers(rule->pattern, whole) && !excluded && !misfits_.contains({session, rule->id, id}))
        return rule->on ? static_cast<uint32_t>(rule->id) : 0;
    }
    return 0;
  }

  void check() {
    for (size_t session = 0; session < kSessions; ++session) {
      const std::vector<thrift::Rule> rules = registry_->rules(session);
      uint32_t on = 0;
      for (size_t id = 0; id < tracepoints_.size(); ++id) {
        const uint32_t decides = deciding(session, rules, id);
        on += decides != 0 ? 1 : 0;
        expect(registry_->deciding_rule(session, id) == decides, "the last rule that covers it decides");
        const uint16_t flag = registry_->wanted(static_cast<uint16_t>(id));
        expect((flag >> session & 1) == (decides != 0 ? 1 : 0), "its flag says so");
      }
      expect(registry_->count_on(session) == on, "as many are on");
    }
  }

  ContextTable contexts_;
  std::unique_ptr<Registry> registry_ = std::make_unique<Registry>(contexts_);
  std::vector<std::pair<thrift::Tracepoint, std::string>> tracepoints_;
  std::set<Misfit> misfits_;
};

}  // namespace
}  // namespace blkin::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  blkin::fuzz::Input input(data, size);
  blkin::fuzz::Model model;
  for (size_t steps = 0; !input.empty() && steps < blkin::fuzz::kStepsMost; ++steps) model.step(input);
  return 0;
}
