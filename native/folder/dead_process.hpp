// native/folder/dead_process.hpp: what a dead process left in its folder (folder.hpp draws it), read as input from outside:
// it may be damaged, and where this process is root's it may be another user's. Held by recovery and by the sweep; who
// holds a DeadProcess is the only one, on this machine, that recovers or removes it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "../consumer/supply.hpp"
#include "../ring/summary.hpp"
#include "directory.hpp"
#include "folder.hpp"

namespace blkin::control {

// Bytes of other users' rings that may be copied.
struct CopyRoom {
  uint64_t bytes;
  bool is_exceeded = false;  // one was larger than what was left, and was not opened

  bool take(uint64_t wanted) {
    is_exceeded = is_exceeded || wanted > bytes;
    if (!is_exceeded) bytes -= wanted;
    return !is_exceeded;
  }
};

// A ring as its file holds it, or the summary that stands in its place once it was given up.
class DeadRing {
 public:
  // Null: neither, or not of this name. A ring of this user's is mapped. Another user could shorten it meanwhile, and to
  // touch what is gone ends a process: so what it holds is copied, where there is room.
  static std::unique_ptr<DeadRing> open(const Directory& folder, Channel channel, const std::string& name,
                                        CopyRoom& room);
  ~DeadRing();
  DeadRing(const DeadRing&) = delete;
  DeadRing& operator=(const DeadRing&) = delete;

  consumer::Source source() const { return {ring_, geometry_, is_summary_ ? &summary_ : nullptr}; }
  bool is_summary() const { return is_summary_; }
  // What it holds, or held when it was given up.
  uint64_t records() const {
    return (is_summary_ ? summary_ : ring::Summary::of(ring_, geometry_)).records();
  }
  // Every record and every loss is with the relay, as far as one can tell without it.
  bool is_delivered() const;

 private:
  DeadRing() = default;
  bool open_ring(const Directory& folder, const std::string& name, CopyRoom& room);
  bool copy(int fd, CopyRoom& room);
  bool open_summary(const Directory& folder, const std::string& name, CopyRoom& room);
  bool allocate(uint64_t bytes);

  ring::Header* ring_ = nullptr;
  ring::Geometry geometry_{};
  uint64_t bytes_ = 0;  // mapped
  bool is_summary_ = false;
  ring::Summary summary_;
};

class DeadSession {
 public:
  // Null: not of this version.
  static std::unique_ptr<DeadSession> open(const Directory& process, const std::string& name);

  const thrift::Hello& hello() const { return hello_; }
  const std::string& relay() const { return relay_; }  // HOST:PORT; empty where it sent to none
  State& state() { return *state_; }
  const Directory& folder() const { return folder_; }
  const Directory& channel(Channel channel) const { return channels_[static_cast<size_t>(channel)]; }

  // Times are of the boot in which they were taken.
  bool is_of_this_boot() const { return hello_.boot_id == clock::boot_id(); }
  bool is_delivered();

 private:
  Directory folder_;
  std::array<Directory, kChannels.size()> channels_;
  thrift::Hello hello_{};
  std::string relay_;
  std::unique_ptr<State> state_ = std::make_unique<State>();
};

class DeadProcess {
 public:
  // Null: it lives, or somebody else holds it, or it is not what a process makes.
  static std::unique_ptr<DeadProcess> open(const Directory& user, const std::string& name);

  const Directory& folder() const { return folder_; }
  std::vector<std::string> sessions() const;  // names of folders
  // What it declared.
  std::vector<thrift::Tracepoint> tracepoints() const;

 private:
  Directory folder_;
  Descriptor lock_;
};

// Users' folders: of this process's user, or of all where that is root.
std::vector<Directory> dead_users();

}  // namespace blkin::control
