// native/folder/paths.cc: see paths.hpp.
#include "paths.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "../clock/clock.hpp"
#include "../ring/signals.hpp"

namespace blkin::control {

namespace {

// The host's root, as it looks in a user namespace that does not have it.
constexpr uid_t kOverflowUid = 65534;
constexpr size_t kFileMax = 64 << 20;  // far above what 16384 tracepoints take

}  // namespace

std::vector<std::string> bases() {
  std::vector<std::string> found{"/dev/shm"};
  const char* tmp = std::getenv("TMPDIR");
  found.emplace_back(tmp != nullptr && tmp[0] == '/' ? tmp : "/tmp");
  return found;
}

std::string user_folder(const std::string& base) { return base + "/blkin-" + std::to_string(geteuid()); }

bool is_ours(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
         (status.st_mode & 0077) == 0;
}

// Whoever may rename in a folder may put another in the place of one that was looked at. In one with the sticky bit only
// the owner may, of it or of what is renamed.
bool keeps_names(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return false;
  const bool trusted_owner =
      status.st_uid == 0 || status.st_uid == kOverflowUid || status.st_uid == geteuid();
  return trusted_owner && ((status.st_mode & 0022) == 0 || (status.st_mode & S_ISVTX) != 0);
}

bool make_folder(const std::string& path) { return mkdir(path.c_str(), 0700) == 0 || errno == EEXIST; }

// The 22nd word of /proc/self/stat, counted behind the command's closing parenthesis.
std::string start_ticks() {
  char text[1024] = {};
  const int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return "0";
  const ssize_t got = read(fd, text, sizeof text - 1);
  close(fd);
  const char* at = got > 0 ? std::strrchr(text, ')') : nullptr;
  for (int word = 2; at != nullptr && word < 22; ++word) at = std::strchr(at + 1, ' ');
  return at == nullptr ? "0" : std::string(at + 1, std::strspn(at + 1, "0123456789"));
}

bool write_all(int fd, const std::vector<uint8_t>& bytes) {
  const ring::SignalsBlocked blocked;
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t wrote = write(fd, bytes.data() + done, bytes.size() - done);
    if (wrote <= 0) return false;
    done += static_cast<size_t>(wrote);
  }
  return true;
}

bool write_file(const std::string& path, const std::vector<uint8_t>& bytes) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  const bool written = write_all(fd, bytes);
  close(fd);
  return written;
}

std::vector<uint8_t> read_small_file(const std::string& path) {
  std::vector<uint8_t> out;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return out;
  struct stat status {};
  const bool fits =
      fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && static_cast<size_t>(status.st_size) <= kFileMax;
  if (fits) out.resize(static_cast<size_t>(status.st_size));
  size_t have = 0;
  while (have < out.size()) {
    const ssize_t got = read(fd, out.data() + have, out.size() - have);
    if (got <= 0) break;
    have += static_cast<size_t>(got);
  }
  close(fd);
  out.resize(have);
  return out;
}

int64_t process_start_ns() {
  static const int64_t start = [] {  // once: each measurement would come out a little different
    timespec since_boot{};
    clock_gettime(CLOCK_BOOTTIME, &since_boot);
    const int64_t up = since_boot.tv_sec * 1'000'000'000 + since_boot.tv_nsec;
    const int64_t begun = std::atoll(start_ticks().c_str()) * (1'000'000'000 / sysconf(_SC_CLK_TCK));
    return static_cast<int64_t>(clock::monotonic_ns()) + clock::realtime_offset_ns() - (up - begun);
  }();
  return start;
}

}  // namespace blkin::control
