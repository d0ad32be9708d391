// native/test/registry_test.cc: which tracepoints the standing rules switch on, whatever came first; and the glob they
// are matched with, against a naive one.
#include "rules/registry.hpp"

#include <gtest/gtest.h>

#include <random>

#include "rules/glob.hpp"

namespace blkin::control {
namespace {

class Rules : public testing::Test {
 protected:
  int32_t declare(const std::string& provider, const std::string& event, int32_t level = 6) {
    return registry->declare({0, provider, event, level, {}}, "{}").id;
  }
  uint32_t enable(std::string pattern, std::vector<std::string> exclude = {}, int32_t level = 14) {
    thrift::Rule rule;
    rule.pattern = std::move(pattern);
    rule.exclude = std::move(exclude);
    rule.level = level;
    return registry->enable(kSession, std::move(rule)).rule;
  }
  // One of three events.
  void enable_share(const std::string& pattern) {
    thrift::Rule rule;
    rule.pattern = pattern;
    rule.level = 14;
    rule.sample = {1, 3};
    registry->enable(kSession, std::move(rule));
  }
  bool on(int32_t id) { return registry->flags()[id].load() != 0; }

  bool disable(const std::string& pattern) {
    return !registry->disable(kSession, pattern, thrift::Origin::kProgram).full;
  }

