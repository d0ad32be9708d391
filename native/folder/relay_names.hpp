// native/folder/relay_names.hpp: whether the relay that a session was told of is the one at an address. The same relay has many
// names: localhost:4650, [::1]:4650 and 127.0.0.1:4650 all reach one that listens on [::]:4650.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace blkin::control {

class RelayNames {
 public:
  // `listens`: HOST:PORT where the relay is bound, as it says itself; an address, or 0.0.0.0 or [::] for all of this host.
  explicit RelayNames(std::string listens);

  // Whether `name` reaches it from this host. A name that is no address is looked up, for at most half a second, and once.
  bool reached_by(const std::string& name);

 private:
  using Addresses = std::vector<std::string>;  // as bytes, 4 or 16 of them

  bool is_bound_to(const std::string& address) const;
  static Addresses look_up(const std::string& host);
  static Addresses of_this_host();

  std::string listens_;
  std::string port_;
  Addresses bound_;
  bool everywhere_ = false;
  bool only_v4_ = false;
  Addresses local_;  // where it is bound everywhere
  std::map<std::string, bool> known_;
};

}  // namespace blkin::control
