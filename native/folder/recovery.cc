// native/folder/recovery.cc: see recovery.hpp.
#include "recovery.hpp"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>

#include "../consumer/consumer.hpp"
#include "dead_process.hpp"
#include "relay_names.hpp"
#include "removed.hpp"

namespace blkin::control {

namespace {

constexpr uint64_t kCopyBytes = 256 << 20;  // of another user's session, at most
constexpr useconds_t kLookUs = 5000;        // whether it was cancelled

// The rings of a session. Owns its folder, and shares the process's: a thread that is left behind goes on using them, and
// while they are held nobody else recovers the same.
class DeadSupply final : public consumer::Supply {
 public:
  DeadSupply(std::shared_ptr<DeadProcess> process, std::unique_ptr<DeadSession> session)
      : process_(std::move(process)), session_(std::move(session)), tracepoints_(process_->tracepoints()) {
    for (const Channel channel : kChannels) open_rings(channel);
    for (const auto& ring : rings_) find_undeclared(ring->source());
  }

  void rings(std::vector<consumer::Source>& out) override {
    for (size_t i = out.size(); i < rings_.size(); ++i) out.push_back(rings_[i]->source());
  }
  void tracepoints(size_t from, std::vector<thrift::Tracepoint>& out) override {
    for (size_t i = from; i < tracepoints_.size(); ++i) out.push_back(tracepoints_[i]);
  }
  thrift::Lost lost_without_ring() override {
    thrift::Lost lost{};
    lost.bad_value = static_cast<int64_t>(ring::possible_count(session_->state().lost_bad_value));
    lost.no_ring = static_cast<int64_t>(ring::possible_count(session_->state().lost_no_ring));
    return lost;
  }
  // /dev/shm was full when they were declared. An overwriting ring tells them as a gap.
  int64_t undeclared(int32_t stream, size_t declared) override {
    const auto found = undeclared_.find(stream);
    if (found == undeclared_.end()) return 0;
    const auto& ids = found->second;  // sorted
    return ids.end() - std::lower_bound(ids.begin(), ids.end(), std::max(declared, tracepoints_.size()));
  }
  bool wanted() override { return false; }
  void calibrated(clock::Sample) override {}  // its clock went with it
  const clock::EpochTable& epochs() override { return session_->state().epochs; }

  DeadSession& session() { return *session_; }
  // A ring that is there and could not be taken: it is too large.
  bool is_too_large() const { return room_.is_exceeded; }

 private:
  void find_undeclared(const consumer::Source& source) {
    if (source.summary != nullptr || source.geometry.mode == ring::Mode::kOverwrite) return;
    std::vector<size_t> ids;
    ring::Cursor cursor(source.ring, source.geometry);
    const uint64_t tail = source.ring->tail.load(std::memory_order_relaxed);
    cursor.seek(tail);
    const uint64_t limit = std::min(ring::committed(source.ring), tail + source.geometry.capacity);
    for (ring::View record{}; cursor.next(limit, record);)
      if (record.id >= tracepoints_.size()) ids.push_back(record.id);
    if (ids.empty()) return;
    std::sort(ids.begin(), ids.end());
    undeclared_.emplace(static_cast<int32_t>(source.ring->stream), std::move(ids));
  }

  void open_rings(Channel channel) {
    const Directory& folder = session_->channel(channel);
    for (const std::string& name : folder.names()) {
      if (auto ring = DeadRing::open(folder, channel, name, room_)) rings_.push_back(std::move(ring));
    }
  }

