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

constexpr size_t kFileMax = 64 << 20;  // of `hello` and `tracepoints`: far above what 16384 tracepoints take
constexpr const char* kSession = "/default";
constexpr const char* kChannel = "/default/events";

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

bool read_file(const std::string& path, std::vector<uint8_t>& out) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return false;
  struct stat status {};
  const bool fits =
      fstat(fd, &status) == 0 && status.st_size >= 0 && static_cast<size_t>(status.st_size) <= kFileMax;
  if (fits) out.resize(static_cast<size_t>(status.st_size));
  size_t have = 0;
  while (fits && have < out.size()) {
    const ssize_t got = read(fd, out.data() + have, out.size() - have);
    if (got <= 0) break;
    have += static_cast<size_t>(got);
  }
  close(fd);
  out.resize(have);
  return fits;
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
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  write_all(fd, bytes);
  close(fd);
  return true;
}

}  // namespace

Folder::~Folder() { let_go(); }

void Folder::let_go() {
  if (state_fd_ >= 0 && state_ != nullptr) munmap(state_, sizeof(State));
  state_ = nullptr;
  for (int* fd : {&rings_fd_, &state_fd_, &tracepoints_fd_}) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
  }
}

void Folder::create(const thrift::Hello& hello, const std::string& relay, bool tsc, clock::Sample first,
                    uint64_t ring_bytes) {
  hello_ = hello;
  relay_ = relay;
  for (const std::string& base : bases()) {
    if (create_at(base, ring_bytes)) break;
  }
  if (state_ == nullptr) {
    static State in_memory;
    state_ = &in_memory;
  }
  state_->version = 1;
  state_->tsc = tsc ? 1 : 0;
  state_->first = first;
  state_->later[0] = state_->later[1] = first;
  std::atomic_thread_fence(std::memory_order_release);
  state_->magic = kStateMagic;
}

bool Folder::create_at(const std::string& base, uint64_t ring_bytes) {
  struct statvfs space {};
  if (statvfs(base.c_str(), &space) != 0) return error_ = base + ": " + strerror(errno), false;
  if (space.f_bavail * space.f_frsize < 2 * ring_bytes)
    return error_ = base + ": no room for two rings", false;
  const std::string user = user_folder(base);
  if (!make_folder(user)) return error_ = user + ": " + strerror(errno), false;
  if (!is_ours(user)) return error_ = user + ": not a folder of this user alone", false;
  const std::string name = user + "/" + std::to_string(getpid()) + "-" + start_ticks();
  path_ = name;
  for (int copy = 2; mkdir(path_.c_str(), 0700) != 0;
       ++copy) {  // taken: a second copy of the addon in this process
    if (errno != EEXIST || copy > 16) return error_ = path_ + ": " + strerror(errno), path_.clear(), false;
    path_ = name + "-" + std::to_string(copy);
  }
  make_folder(path_ + kSession);
  make_folder(path_ + kChannel);
  rings_fd_ = open((path_ + kChannel).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  tracepoints_fd_ = open((path_ + "/tracepoints").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  thrift::Hello public_part = hello_;
  public_part.token.clear();  // the secret stays in memory
  std::vector<uint8_t> hello;
  thrift::Writer writer(hello);
  thrift::write_hello(writer, public_part);
  const bool written = write_file(path_ + "/hello", hello) &&
                       write_file(path_ + "/relay", std::vector<uint8_t>(relay_.begin(), relay_.end()));
  if (rings_fd_ >= 0 && tracepoints_fd_ >= 0 && written && map_state(O_CREAT)) return true;
  error_ = path_ + ": " + strerror(errno);
  remove();
  let_go();  // the next base begins from nothing, and so does having no folder at all
  path_.clear();
  return false;
}

bool Folder::map_state(int flags) {
  state_fd_ = open((path_ + "/state").c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
  // Whoever looks for the dead may hold a lock that is ours for a moment: until it sees that nothing is in there yet.
  if (state_fd_ < 0 || flock(state_fd_, (flags & O_CREAT) != 0 ? LOCK_EX : LOCK_EX | LOCK_NB) != 0)
    return false;
  struct stat status {};
  if ((flags & O_CREAT) != 0 && posix_fallocate(state_fd_, 0, sizeof(State)) != 0) return false;
  if (fstat(state_fd_, &status) != 0 || status.st_size < static_cast<off_t>(sizeof(State))) return false;
  void* page = mmap(nullptr, sizeof(State), PROT_READ | PROT_WRITE, MAP_SHARED, state_fd_, 0);
  if (page == MAP_FAILED) return false;
  state_ = static_cast<State*>(page);
  return true;
}

bool Folder::open_dead(const std::string& path) {
  path_ = path;
  if (!is_ours(path_) || !map_state(0)) return false;
  std::vector<uint8_t> bytes;
  if (state_->magic != kStateMagic || state_->version != 1 || !read_file(path_ + "/hello", bytes))
    return false;
  thrift::Reader hello(bytes.data(), bytes.size());
  hello_ = thrift::read_hello(hello);
  if (!hello.ok() || hello_.boot_id != clock::boot_id()) return false;
  read_file(path_ + "/relay", bytes);
  relay_.assign(bytes.begin(), bytes.end());
  read_file(path_ + "/tracepoints", bytes);
  thrift::Reader reader(bytes.data(), bytes.size());
  for (;;) {
    thrift::Tracepoint tracepoint = thrift::read_tracepoint(reader);
    if (!reader.ok() || tracepoint.id != static_cast<int32_t>(tracepoints_.size())) break;
    tracepoints_.push_back(std::move(tracepoint));
  }
  rings_fd_ = open((path_ + kChannel).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return rings_fd_ >= 0;
}

void Folder::add_tracepoints(const std::vector<thrift::Tracepoint>& tracepoints) {
  if (tracepoints_fd_ < 0) return;
  std::vector<uint8_t> bytes;
  thrift::Writer writer(bytes);
  for (const thrift::Tracepoint& tracepoint : tracepoints) thrift::write_tracepoint(writer, tracepoint);
  write_all(tracepoints_fd_, bytes);
}

void Folder::remove() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::vector<std::string> process_folders() {
  std::vector<std::string> found;
  for (const std::string& base : bases()) {
    const std::string user = user_folder(base);
    if (!is_ours(user)) continue;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(user, error))
      found.push_back(entry.path().string());
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
    const int fd = open((path + "/state").c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    struct stat status {};
    // A folder without a state may be one that is being made at this moment; after a minute it is not.
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
