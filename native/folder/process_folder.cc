// native/folder/process_folder.cc: a process's folder. See folder.hpp.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "../points.hpp"
#include "../thrift/fork.hpp"
#include "folder.hpp"

namespace blkin::control {

ProcessFolder::~ProcessFolder() { let_go(); }

void ProcessFolder::let_go() {
  for (int* fd : {&lock_fd_, &tracepoints_fd_}) {
    thrift::keep_in_child(*fd);
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
  BLKIN_POINT("process-folder-made");
  tracepoints_fd_ = open((path_ + "/tracepoints").c_str(),
                         O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_APPEND | O_CLOEXEC, 0600);
  BLKIN_POINT("tracepoints-file-made");
  if (tracepoints_fd_ >= 0 && lock()) return user_ = user, true;
  error_ = path_ + ": " + strerror(errno);
  remove();
  let_go();  // the next base begins from nothing, and so does having no folder at all
  path_.clear();
  return false;
}

// Locked before it has its name, so that nobody who looks for the dead ever finds it without the lock.
bool ProcessFolder::lock() {
  const std::string name = path_ + "/alive", before = name + ".new";
  lock_fd_ = open(before.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  thrift::close_in_child(lock_fd_);
  BLKIN_POINT("lock-file-made");
  return lock_fd_ >= 0 && flock(lock_fd_, LOCK_EX | LOCK_NB) == 0 &&
         rename(before.c_str(), name.c_str()) == 0;
}

bool ProcessFolder::add_tracepoints(const std::vector<thrift::Tracepoint>& tracepoints) {
  if (tracepoints_fd_ < 0) return false;
  std::vector<uint8_t> bytes;
  thrift::Writer writer(bytes);
  for (const thrift::Tracepoint& tracepoint : tracepoints) thrift::write_tracepoint(writer, tracepoint);
  const off_t end = lseek(tracepoints_fd_, 0, SEEK_END);
  const bool whole = write_all(tracepoints_fd_, bytes);
  BLKIN_POINT("tracepoints-written");
  if (whole) return true;
  // Half a tracepoint would hide all that come behind it.
  [[maybe_unused]] const int cut = ftruncate(tracepoints_fd_, end);
  return false;
}

void ProcessFolder::remove() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace blkin::control