  static constexpr size_t kSession = 3;
  ContextTable contexts;
  std::unique_ptr<Registry> registry = std::make_unique<Registry>(contexts);
};

TEST_F(Rules, nothing_is_on_until_a_rule_covers_it) {
  const int32_t read = declare("disk", "read"), write = declare("disk", "write");
  EXPECT_FALSE((registry->count_on(kSession) > 0));
  enable("disk:read");
  EXPECT_TRUE(on(read));
  EXPECT_FALSE(on(write));
  EXPECT_EQ(registry->count_on(), 1U);
}

TEST_F(Rules, a_rule_covers_what_is_declared_later) {
  enable("disk:*");
  EXPECT_FALSE((registry->count_on(kSession) > 0));
  EXPECT_TRUE(on(declare("disk", "read")));
  EXPECT_FALSE(on(declare("net", "read")));
  EXPECT_EQ(registry->count_on(), 1U);
}

TEST_F(Rules, what_is_on_is_told_with_its_rule_and_once_a_change) {
  const int32_t read = declare("disk", "read"), write = declare("disk", "write");
  uint64_t seen = 0;
  thrift::Enabled first, second, third;
  EXPECT_TRUE(registry->enabled(kSession, seen, first)) << "also that nothing is";
  EXPECT_TRUE(first.tracepoints.empty());
  const uint32_t all = enable("disk:*"), one = enable("disk:write");
  EXPECT_TRUE(registry->enabled(kSession, seen, second));
  ASSERT_EQ(second.tracepoints.size(), 2U);
  EXPECT_EQ(second.tracepoints[0].tracepoint, read);
  EXPECT_EQ(second.tracepoints[0].rule, static_cast<int32_t>(all));
  EXPECT_EQ(second.tracepoints[1].tracepoint, write);
  EXPECT_EQ(second.tracepoints[1].rule, static_cast<int32_t>(one));
  ASSERT_EQ(second.rules.size(), 2U);
  EXPECT_EQ(second.rules[1].pattern, "disk:write");
  EXPECT_FALSE(registry->enabled(kSession, seen, third)) << "nothing changed";
  enable("net:*");
  EXPECT_FALSE(registry->enabled(kSession, seen, third)) << "a rule that covers nothing changes nothing";
  disable("disk:*");
  EXPECT_TRUE(registry->enabled(kSession, seen, third));
}

TEST_F(Rules, rules_that_fit_no_frame_are_left_out_and_their_tracepoints_are_told) {
  const std::string long_pattern = "disk:" + std::string(251, '*');
  for (int i = 0; i < 1000; ++i)
    enable(long_pattern, std::vector<std::string>(10, "a:" + std::to_string(i) + std::string(240, 'x')));
  declare("disk", "read");
  uint64_t seen = 0;
  thrift::Enabled told;
  EXPECT_TRUE(registry->enabled(kSession, seen, told));
  EXPECT_EQ(told.tracepoints.size(), 1U);
  EXPECT_LT(told.rules.size(), 1000U);
  EXPECT_LT(thrift::enabled_call(1, told).size(), thrift::kFrameMax);
}

TEST_F(Rules, an_exclusion_leaves_a_tracepoint_to_the_rules_before) {
  const int32_t read = declare("disk", "read"), write = declare("disk", "write");
  enable("disk:*", {"disk:w*", "x:y"});
  EXPECT_TRUE(on(read));
  EXPECT_FALSE(on(write));
  enable("disk:write");
  EXPECT_TRUE(on(write));
  enable("disk:*", {"*:write"});
  EXPECT_TRUE(on(write)) << "the rule that excludes it does not switch it off";
}

TEST_F(Rules, a_level_covers_what_is_at_least_as_severe) {
  std::vector<int32_t> ids;
  for (int32_t level = 0; level <= 14; ++level)
    ids.push_back(declare("p", "e" + std::to_string(level), level));
  enable("p:*", {}, 4);
  for (int32_t level = 0; level <= 14; ++level)
    EXPECT_EQ(on(ids[static_cast<size_t>(level)]), level <= 4) << level;
}

TEST_F(Rules, the_last_rule_that_covers_a_tracepoint_decides) {
  const int32_t read = declare("disk", "read"), write = declare("disk", "write");
  enable("disk:*");
  EXPECT_TRUE(disable("disk:read"));
  EXPECT_FALSE(on(read));
  EXPECT_TRUE(on(write));
  EXPECT_FALSE(on(declare("disk", "read", 1)) && false);
  enable("disk:re*");
  EXPECT_TRUE(on(read)) << "switched on again, later";
  EXPECT_TRUE(disable("*:*"));
  EXPECT_FALSE((registry->count_on(kSession) > 0));
  enable("disk:read");
  EXPECT_TRUE(on(read));
  EXPECT_FALSE(on(write));
}

TEST_F(Rules, what_a_pattern_switched_off_stays_off_for_what_is_declared_later) {
  enable("disk:*");
  disable("disk:re*");
  EXPECT_FALSE(on(declare("disk", "read")));
  EXPECT_TRUE(on(declare("disk", "write")));
}

TEST_F(Rules, a_rule_ended_by_its_id_gives_way_to_the_others) {
  const int32_t read = declare("disk", "read");
  const uint32_t all = enable("disk:*"), one = enable("disk:read");
  EXPECT_NE(all, one);
  EXPECT_TRUE(registry->disable(kSession, one));
  EXPECT_TRUE(on(read)) << "the other still covers it";
  EXPECT_TRUE(registry->disable(kSession, all));
  EXPECT_FALSE(on(read));
  EXPECT_FALSE(registry->disable(kSession, all)) << "ended already";
}

TEST_F(Rules, switching_off_where_nothing_is_on_leaves_no_rule_behind) {
  disable("disk:*");
  EXPECT_TRUE(registry->rules(kSession).empty());
  enable("disk:*");
  disable("disk:*");
  EXPECT_TRUE(registry->rules(kSession).empty());
  EXPECT_TRUE(on(([this] {
    enable("disk:*");
    return declare("disk", "read");
  })()));
}

TEST_F(Rules, switching_on_and_off_without_end_does_not_add_up) {
  enable("net:*");
  for (size_t i = 0; i < 3 * kRulesMax; ++i) {
    ASSERT_NE(enable("disk:*"), 0U);
    ASSERT_TRUE(disable("disk:*"));
  }
  EXPECT_EQ(registry->rules(kSession).size(), 2U);
}

TEST_F(Rules, no_more_rules_stand_than_may) {
  for (size_t i = 0; i < kRulesMax; ++i) ASSERT_NE(enable("p:e" + std::to_string(i)), 0U);
  EXPECT_EQ(enable("p:x"), 0U);
  EXPECT_FALSE(on(declare("p", "x")));
  EXPECT_TRUE(on(declare("p", "e1023")));
}

TEST_F(Rules, flags_and_their_count_follow_the_rules_whatever_happened_before) {
  std::mt19937 random(1);
  struct Tp {
    std::string name;
    int32_t level, id;
  };
  std::vector<Tp> declared;
  std::vector<thrift::Rule> standing;  // by the book: the last that covers decides
  const auto pick = [&](std::initializer_list<const char*> of) {
    return std::string(*(of.begin() + random() % of.size()));
  };
  for (int step = 0; step < 600; ++step) {
    if (random() % 3 == 0) {
      const std::string provider = pick({"disk", "net", "db"}), event = "e" + std::to_string(declared.size());
      const auto level = static_cast<int32_t>(random() % 15);
      std::string name = provider;
      name.append(":").append(event);
      declared.push_back({name, level, declare(provider, event, level)});
    } else if (random() % 3 != 0) {
      thrift::Rule rule;
      rule.pattern = pick({"*:*", "disk:*", "n*:*", "db:e1*", "*:e*3"});
      rule.level = static_cast<int32_t>(random() % 15);
      if (random() % 2 == 0) rule.exclude.push_back(pick({"disk:*", "*:*5", "net:e2*"}));
      rule.id = static_cast<int32_t>(registry->enable(kSession, rule).rule);
      standing.push_back(rule);
    } else if (!standing.empty()) {
      const int32_t id = standing[random() % standing.size()].id;
      registry->disable(kSession, static_cast<uint32_t>(id));
      std::erase_if(standing, [&](const thrift::Rule& rule) { return rule.id == id; });
    }
    uint32_t count = 0;
    for (const Tp& one : declared) {
      bool wanted = false;
      for (const thrift::Rule& rule : standing) {
        bool covers = one.level <= rule.level && glob_covers(rule.pattern, one.name);
        for (const std::string& except : rule.exclude) covers = covers && !glob_covers(except, one.name);
        wanted = wanted || covers;  // all of them switch on
      }
      ASSERT_EQ(on(one.id), wanted) << one.name << " at step " << step;
      count += wanted ? 1 : 0;
    }
    ASSERT_EQ(registry->count_on(), count);
  }
}

TEST_F(Rules, what_an_emitter_asked_counts_until_the_rules_of_its_tracepoint_change) {
  const auto id = static_cast<uint16_t>(declare("disk", "read"));
  enable_share("disk:read");
  uint32_t generation = 0;
  const auto gates = registry->gates(id, generation);
  ASSERT_EQ(gates.size(), 1U);
  EXPECT_EQ(gates[0].session, kSession);
  EXPECT_EQ(gates[0].sample.of, 3);
  const uint16_t want = registry->wanted(id);
  EXPECT_EQ(want, 1U << kSession | kGated << kSession);

  const uint32_t now = generation << 16;
  const auto left = [&](Asked asked) -> std::optional<uint16_t> {
    uint16_t out = want;
    return registry->settle(id, asked, out) ? std::optional(out) : std::nullopt;
  };
  EXPECT_EQ(left(now), 0) << "refused";
  EXPECT_EQ(left(now | 1U << kSession), 1U << kSession) << "taken as it is";
  EXPECT_EQ(left(std::nullopt), std::nullopt) << "not asked";
  enable("disk:*");
  disable("disk:*");
  enable_share("disk:read");
  EXPECT_EQ(left(now | 1U << kSession), std::nullopt) << "rules have changed since";
}

TEST_F(Rules, a_session_that_has_nothing_to_ask_takes_its_events_whatever_others_say) {
  const auto id = static_cast<uint16_t>(declare("disk", "read"));
  enable_share("disk:read");
  thrift::Rule plain;
  plain.pattern = "disk:read";
  registry->enable(1, plain);
  uint32_t generation = 0;
  ASSERT_EQ(registry->gates(id, generation).size(), 1U);
  uint16_t want = registry->wanted(id);
  EXPECT_TRUE(registry->settle(id, generation << 16, want));
  EXPECT_EQ(want, 2U);
}

TEST_F(Rules, only_contexts_that_javascript_fills_are_asked_for) {
  const auto id = static_cast<uint16_t>(declare("disk", "read"));
  uint32_t generation = 0;
  registry->open(kSession, 1U << kCpuSlot);
  enable("disk:read");
  EXPECT_TRUE(registry->gates(id, generation).empty()) << "C++ fills this one";
  EXPECT_EQ(registry->wanted(id), 1U << kSession);
  constexpr size_t kOther = kSession + 1;
  constexpr uint32_t kElu = 1U << 6;
  registry->open(kOther, 1U << kCpuSlot | kElu);
  thrift::Rule rule;
  rule.pattern = "disk:read";
  registry->enable(kOther, rule);
  const auto gates = registry->gates(id, generation);
  ASSERT_EQ(gates.size(), 1U);
  EXPECT_EQ(gates[0].contexts, kElu);
  uint16_t want = registry->wanted(id);
  EXPECT_EQ(want, 1U << kSession | 257U << kOther);
  EXPECT_TRUE(registry->settle(id, generation << 16 | 1U << kOther, want));
  EXPECT_EQ(want, 1U << kSession | 1U << kOther);
}

TEST_F(Rules, a_rule_whose_filter_does_not_fit_a_tracepoint_leaves_it_to_the_rules_before) {
  const auto read = static_cast<uint16_t>(declare("disk", "read"));
  const auto write = static_cast<uint16_t>(declare("disk", "write"));
  const uint32_t before = enable("disk:read");
  thrift::Rule filtered;
  filtered.pattern = "disk:*";
  filtered.filter = "n > 1";
  const Outcome known = registry->enable(kSession, filtered, {{write, "no n"}});
  EXPECT_EQ(known.covered, 2U);
  EXPECT_EQ(known.fitting, 1U);
  EXPECT_EQ(known.unfit, std::vector<std::string>{"disk:write: no n"});
  EXPECT_FALSE(on(write));
  EXPECT_EQ(registry->deciding_rule(kSession, read), known.rule);
  uint32_t asked = 0, now = 0;
  ASSERT_EQ(registry->gates(read, asked).size(), 1U);
  registry->add_misfit(kSession, static_cast<int32_t>(known.rule), read, "no n either");
  EXPECT_EQ(registry->deciding_rule(kSession, read), before);
  EXPECT_TRUE(registry->gates(read, now).empty());
  EXPECT_NE(asked, now) << "what was asked before is asked again";
}

TEST_F(Rules, a_name_declared_twice_is_one_tracepoint_where_the_schema_is_the_same) {
  const int32_t id = declare("disk", "read");
  EXPECT_EQ(declare("disk", "read"), id);
  EXPECT_EQ(registry->size(), 1U);
}

// A module that is edited and loaded again, round and round: its forms are found again, and there is an end to new ones.
TEST_F(Rules, a_name_declared_with_other_schemas_is_so_many_tracepoints_and_no_more) {
  enable("disk:*");
  for (int round = 0; round < 3; ++round)
    for (size_t form = 0; form < kFormsMax; ++form) {
      const Declared made = registry->declare({0, "disk", "read", 6, {}}, std::to_string(form));
      ASSERT_EQ(made.id, static_cast<int32_t>(form));
      ASSERT_TRUE(on(made.id)) << "the rule covers each";
    }
  const Declared refused = registry->declare({0, "disk", "read", 6, {}}, "one more");
  EXPECT_EQ(refused.id, -1);
  EXPECT_EQ(refused.conflict, "0");
  EXPECT_EQ(registry->size(), kFormsMax);
}

TEST_F(Rules, no_more_tracepoints_are_declared_than_the_flags_page_holds) {
  for (size_t i = 0; i < kTracepointsMax; ++i)
    ASSERT_EQ(declare("p", std::to_string(i)), static_cast<int32_t>(i));
  const Declared refused = registry->declare({0, "p", "more", 6, {}}, "{}");
  EXPECT_EQ(refused.id, -1);
  EXPECT_EQ(refused.conflict, "");
  EXPECT_EQ(declare("p", "7"), 7) << "known ones are still found";
  std::vector<thrift::Tracepoint> tail;
  registry->tracepoints(kTracepointsMax - 2, tail);
  ASSERT_EQ(tail.size(), 2U);
  EXPECT_EQ(tail[1].id, static_cast<int32_t>(kTracepointsMax - 1));
  registry->tracepoints(kTracepointsMax + 5, tail);
  EXPECT_EQ(tail.size(), 2U);
}

TEST_F(Rules, a_layout_knows_what_each_part_leaves_to_those_behind_it) {
  using thrift::Shape;
  using thrift::Type;
  std::vector<thrift::Field> fields{{"a", Type::kU32, Shape::kScalar, 0, {}, {}},
                                    {"b", Type::kString, Shape::kScalar, 0, {}, {}},
                                    {"c", Type::kU64, Shape::kArray, 3, {}, {}},
                                    {"d", Type::kU16, Shape::kSequence, 0, {}, {}},
                                    {"e", Type::kEnum, Shape::kScalar, 0, Type::kU16, {{"x", 0}}}};
  const int32_t id = registry->declare({0, "p", "e", 6, fields}, "s").id;
  const Layout* layout = registry->layout(id);
  ASSERT_NE(layout, nullptr);
  ASSERT_EQ(layout->parts.size(), 2U);
  EXPECT_EQ(layout->parts[0].fixed_bytes, 4U);
  EXPECT_FALSE(layout->parts[0].sequence);
  EXPECT_EQ(layout->parts[0].least_after, 24 + kLeastSequence + 2) << "c, an empty d, e";
  EXPECT_EQ(layout->parts[1].fixed_bytes, 24U);
  EXPECT_TRUE(layout->parts[1].sequence);
  EXPECT_EQ(layout->parts[1].element_bytes, 2U);
  EXPECT_EQ(layout->parts[1].least_after, 2U);
  EXPECT_EQ(layout->tail_bytes, 2U);
  EXPECT_EQ(layout->event.id(), id);
  EXPECT_EQ(registry->layout(id + 1), nullptr);
  EXPECT_EQ(registry->layout(-1), nullptr);
}

TEST_F(Rules, of_all_providers_only_the_one_of_spans_has_their_channel) {
  const auto channel = [&](const char* provider) {
    return registry->layout(registry->declare({0, provider, "e", 6, {}}, "s").id)->event.channel();
  };
  EXPECT_EQ(channel("blkin"), Channel::kSpans);
  for (const char* other : {"blkin2", "blki", "Blkin", "blkin.x"})
    EXPECT_EQ(channel(other), Channel::kEvents);
}

// Every way a star can be read, one after the other.
bool naive(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern[0] != '*')
    return !name.empty() && pattern[0] == name[0] && naive(pattern.substr(1), name.substr(1));
  for (size_t taken = 0;; ++taken) {
    if (naive(pattern.substr(1), name.substr(taken))) return true;
    if (taken == name.size() || name[taken] == ':') return false;
  }
}

TEST(Glob, a_star_stays_on_its_side_of_the_colon) {
  EXPECT_TRUE(glob_covers("block*:read*", "blockstore:readahead"));
  EXPECT_TRUE(glob_covers("*:*", "a:b"));
  EXPECT_TRUE(glob_covers("a:*", "a:"));
  EXPECT_FALSE(glob_covers("*", "a:b"));
  EXPECT_FALSE(glob_covers("a*b", "a:b"));
  EXPECT_FALSE(glob_covers("*:*", "a:b:c"));
  EXPECT_FALSE(glob_covers("", "a"));
  EXPECT_TRUE(glob_covers("a.b:[c]", "a.b:[c]")) << "nothing else is special";
}

TEST(Glob, agrees_with_a_naive_reading_on_random_patterns) {
  std::mt19937 random(2);
  const auto make = [&](const char* letters, size_t kinds, size_t longest) {
    std::string text(random() % (longest + 1), ' ');
    for (char& c : text) c = letters[random() % kinds];
    return text;
  };
  int covered = 0;
  for (int i = 0; i < 300'000; ++i) {
    const std::string pattern = make("ab*:*", 5, 9), name = make("aab:", 4, 10);
    const bool expected = naive(pattern, name);
    covered += expected ? 1 : 0;
    ASSERT_EQ(glob_covers(pattern, name), expected) << '"' << pattern << "\" \"" << name << '"';
  }
  EXPECT_GT(covered, 1000);
}

TEST(Glob, many_stars_do_not_take_exponential_time) {
  std::string pattern, name(20'000, 'a');
  for (int i = 0; i < 200; ++i) pattern += "*a";
  EXPECT_FALSE(glob_covers(pattern + "*b", name));  // would not end in our lifetime
}

}  // namespace
}  // namespace blkin::control
