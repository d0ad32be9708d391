// native/control/folder.cc: see folder.hpp.
#include "folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace blkin::control {

namespace {

constexpr size_t kFileMax = 64 << 20;  // far above what 16384 tracepoints take
constexpr const char* kChannel = "/events";

std::vector<std::string> bases() {
  std::vector<std::string> found{"/dev/shm"};
  const char* tmp = std::getenv("TMPDIR");
  found.emplace_back(tmp != nullptr && tmp[0] == '/' ? tmp : "/tmp");
  return found;
}

std::string user_folder(const std::string& base) { return base + "/blkin-" + std::to_string(geteuid()); }

// Somebody else may have made the name first, in a folder where everyone may write.
bool is_ours(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
         (status.st_mode & 0077) == 0;
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

void write_all(int fd, const std::vector<uint8_t>& bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t wrote = write(fd, bytes.data() + done, bytes.size() - done);
    if (wrote <= 0) return;  // recovery reads the whole structs before it
    done += static_cast<size_t>(wrote);
  }
}

bool write_file(const std::string& path, const std::vector<uint8_t>& bytes) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  write_all(fd, bytes);
  close(fd);
  return true;
}

}  // namespace

std::vector<uint8_t> read_small_file(const std::string& path) {
  std::vector<uint8_t> out;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return out;
  struct stat status {};
  const bool fits =
      fstat(fd, &status) == 0 && status.st_size >= 0 && static_cast<size_t>(status.st_size) <= kFileMax;
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
  timespec since_boot{};
  clock_gettime(CLOCK_BOOTTIME, &since_boot);
  const int64_t up = since_boot.tv_sec * 1'000'000'000 + since_boot.tv_nsec;
  const int64_t begun = std::atoll(start_ticks().c_str()) * (1'000'000'000 / sysconf(_SC_CLK_TCK));
  return static_cast<int64_t>(clock::monotonic_ns()) + clock::realtime_offset_ns() - (up - begun);
}

ProcessFolder::~ProcessFolder() { let_go(); }

void ProcessFolder::let_go() {
  for (int* fd : {&lock_fd_, &tracepoints_fd_}) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
  }
}

void ProcessFolder::create(uint64_t room) {
  for (const std::string& base : bases())
    if (create_at(base, room)) return;
}

bool ProcessFolder::create_at(const std::string& base, uint64_t room) {
  struct statvfs space {};
  if (statvfs(base.c_str(), &space) != 0) return error_ = base + ": " + strerror(errno), false;
  if (space.f_bavail * space.f_frsize < room) return error_ = base + ": no room for two rings", false;
  const std::string user = user_folder(base);
  if (!make_folder(user)) return error_ = user + ": " + strerror(errno), false;
  if (!is_ours(user)) return error_ = user + ": not a folder of this user alone", false;
  const std::string name = user + "/" + std::to_string(getpid()) + "-" + start_ticks();
  path_ = name;
  // Taken: a second copy of the addon in this process.
  for (int copy = 2; mkdir(path_.c_str(), 0700) != 0; ++copy) {
    if (errno != EEXIST || copy > 16) return error_ = path_ + ": " + strerror(errno), path_.clear(), false;
    path_ = name + "-" + std::to_string(copy);
  }
  tracepoints_fd_ = open((path_ + "/tracepoints").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (tracepoints_fd_ >= 0 && lock(O_CREAT)) return user_ = user, true;
  error_ = path_ + ": " + strerror(errno);
  remove();
  let_go();  // the next base begins from nothing, and so does having no folder at all
  path_.clear();
  return false;
}

bool ProcessFolder::lock(int flags) {
  lock_fd_ = ::open((path_ + "/alive").c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
  // Whoever looks for the dead may hold a lock that is ours for a moment: until it sees that nothing is in there yet.
  return lock_fd_ >= 0 && flock(lock_fd_, (flags & O_CREAT) != 0 ? LOCK_EX : LOCK_EX | LOCK_NB) == 0;
}

bool ProcessFolder::open_dead(const std::string& path) {
  path_ = path;
  if (!is_ours(path_) || !lock(0)) return false;
  const std::vector<uint8_t> bytes = read_small_file(path_ + "/tracepoints");
  thrift::Reader reader(bytes.data(), bytes.size());
  for (;;) {
    thrift::Tracepoint tracepoint = thrift::read_tracepoint(reader);
    if (!reader.ok() || tracepoint.id != static_cast<int32_t>(tracepoints_.size())) break;
    tracepoints_.push_back(std::move(tracepoint));
  }
  return true;
}

void ProcessFolder::add_tracepoints(const std::vector<thrift::Tracepoint>& tracepoints) {
  if (tracepoints_fd_ < 0) return;
  std::vector<uint8_t> bytes;
  thrift::Writer writer(bytes);
  for (const thrift::Tracepoint& tracepoint : tracepoints) thrift::write_tracepoint(writer, tracepoint);
  write_all(tracepoints_fd_, bytes);
}

void ProcessFolder::remove() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::vector<std::string> ProcessFolder::sessions() const {
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path_, error))
    if (entry.is_directory(error)) found.push_back(entry.path().string());
  return found;
}

