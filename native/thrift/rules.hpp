// native/thrift/rules.hpp: a rule as idl/blkin.thrift has it, and its way in and out of bytes. Read from sockets and
// files: takes only fields of the right type, skips the rest, and leaves the judgement of values to rules/check.hpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "binary.hpp"

namespace blkin::thrift {

enum class Origin : int32_t { kProgram = 1, kControl = 2, kStanding = 3, kRelay = 4 };

struct SampleRate {
  int32_t keep = 1;
  int32_t of = 1;

  bool operator==(const SampleRate&) const = default;
};

struct Rule {
  int32_t id = 0;
  bool on = true;
  std::string pattern;
  std::vector<std::string> exclude;
  int32_t level = 14;
  bool exactly = false;
  SampleRate sample;
  std::optional<std::string> filter;  // its text
  Origin origin = Origin::kProgram;
  std::string target;

  // Whether it would do just what the other does.
  bool same(const Rule& other) const {
    return on == other.on && pattern == other.pattern && exclude == other.exclude && level == other.level &&
           exactly == other.exactly && sample == other.sample && filter == other.filter &&
           origin == other.origin;
  }
};

struct RuleSet {
  int64_t version = 0;
  std::vector<Rule> rules;
};

Rule read_rule(Reader& reader);
RuleSet read_rule_set(Reader& reader);
void write_rule(Writer& writer, const Rule& rule);

std::vector<std::string> read_strings(Reader& reader);
void write_strings(Writer& writer, int16_t id, const std::vector<std::string>& strings);

}  // namespace blkin::thrift
