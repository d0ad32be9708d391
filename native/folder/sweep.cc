// native/folder/sweep.cc: see sweep.hpp.
#include "sweep.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <exception>

#include "dead_process.hpp"
#include "removed.hpp"

namespace blkin::control {

namespace {

constexpr int64_t kMakingS = 60;  // a folder without a lock may be one that is being made
constexpr int64_t kAwaitedNs =
    7LL * 24 * 3600 * 1'000'000'000;  // a relay that did not come for so long is gone

constexpr uint64_t kSummariesPart = 8;  // of the budget, for what is left of those that were given up

struct Dead {
  std::string name;
  int64_t since_ns;  // when it was first found dead
  uint64_t bytes;
  bool awaited;  // a relay may come for it
};

// Gives back what a ring's file has beside its records: rings are reserved whole, and mostly hold little.
void punch_unused(int fd, const consumer::Source& ring) {
  const uint64_t capacity = ring.geometry.capacity;
  const uint64_t from = ring.ring->tail.load(), head = ring::committed(ring.ring);
  // Of whole pages only, and none that holds a byte of a record.
  const auto punch = [&](uint64_t begin, uint64_t end) {
    begin = (begin + 4095) & ~4095ULL;
    end &= ~4095ULL;
    if (begin < end)
      fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                static_cast<off_t>(ring::kHeaderBytes + begin), static_cast<off_t>(end - begin));
  };
  if (head == from) return punch(0, capacity);
  if (head - from == capacity) return;
  const uint64_t first = from % capacity, last = head % capacity;
  if (first < last) punch(0, first), punch(last, capacity);
  else punch(last, first);
}

// The ring's file becomes its summary, in one step: killed before it, nothing has happened.
void give_up(const Directory& folder, const std::string& name, const DeadRing& ring) {
  if (ring.is_summary()) return;
  const consumer::Source source = ring.source();
  const std::string made = name + ".new";
  folder.remove(made);
  const Descriptor file = folder.file(made, O_RDWR | O_CREAT | O_EXCL);
  if (file && ring::Summary::of(source.ring, source.geometry).write(file.get(), source.ring))
    renameat(folder.fd(), made.c_str(), folder.fd(), name.c_str());
  else folder.remove(made);
}

template <typename Call>
void each_ring(const DeadSession& session, Call call) {
  for (const Channel channel : kChannels) {
    const Directory& folder = session.channel(channel);
    for (const std::string& name : folder.names()) {
      CopyRoom none{0};
      const auto ring = DeadRing::open(folder, channel, name, none);
      if (ring != nullptr) call(folder, name, *ring);
    }
  }
}

class Sweep {
 public:
  Sweep(const Directory& user, const SweepLimits& limits)
      : user_(user), end_ns_(clock::monotonic_ns() + limits.time_ms * 1'000'000) {
    struct statvfs space {};
    const uint64_t whole = fstatvfs(user.fd(), &space) == 0 ? space.f_blocks * space.f_frsize : 0;
    budget_ = limits.kept_bytes > 0 ? limits.kept_bytes : std::min(whole / 4, kKeptBytes);
    summaries_ = limits.summary_bytes > 0 ? limits.summary_bytes : budget_ / kSummariesPart;
  }

  void run() {
    for (const std::string& name : user_.names())
      if (!is_late()) look_at(name);
    std::sort(dead_.begin(), dead_.end(), [](const Dead& a, const Dead& b) {
      if (a.awaited != b.awaited) return a.awaited;
      return a.awaited ? a.since_ns < b.since_ns : a.since_ns > b.since_ns;
    });
    for (const Dead& one : dead_) {
      if (is_late()) return;
      if (one.bytes <= budget_) budget_ -= one.bytes;
      else if (one.awaited) give_up_records(one);
      else remove(one);
    }
  }

 private:
  bool is_late() const { return clock::monotonic_ns() > end_ns_; }

  void look_at(const std::string& name) {
    const auto process = DeadProcess::open(user_, name);
    if (process == nullptr) return remove_unmade(name);
    const int64_t since_ns = dead_since_ns(process->folder());
    bool awaited = false;
    const std::vector<std::string> sessions = process->sessions();
    size_t left = sessions.size();
    for (const std::string& session_name : sessions) {
      const auto session = DeadSession::open(process->folder(), session_name);
      if (session == nullptr) continue;
      if (session->is_delivered() && process->folder().remove(session_name)) {
        --left;
        continue;
      }
      awaited = awaited || is_awaited(*session, since_ns);
      each_ring(*session, [](const Directory& folder, const std::string& ring_name, const DeadRing& ring) {
        if (ring.is_summary() || ring.source().geometry.mode != ring::Mode::kDiscard) return;
        if (const Descriptor file = folder.file(ring_name, O_RDWR)) punch_unused(file.get(), ring.source());
      });
    }
    if (left == 0) user_.remove(name);
    else dead_.push_back({name, since_ns, process->folder().bytes(), awaited});
  }

  // Nothing in the folder says when it died, so a file is put there for the moment when that was first seen.
  static int64_t dead_since_ns(const Directory& process) {
    struct stat status {};
    const Descriptor mark = process.file("dead", O_WRONLY | O_CREAT);
    if (!mark || fstat(mark.get(), &status) != 0) return now_ns();
    return status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec;
  }

  static int64_t now_ns() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1'000'000'000 + now.tv_nsec;
  }

  static bool is_awaited(const DeadSession& session, int64_t since_ns) {
    return !session.relay().empty() && session.is_of_this_boot() && since_ns + kAwaitedNs > now_ns();
  }

  // One that died before it had its lock.
  void remove_unmade(const std::string& name) {
    const Directory folder = user_.folder(name);
    struct stat status {};
    if (folder && fstatat(folder.fd(), "alive", &status, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT &&
        folder.modified() + kMakingS < time(nullptr))
      user_.remove(name);
  }

  // Somebody may have come since it was looked at: so it is opened again, and held meanwhile.
  void give_up_records(const Dead& one) {
    const auto process = DeadProcess::open(user_, one.name);
    if (process == nullptr) return;
    for (const std::string& name : process->sessions()) {
      const auto session = DeadSession::open(process->folder(), name);
      if (session == nullptr || !is_awaited(*session, one.since_ns)) remove_session(*process, name);
      else each_ring(*session, give_up);
    }
    const uint64_t bytes = process->folder().bytes();
    if (bytes > summaries_) return remove_sessions(*process, one.name);
    summaries_ -= bytes;
  }

  void remove(const Dead& one) {
    const auto process = DeadProcess::open(user_, one.name);
    if (process != nullptr) remove_sessions(*process, one.name);
  }

  void remove_sessions(const DeadProcess& process, const std::string& process_name) {
    for (const std::string& name : process.sessions()) remove_session(process, name);
    user_.remove(process_name);
  }

  void remove_session(const DeadProcess& process, const std::string& name) {
    uint64_t records = 0;
    const auto session = DeadSession::open(process.folder(), name);
    if (session != nullptr && !session->relay().empty())
      each_ring(*session, [&](const Directory&, const std::string&, const DeadRing& ring) {
        records += ring.records();
      });
    process.folder().remove(name);
    if (records > 0) add_removed(user_, records);
  }

  const Directory& user_;
  uint64_t end_ns_;
  uint64_t budget_;
  uint64_t summaries_;
  std::vector<Dead> dead_;
};

}  // namespace

void sweep_dead(const SweepLimits& limits) try {
  for (const Directory& user : dead_users())
    if (user.owner() == geteuid()) Sweep(user, limits).run();
} catch (const std::exception&) {  // no memory: the next process does it
}

}  // namespace blkin::control
