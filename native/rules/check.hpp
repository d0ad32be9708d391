// native/rules/check.hpp: what comes from a socket or a file is looked at here, before anything acts on it. Pure.
#pragma once

#include <string>

#include "../thrift/control.hpp"

namespace blkin::control {

// In words, what is wrong and what is allowed; empty: nothing is.
std::string wrong_rule(const thrift::Rule& rule);
std::string wrong_session(const thrift::SessionSpec& spec);
std::string wrong_pattern(const std::string& pattern);

}  // namespace blkin::control
