// native/folder/directory.hpp: a folder by its descriptor, and what is in it. For folders that others made: of dead
// processes, and, where this one is root's, of other users. Nothing is ever reached by a path that somebody could change
// meanwhile: each step is one name below a descriptor, no link is followed, nothing that would have to be waited for (a
// FIFO) is waited for, and what does not belong to the folder's owner is not touched.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace blkin::control {

// A file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset();

 private:
  int fd_ = -1;
};

class Directory {
 public:
  Directory() = default;
  // The folder itself may be anybody's; a path that ends in a link is none.
  explicit Directory(const std::string& path);

  explicit operator bool() const { return static_cast<bool>(fd_); }
  int fd() const { return fd_.get(); }
  uid_t owner() const { return owner_; }
  const std::string& path() const { return path_; }  // to be shown; never opened again
  // Nobody but the owner may look into it.
  bool is_private() const { return private_; }
  int64_t modified() const { return modified_; }  // seconds since the epoch

  // A folder in it, private and of the same owner; else one that is false.
  Directory folder(const std::string& name) const;
  // The names in it, at most kNamesMax.
  std::vector<std::string> names() const;
  // A regular file in it, of the same owner; else false.
  Descriptor file(const std::string& name, int flags) const;
  // The whole of a small file; empty where there is none, or it is larger than `most`.
  std::vector<uint8_t> read(const std::string& name, size_t most) const;
  // What its files take on the disk, and those of folders in it.
  uint64_t bytes(int depth = kDepthMax) const;
  // Removes what has this name, with all that is in it as far as that is the owner's. False: something is left.
  bool remove(const std::string& name, int depth = kDepthMax) const;

  static constexpr size_t kNamesMax = 1 << 17;  // above what 65536 rings by CPU and 256 leased ones take
  static constexpr int kDepthMax = 4;           // PROCESS/SESSION/CHANNEL/RING

 private:
  Directory(int parent, const std::string& name, std::string path);

  Descriptor fd_;
  std::string path_;
  uid_t owner_ = 0;
  bool private_ = false;
  int64_t modified_ = 0;
};

}  // namespace blkin::control