  std::shared_ptr<DeadProcess> process_;
  std::unique_ptr<DeadSession> session_;
  std::vector<thrift::Tracepoint> tracepoints_;
  std::vector<std::unique_ptr<DeadRing>> rings_;
  CopyRoom room_{kCopyBytes};
  std::map<int32_t, std::vector<size_t>> undeclared_;  // by stream: the ids of such records
};

clock::Calibration calibration_of(const State& state) {
  return {state.tsc != 0,
          std::vector{state.first, state.later[state.newest.load(std::memory_order_acquire) & 1]}};
}

// Where a dead session lies: names below a user's folder.
struct Place {
  const Directory* user;
  std::string process;
  std::string session;
};

bool is_cancelled(const RecoverOptions& options) {
  return options.cancel != nullptr && options.cancel->load(std::memory_order_relaxed) != 0;
}

bool is_to_be_brought(const DeadSession& session, const RecoverOptions& options, RelayNames& names) {
  const bool foreign = session.folder().owner() != geteuid();
  if (foreign && options.known && !options.known->contains(session.hello().uuid)) return false;
  return session.is_of_this_boot() && names.reached_by(session.relay());
}

// What there is to bring; and removes the folders that hold nothing any more.
std::vector<Place> find_sessions(const std::vector<Directory>& users, const RecoverOptions& options) {
  RelayNames names(options.listens);
  std::vector<Place> found;
  for (const Directory& user : users) {
    for (const std::string& name : user.names()) {
      if (is_cancelled(options)) return found;
      const auto process = DeadProcess::open(user, name);
      if (process == nullptr) continue;
      const std::vector<std::string> sessions = process->sessions();
      for (const std::string& session_name : sessions) {
        const auto session = DeadSession::open(process->folder(), session_name);
        if (session != nullptr && is_to_be_brought(*session, options, names))
          found.push_back({&user, name, session_name});
      }
      if (sessions.empty()) user.remove(name);
    }
  }
  return found;
}

// Until it has delivered, its time is over, or nobody waits any more.
bool await(consumer::Consumer& consumer, uint64_t timeout_ms, const RecoverOptions& options) {
  const uint64_t end = clock::monotonic_ns() + timeout_ms * 1'000'000;
  consumer.begin_stop(timeout_ms);
  while (!consumer.ended() && clock::monotonic_ns() < end && !is_cancelled(options)) usleep(kLookUs);
  return consumer.stop(0);
}

Recovered recover(std::shared_ptr<DeadProcess> process, std::unique_ptr<DeadSession> session,
                  uint64_t timeout_ms, const RecoverOptions& options) {
  thrift::Hello hello = session->hello();
  hello.token = options.token;
  Recovered out{session->folder().path(), hello.uuid, 0, 0, false, {}};
  auto supply = std::make_unique<DeadSupply>(std::move(process), std::move(session));
  if (supply->is_too_large()) {
    out.error = "its rings hold more than the " + std::to_string(kCopyBytes >> 20) +
                " MiB that are read of another user's; recover them by a relay of that user";
    return out;
  }
  auto consumer = std::make_unique<consumer::Consumer>(consumer::Options{options.relay, hello}, *supply,
                                                       calibration_of(supply->session().state()));
  consumer->start();
  out.delivered = await(*consumer, timeout_ms, options);
  const consumer::Status status = consumer->status();
  out.events = status.acknowledged;
  out.error = status.error;
  if (out.delivered) out.given_up = status.given_up;
  if (!consumer->stopped()) static_cast<void>(consumer.release()), static_cast<void>(supply.release());
  return out;
}

void tell_removed(const Directory& user, std::vector<Recovered>& out) {
  const Removed gone = take_removed(user);
  if (gone.sessions == 0) return;
  out.push_back({user.path(), {}, 0, gone.records, false, {}});
  out.back().error = std::to_string(gone.sessions) +
                     " sessions for which no relay came were removed for room, with " +
                     std::to_string(gone.records) + " events";
}

}  // namespace

std::vector<Recovered> recover_dead(const RecoverOptions& options) {
  const uint64_t end = clock::monotonic_ns() + options.timeout_ms * 1'000'000;
  const std::vector<Directory> users = dead_users();
  const std::vector<Place> places = find_sessions(users, options);
  std::vector<Recovered> out;
  for (const Directory& user : users) tell_removed(user, out);
  for (size_t i = 0; i < places.size() && !is_cancelled(options); ++i) {
    const auto& [user, name, session_name] = places[i];
    std::shared_ptr<DeadProcess> process = DeadProcess::open(*user, name);
    if (process == nullptr) continue;  // somebody else came first
    auto session = DeadSession::open(process->folder(), session_name);
    if (session == nullptr) continue;
    const uint64_t now = clock::monotonic_ns();
    const uint64_t left_ms = now < end ? (end - now) / 1'000'000 : 0;
    out.push_back(recover(process, std::move(session), left_ms / (places.size() - i), options));
    if (!out.back().delivered) continue;
    process->folder().remove(session_name);
    if (process->sessions().empty()) user->remove(name);
  }
  return out;
}

}  // namespace blkin::control
