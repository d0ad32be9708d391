// native/thrift/address.hpp: where a relay is reached, and how that is written. Pure.
#pragma once

#include <string>

namespace blkin::thrift {

// How the address of a socket in the file system begins.
inline const std::string kSocketScheme = "unix:";

struct Address {
  std::string host;  // an address or a name
  std::string port;
  std::string path{};  // of a socket in the file system, in place of both

  std::string text() const {
    if (!path.empty()) return kSocketScheme + path;
    return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + port;
  }
};

// HOST:PORT, [HOST]:PORT or unix:PATH, which rules/check.hpp has looked at where it came from outside.
inline Address address_of(const std::string& text) {
  if (text.starts_with(kSocketScheme)) return {"", "", text.substr(kSocketScheme.size())};
  const size_t colon = text.rfind(':');
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return {host, colon == std::string::npos ? "" : text.substr(colon + 1)};
}

}  // namespace blkin::thrift
