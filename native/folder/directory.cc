// native/folder/directory.cc: see directory.hpp.
#include "directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace blkin::control {

void Descriptor::reset() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

Directory::Directory(const std::string& path) : Directory(AT_FDCWD, path, path) {}

Directory::Directory(int parent, const std::string& name, std::string path)
    : fd_(openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)),
      path_(std::move(path)) {
  struct stat status {};
  if (!fd_ || fstat(fd_.get(), &status) != 0) {
    fd_.reset();
    return;
  }
  owner_ = status.st_uid;
  private_ = (status.st_mode & 0077) == 0;
  modified_ = status.st_mtime;
}

Directory Directory::folder(const std::string& name) const {
  Directory found(fd(), name, path_ + "/" + name);
  return found && found.owner_ == owner_ && found.private_ ? std::move(found) : Directory();
}

std::vector<std::string> Directory::names() const {
  std::vector<std::string> found;
  // A descriptor of its own: one that is shared shares the place up to which it was read.
  const int again = openat(fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const listing = again < 0 ? nullptr : fdopendir(again);
  if (listing == nullptr) {
    if (again >= 0) close(again);
    return found;
  }
  while (found.size() < kNamesMax) {
    const dirent* const entry = readdir(listing);
    if (entry == nullptr) break;
    std::string name = entry->d_name;
    if (name != "." && name != "..") found.push_back(std::move(name));
  }
  closedir(listing);
  return found;
}

Descriptor Directory::file(const std::string& name, int flags) const {
  Descriptor found(openat(fd(), name.c_str(), flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600));
  struct stat status {};
  const bool good =
      found && fstat(found.get(), &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == owner_;
  return good ? std::move(found) : Descriptor();
}

std::vector<uint8_t> Directory::read(const std::string& name, size_t most) const {
  std::vector<uint8_t> out;
  const Descriptor opened = file(name, O_RDONLY);
  struct stat status {};
  if (!opened || fstat(opened.get(), &status) != 0 || static_cast<uint64_t>(status.st_size) > most)
    return out;
  out.resize(static_cast<size_t>(status.st_size));
  size_t have = 0;
  while (have < out.size()) {
    const ssize_t got = ::read(opened.get(), out.data() + have, out.size() - have);
    if (got <= 0) break;
    have += static_cast<size_t>(got);
  }
  out.resize(have);
  return out;
}

uint64_t Directory::bytes(int depth) const {
  uint64_t sum = 0;
  for (const std::string& name : names()) {
    struct stat status {};
    if (fstatat(fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    sum += static_cast<uint64_t>(status.st_blocks) * 512;
    if (!S_ISDIR(status.st_mode) || depth == 0) continue;
    if (const Directory below = folder(name)) sum += below.bytes(depth - 1);
  }
  return sum;
}

bool Directory::remove(const std::string& name, int depth) const {
  if (unlinkat(fd(), name.c_str(), 0) == 0) return true;
  const Directory below(fd(), name, path_ + "/" + name);
  if (!below || below.owner_ != owner_ || depth == 0) return false;
  for (const std::string& one : below.names()) below.remove(one, depth - 1);
  return unlinkat(fd(), name.c_str(), AT_REMOVEDIR) == 0;
}

}  // namespace blkin::control
