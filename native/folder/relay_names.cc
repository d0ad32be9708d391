// native/folder/relay_names.cc: see relay_names.hpp.
#include "relay_names.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

#include "../thrift/address.hpp"

namespace blkin::control {

namespace {

constexpr std::chrono::milliseconds kLookUp{500};

// IPv4 is 4 bytes, also where it came within IPv6.
std::string bytes_of(const sockaddr* address) {
  if (address == nullptr) return {};
  if (address->sa_family == AF_INET)
    return {reinterpret_cast<const char*>(&reinterpret_cast<const sockaddr_in*>(address)->sin_addr), 4};
  if (address->sa_family != AF_INET6) return {};
  const in6_addr& six = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  const auto* all = reinterpret_cast<const char*>(&six);
  return IN6_IS_ADDR_V4MAPPED(&six) ? std::string(all + 12, 4) : std::string(all, 16);
}

std::vector<std::string> resolve(const std::string& host, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  std::vector<std::string> out;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return out;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) out.push_back(bytes_of(one->ai_addr));
  freeaddrinfo(found);
  return out;
}

bool is_loopback(const std::string& address) {
  return address.size() == 4 ? address[0] == 127 : address == std::string(15, '\0') + '\1';
}

bool contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

RelayNames::RelayNames(std::string listens) : listens_(std::move(listens)) {
  const thrift::Address bound = thrift::address_of(listens_);
  if (!bound.path.empty()) return;  // a socket has one name
  port_ = bound.port;
  bound_ = look_up(bound.host);
  only_v4_ = contains(bound_, std::string(4, '\0'));
  everywhere_ = only_v4_ || contains(bound_, std::string(16, '\0'));
  if (everywhere_) local_ = of_this_host();
}

bool RelayNames::reached_by(const std::string& name) {
  if (name == listens_) return true;
  if (name.empty()) return false;
  const auto [known, is_new] = known_.try_emplace(name, false);
  if (!is_new) return known->second;
  const thrift::Address address = thrift::address_of(name);
  if (port_.empty() || address.port != port_) return false;
  const Addresses found = look_up(address.host);
  known->second = std::any_of(found.begin(), found.end(), [&](const auto& one) { return is_bound_to(one); });
  return known->second;
}

bool RelayNames::is_bound_to(const std::string& address) const {
  if (contains(bound_, address)) return true;
  if (!everywhere_ || (only_v4_ && address.size() != 4)) return false;
  const bool is_any = address.find_first_not_of('\0') == std::string::npos;
  return is_loopback(address) || contains(local_, address) || is_any;
}

// The resolver has no bound of its own, so it works in a thread that may be left behind.
RelayNames::Addresses RelayNames::look_up(const std::string& host) {
  if (Addresses found = resolve(host, AI_NUMERICHOST); !found.empty()) return found;
  struct Answer {
    std::mutex mutex;
    std::condition_variable came;
    bool is_there = false;
    Addresses found;
  };
  const auto answer = std::make_shared<Answer>();
  try {
    std::thread([answer, host] {
      Addresses found = resolve(host, 0);
      const std::lock_guard lock(answer->mutex);
      answer->found = std::move(found);
      answer->is_there = true;
      answer->came.notify_all();
    }).detach();
  } catch (const std::system_error&) {  // no thread: the next look tries again
    return {};
  }
  std::unique_lock lock(answer->mutex);
  answer->came.wait_for(lock, kLookUp, [&] { return answer->is_there; });
  return answer->found;
}

RelayNames::Addresses RelayNames::of_this_host() {
  Addresses found;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return found;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next)
    found.push_back(bytes_of(one->ifa_addr));
  freeifaddrs(all);
  return found;
}

}  // namespace blkin::control
