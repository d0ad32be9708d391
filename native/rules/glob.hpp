// native/rules/glob.hpp: which tracepoints a rule's pattern covers, and which programs its target. Pure.
#pragma once

#include <algorithm>
#include <string_view>

#include "../thrift/rules.hpp"

namespace blkin::control {

// `*` stands for any run of characters short of the colon, so "a*:b*" has one meaning. Linear but for the last star.
inline bool glob_covers(std::string_view pattern, std::string_view name) noexcept {
  size_t p = 0, n = 0;
  size_t star = std::string_view::npos, resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p, ++n;
    } else if (star != std::string_view::npos && name[resume] != ':') {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

// Whether the rule has to do with a tracepoint, whatever its filter says.
inline bool rule_covers(const thrift::Rule& rule, std::string_view name, int32_t level) noexcept {
  return (rule.exactly ? level == rule.level : level <= rule.level) && glob_covers(rule.pattern, name) &&
         std::none_of(rule.exclude.begin(), rule.exclude.end(),
                      [&](const std::string& pattern) { return glob_covers(pattern, name); });
}

// A program's name has no colon that could stop a star; an empty target covers every program.
inline bool name_covers(std::string_view target, std::string_view program) noexcept {
  return target.empty() || glob_covers(target, program);
}

}  // namespace blkin::control
