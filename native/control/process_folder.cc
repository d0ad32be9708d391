// native/control/process_folder.cc: a process's folder, and which of them are dead. See folder.hpp.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "folder.hpp"

namespace blkin::control {

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
  if (!keeps_names(base)) return error_ = base + ": others may rename what is in it", false;
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
  tracepoints_fd_ = open((path_ + "/tracepoints").c_str(),
                         O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_APPEND | O_CLOEXEC, 0600);
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

bool ProcessFolder::add_tracepoints(const std::vector<thrift::Tracepoint>& tracepoints) {
  if (tracepoints_fd_ < 0) return false;
  std::vector<uint8_t> bytes;
  thrift::Writer writer(bytes);
  for (const thrift::Tracepoint& tracepoint : tracepoints) thrift::write_tracepoint(writer, tracepoint);
  const off_t end = lseek(tracepoints_fd_, 0, SEEK_END);
  if (write_all(tracepoints_fd_, bytes)) return true;
  // Half a tracepoint would hide all that come behind it.
  [[maybe_unused]] const int cut = ftruncate(tracepoints_fd_, end);
  return false;
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
