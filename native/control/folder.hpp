// native/control/folder.hpp: the folder of one traced process, from which everything it left can be read once it is
// dead: BASE/blkin-UID/PID-START/{state,hello,relay,tracepoints,default/events/N}. BASE is /dev/shm, or TMPDIR where that
// is missing or full. The living process holds a lock on `state`; who gets that lock knows that it is dead, whatever
// pid namespace it lived in.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "../clock/clock.hpp"
#include "../thrift/messages.hpp"

namespace blkin::control {

constexpr uint64_t kStateMagic = 0x31544154534b4c42;  // "BLKSTAT1"

// The page `state`, shared with whoever recovers.
struct State {
  uint64_t magic;
  uint32_t version;
  uint32_t tsc;  // 1: ticks are TSC; 0: nanoseconds
  clock::Sample first;
  clock::Sample
      later[2];  // the newest sample, and the one before: a process may be killed between two words,
  std::atomic<uint32_t> newest;  // so a sample is written whole before this names it
  alignas(64) std::atomic<uint64_t> lost_bad_value;
  std::atomic<uint64_t> lost_no_ring;
};

class Folder {
 public:
  Folder() = default;
  ~Folder();  // gives up the lock
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  // Makes this process's folder. Where it cannot, state() is private memory, rings() is -1, and error() says why.
  void create(const thrift::Hello& hello, const std::string& relay, bool tsc, clock::Sample first,
              uint64_t ring_bytes);

  // Opens a dead process's. False: alive, not ours, not a folder of this version, or of another boot.
  bool open_dead(const std::string& path);

  void add_tracepoints(const std::vector<thrift::Tracepoint>& tracepoints);
  void remove();

  State* state() { return state_; }
  int rings() const { return rings_fd_; }  // a directory's descriptor
  const std::string& path() const { return path_; }
  const std::string& error() const { return error_; }
  const thrift::Hello& hello() const { return hello_; }  // after open_dead()
  const std::string& relay() const { return relay_; }
  const std::vector<thrift::Tracepoint>& tracepoints() const { return tracepoints_; }

 private:
  bool create_at(const std::string& base, uint64_t ring_bytes);
  bool map_state(int flags);
  void let_go();

  std::string path_;
  std::string error_;
  State* state_ = nullptr;
  int rings_fd_ = -1;
  int state_fd_ = -1;
  int tracepoints_fd_ = -1;
  thrift::Hello hello_{};
  std::string relay_;  // HOST:PORT that it sent to
  std::vector<thrift::Tracepoint> tracepoints_;
};

// The folders below this user's BASE/blkin-UID, living or dead, in all bases.
std::vector<std::string> process_folders();

// Keeps what dead processes left from growing: all but the newest `keep` are removed.
void sweep_dead(size_t keep);

}  // namespace blkin::control
