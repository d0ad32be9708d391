// native/folder/removed.cc: see removed.hpp.
#include "removed.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace blkin::control {

namespace {

constexpr const char* kName = "removed";
constexpr const char* kTaken = "removed.taken";
constexpr size_t kBytesMax = 8 << 20;

}  // namespace

void add_removed(const Directory& user, uint64_t records) {
  const Descriptor file = user.file(kName, O_WRONLY | O_CREAT | O_APPEND);
  if (file) [[maybe_unused]]
    const ssize_t written = write(file.get(), &records, sizeof records);
}

Removed take_removed(const Directory& user) {
  Removed sum;
  // Renamed first, so that what is added meanwhile is in the next file.
  if (renameat(user.fd(), kName, user.fd(), kTaken) != 0) return sum;
  const std::vector<uint8_t> bytes = user.read(kTaken, kBytesMax);
  user.remove(kTaken);
  for (size_t at = 0; at + sizeof(uint64_t) <= bytes.size(); at += sizeof(uint64_t)) {
    uint64_t records = 0;
    std::memcpy(&records, &bytes[at], sizeof records);
    ++sum.sessions;
    sum.records += records;
  }
  return sum;
}

}  // namespace blkin::control
