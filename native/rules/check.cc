// native/rules/check.cc: see check.hpp.
#include "check.hpp"

#include <algorithm>
#include <cctype>

#include "../ring/read.hpp"
#include "../thrift/address.hpp"
#include "../thrift/visible.hpp"

namespace blkin::control {

using thrift::quoted;

namespace {

constexpr size_t kPatternMax = 256;
constexpr size_t kExcludeMax = 64;
constexpr size_t kFilterTextMax = 4096;
constexpr size_t kTargetMax = 255;
constexpr size_t kTokenMax = 1024;
constexpr size_t kNameMax = 64;
constexpr size_t kSocketPathMax = 107;  // sockaddr_un's, less the NUL
constexpr int32_t kSampleMax = 1'000'000'000;
constexpr const char* kNotSessions[] = {"alive", "control", "tracepoints"};  // folder.hpp: what else is there

// A letter, a digit or one of _ . -
bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-';
}
bool is_words(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_word);
}
bool is_glob(const std::string& text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_word(c) || c == '*'; });
}

bool is_socket(const std::string& text) {
  const std::string path = text.substr(thrift::kSocketScheme.size());
  return path.size() <= kSocketPathMax && path.starts_with('/') &&
         std::none_of(path.begin(), path.end(), [](unsigned char c) { return std::iscntrl(c) != 0; });
}

bool is_address(const std::string& text) {
  if (text.starts_with(thrift::kSocketScheme)) return is_socket(text);
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0 || text.size() > 300) return false;
  const std::string port = text.substr(colon + 1);
  return !port.empty() && port.size() <= 5 && std::all_of(port.begin(), port.end(), ::isdigit) &&
         std::stoi(port) <= 65535;
}

}  // namespace

std::string wrong_pattern(const std::string& pattern) {
  const size_t colon = pattern.find(':');
  const bool good = pattern.size() <= kPatternMax && colon != std::string::npos &&
                    is_glob(pattern.substr(0, colon)) && is_glob(pattern.substr(colon + 1));
  return good ? "" : "pattern " + quoted(pattern) + ": expected provider:event, such as \"blockstore:*\"";
}

std::string wrong_rule(const thrift::Rule& rule) {
  if (std::string wrong = wrong_pattern(rule.pattern); !wrong.empty()) return wrong;
  if (rule.exclude.size() > kExcludeMax)
    return std::to_string(rule.exclude.size()) + " exclusions: expected at most " +
           std::to_string(kExcludeMax);
  for (const std::string& pattern : rule.exclude)
    if (std::string wrong = wrong_pattern(pattern); !wrong.empty()) return wrong;
  if (rule.level < 0 || rule.level > 14)
    return "level " + std::to_string(rule.level) + ": expected 0 (emerg) to 14 (debug)";
  const auto [keep, of] = rule.sample;
  if (of < 1 || of > kSampleMax || keep < 1 || keep > of)
    return "sample " + std::to_string(keep) + "/" + std::to_string(of) + ": expected 1/1 to 1/" +
           std::to_string(kSampleMax);
  if (rule.filter && (rule.filter->empty() || rule.filter->size() > kFilterTextMax))
    return "filter of " + std::to_string(rule.filter->size()) + " bytes: expected 1 to " +
           std::to_string(kFilterTextMax);
  if (rule.target.size() > kTargetMax)
    return "target of " + std::to_string(rule.target.size()) + " bytes: expected at most " +
           std::to_string(kTargetMax);
  return "";
}

std::string wrong_session(const thrift::SessionSpec& spec) {
  if (!is_words(spec.name) || spec.name.size() > kNameMax || spec.name.front() == '.')
    return "session " + quoted(spec.name) + ": expected 1 to 64 letters, digits and _ . -, no dot first";
  for (const char* taken : kNotSessions)
    if (spec.name == taken)
      return "session " + quoted(spec.name) + ": expected a name other than alive, control, tracepoints";
  if (spec.sends && !is_address(spec.relay))
    return "relay " + quoted(spec.relay) + ": expected HOST:PORT or unix:PATH";
  if (spec.token.size() > kTokenMax)
    return "token of " + std::to_string(spec.token.size()) + " bytes: expected at most " +
           std::to_string(kTokenMax);
  if (spec.ack != thrift::Ack::kWritten && spec.ack != thrift::Ack::kSynced)
    return "ack " + std::to_string(static_cast<int32_t>(spec.ack)) + ": expected WRITTEN (1) or SYNCED (2)";
  const auto& [sub_buffer_bytes, sub_buffers, mode, block_ms] = spec.channel;
  const bool positive = sub_buffer_bytes > 0 && sub_buffers > 0 && sub_buffers <= 64;
  const auto bytes = static_cast<uint64_t>(sub_buffer_bytes);
  if (!positive || !ring::valid_geometry({bytes, bytes * static_cast<uint64_t>(sub_buffers)}))
    return "channel: " + std::to_string(sub_buffers) + " sub-buffers of " + std::to_string(sub_buffer_bytes) +
           " bytes: expected powers of two, 1 to 64 of 8192 to 1073741824";
  switch (mode) {
    case thrift::Mode::kDiscard:
      break;
    case thrift::Mode::kOverwrite:
      if (sub_buffers < 2) return "channel: overwrite with 1 sub-buffer: expected 2 at least";
      break;
    case thrift::Mode::kBlock:
      if (block_ms < 1 || block_ms > 1000)
        return "channel: block for " + std::to_string(block_ms) + " ms: expected 1 to 1000";
      break;
    default:
      return "channel: mode " + std::to_string(static_cast<int32_t>(mode)) +
             ": expected DISCARD (1), OVERWRITE (2) or BLOCK (3)";
  }
  return "";
}

}  // namespace blkin::control
