// native/folder/standing.hpp: the rules that this user keeps for programs which start later: a file that the CLI replaces
// by rename, read once when a process begins to trace.
#pragma once

#include <string>
#include <vector>

#include "../thrift/rules.hpp"

namespace blkin::control {

// BASE/blkin-UID/standing: a struct StandingRules of idl/blkin.thrift. Nothing where it is missing or damaged.
std::vector<thrift::Rule> read_standing(const std::string& user_folder);

}  // namespace blkin::control