void SessionFolder::let_go() {
  if (state_ != nullptr && state_ != &in_memory_) munmap(state_, sizeof(State));
  state_ = nullptr;
  if (rings_fd_ >= 0) close(rings_fd_);
  rings_fd_ = -1;
}

void SessionFolder::create(const ProcessFolder& process, const thrift::Hello& hello, const std::string& relay,
                           bool tsc, clock::Sample first) {
  hello_ = hello;
  relay_ = relay;
  if (process.path().empty()) error_ = process.error();
  else create_in(process, hello.session.empty() ? "default" : hello.session);
  if (state_ == nullptr) state_ = &in_memory_;
  state_->version = 1;
  state_->tsc = tsc ? 1 : 0;
  state_->first = first;
  state_->later[0] = state_->later[1] = first;
  std::atomic_thread_fence(std::memory_order_release);
  state_->magic = kStateMagic;
}

bool SessionFolder::create_in(const ProcessFolder& process, const std::string& name) {
  path_ = process.path() + "/" + name;
  for (int copy = 2; mkdir(path_.c_str(), 0700) != 0; ++copy) {
    if (errno != EEXIST || copy > 64) return error_ = path_ + ": " + strerror(errno), path_.clear(), false;
    path_ = process.path() + "/" + name + "~" + std::to_string(copy);
  }
  make_folder(path_ + kChannel);
  rings_fd_ = open((path_ + kChannel).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  set_relay(hello_, relay_);
  if (rings_fd_ >= 0 && map_state(O_CREAT)) return true;
  error_ = path_ + ": " + strerror(errno);
  remove();
  let_go();
  path_.clear();
  return false;
}

void SessionFolder::set_relay(const thrift::Hello& hello, const std::string& relay) {
  hello_ = hello;
  relay_ = relay;
  if (path_.empty()) return;
  thrift::Hello public_part = hello;
  public_part.token.clear();  // the secret stays in memory
  std::vector<uint8_t> bytes;
  thrift::Writer writer(bytes);
  thrift::write_hello(writer, public_part);
  write_file(path_ + "/hello", bytes);
  write_file(path_ + "/relay", std::vector<uint8_t>(relay.begin(), relay.end()));
}

bool SessionFolder::map_state(int flags) {
  const int fd = ::open((path_ + "/state").c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
  if (fd < 0) return false;
  struct stat status {};
  const bool there = ((flags & O_CREAT) == 0 || posix_fallocate(fd, 0, sizeof(State)) == 0) &&
                     fstat(fd, &status) == 0 && status.st_size >= static_cast<off_t>(sizeof(State));
  void* page = there ? mmap(nullptr, sizeof(State), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
  close(fd);
  if (page == MAP_FAILED) return false;
  state_ = static_cast<State*>(page);
  return true;
}

bool SessionFolder::open_dead(const std::string& path) {
  path_ = path;
  if (!is_ours(path_) || !map_state(0)) return false;
  const std::vector<uint8_t> bytes = read_small_file(path_ + "/hello");
  if (state_->magic != kStateMagic || state_->version != 1 || bytes.empty()) return false;
  thrift::Reader hello(bytes.data(), bytes.size());
  hello_ = thrift::read_hello(hello);
  if (!hello.ok() || hello_.boot_id != clock::boot_id()) return false;
  const std::vector<uint8_t> relay = read_small_file(path_ + "/relay");
  relay_.assign(relay.begin(), relay.end());
  rings_fd_ = open((path_ + kChannel).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return rings_fd_ >= 0;
}

void SessionFolder::remove() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::vector<std::string> user_folders() {
  std::vector<std::string> found;
  for (const std::string& base : bases()) {
    std::string user = user_folder(base);
    if (is_ours(user)) found.push_back(std::move(user));
  }
  return found;
}

std::vector<std::string> process_folders() {
  std::vector<std::string> found;
  for (const std::string& user : user_folders()) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(user, error))
      if (entry.is_directory(error)) found.push_back(entry.path().string());
  }
  return found;
}

void sweep_dead(size_t keep) {
  struct Dead {
    std::string path;
    time_t changed;
  };
  std::vector<Dead> dead;
  for (const std::string& path : process_folders()) {
    const int fd = open((path + "/alive").c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    struct stat status {};
    // A folder without a lock may be one that is being made at this moment; after a minute it is not.
    const bool locked = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0;
    if (!locked && lstat(path.c_str(), &status) == 0 && (fd >= 0 || status.st_mtime + 60 < time(nullptr)))
      dead.push_back({path, status.st_mtime});
    if (fd >= 0) close(fd);
  }
  std::sort(dead.begin(), dead.end(), [](const Dead& a, const Dead& b) { return a.changed > b.changed; });
  for (size_t i = keep; i < dead.size(); ++i) {
    std::error_code ignored;
    std::filesystem::remove_all(dead[i].path, ignored);
  }
}

}  // namespace blkin::control
