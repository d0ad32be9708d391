// native/folder/folder.hpp: the folders of traced processes, from which everything that one left can be read once it is
// dead:
//
//   BASE/blkin-UID/standing                         rules for programs that start later (standing.hpp)
//   BASE/blkin-UID/removed                          what was removed of dead ones and could not be counted in a trace (removed.hpp)
//   BASE/blkin-UID/PID-START/alive                  the living process holds a lock on it; who gets it knows of its death
//                           /control                its agent's socket
//                           /dead                   whose time is when it was first found dead (sweep.cc)
//                           /tracepoints            what it declared
//                           /SESSION/{state,hello,relay}        a session
//                           /SESSION/{events,spans}/NUMBER      its rings, by channel: of a CPU, or of a lease
//
// BASE is /dev/shm, or TMPDIR where that is missing or full. What one folder does not take may lie in a second one of the
// process (spare_folder.hpp). A SESSION is its name, and ~2 and so on behind it where rings
// of the same name are still being emptied.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "../clock/clock.hpp"
#include "../clock/epochs.hpp"
#include "../event/channel.hpp"
#include "../thrift/messages.hpp"
#include "paths.hpp"

namespace blkin::control {

// Of this process. What dead ones left is read by dead_process.hpp.
class ProcessFolder {
 public:
  ProcessFolder() = default;
  ~ProcessFolder();  // gives up the lock
  ProcessFolder(const ProcessFolder&) = delete;
  ProcessFolder& operator=(const ProcessFolder&) = delete;

  // Makes this process's, where there is room for so many bytes. Where it cannot, path() is empty and error() says why.
  void create(uint64_t room);

  // All of them, or none where there is no room: false.
  bool add_tracepoints(const std::vector<thrift::Tracepoint>& tracepoints);
  void remove();

  const std::string& path() const { return path_; }
  const std::string& user() const { return user_; }  // BASE/blkin-UID
  const std::string& error() const { return error_; }

 private:
  bool create_at(const std::string& base, uint64_t room);
  bool lock();
  void let_go();

  std::string user_;
  std::string path_;
  std::string error_;
  int lock_fd_ = -1;
  int tracepoints_fd_ = -1;
};

constexpr uint64_t kStateMagic = 0x33544154534b4c42;  // "BLKSTAT3"

// The page `state` of a session, shared with whoever recovers it.
struct State {
  uint64_t magic;
  uint32_t version;
  uint32_t tsc;  // 1: ticks are TSC; 0: nanoseconds
  clock::Sample first;
  clock::Sample
      later[2];  // the newest sample, and the one before: a process may be killed between two words,
  std::atomic<uint32_t> newest;  // so a sample is written whole before this names it
  clock::EpochTable epochs;
  alignas(64) std::atomic<uint64_t> lost_bad_value;
  std::atomic<uint64_t> lost_no_ring;
};

// Of one session, in a process's folder.
class SessionFolder {
 public:
  SessionFolder() = default;
  ~SessionFolder() { let_go(); }
  SessionFolder(const SessionFolder&) = delete;
  SessionFolder& operator=(const SessionFolder&) = delete;

  // Where it cannot be made, state() is private memory, each rings() is -1, and error() says why.
  void create(const ProcessFolder& process, const thrift::Hello& hello, const std::string& relay, bool tsc,
              clock::Sample first);
  // Beside another one of the same session, whose clock readings and epochs it takes.
  void create_beside(const ProcessFolder& process, SessionFolder& first);
  // A reading of the clocks; all that was sent, or looked at, is older than the one before.
  void calibrated(clock::Sample sample);
  void follow(SessionFolder& first);
  // Whom it sends to from now on.
  void set_relay(const thrift::Hello& hello, const std::string& relay);
  void remove();

  State* state() { return state_; }
  int rings(Channel channel) const {  // a directory's descriptor
    return rings_fds_[static_cast<size_t>(channel)];
  }
  const std::string& path() const { return path_; }
  const std::string& error() const { return error_; }

 private:
  bool create_in(const ProcessFolder& process, const std::string& name);
  bool open_channels();
  bool map_state();
  void let_go();

  std::string path_;
  std::string error_;
  State* state_ = nullptr;
  State in_memory_{};
  std::array<int, kChannels.size()> rings_fds_{-1, -1};
  thrift::Hello hello_{};
  std::string relay_;
};

}  // namespace blkin::control
