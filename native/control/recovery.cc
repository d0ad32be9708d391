// native/control/recovery.cc: see recovery.hpp.
#include "recovery.hpp"

#include <dirent.h>

#include <algorithm>
#include <map>
#include <memory>

#include "../consumer/consumer.hpp"
#include "../ring/file.hpp"

namespace blkin::control {

namespace {

// One session of a dead process. Owns its folder, and shares the process's: a thread that is left behind goes on using
// them, and while they are held nobody else recovers the same.
class DeadSession final : public consumer::Supply {
 public:
  DeadSession(std::shared_ptr<ProcessFolder> process, std::unique_ptr<SessionFolder> session)
      : process_(std::move(process)), folder_(std::move(session)) {
    for (const Channel channel : kChannels) open_rings(channel);
    for (const consumer::Source& source : sources_) find_undeclared(source);
  }

  ~DeadSession() override {
    for (const consumer::Source& source : sources_)
      munmap(source.ring, ring::kHeaderBytes + source.geometry.capacity);
  }

  void rings(std::vector<consumer::Source>& out) override {
    out.insert(out.end(), sources_.begin() + static_cast<ptrdiff_t>(out.size()), sources_.end());
  }
  void tracepoints(size_t from, std::vector<thrift::Tracepoint>& out) override {
    const auto& all = process_->tracepoints();
    for (size_t i = from; i < all.size(); ++i) out.push_back(all[i]);
  }
  thrift::Lost lost_without_ring() override {
    thrift::Lost lost{};
    lost.bad_value = static_cast<int64_t>(folder_->state()->lost_bad_value.load());
    lost.no_ring = static_cast<int64_t>(folder_->state()->lost_no_ring.load());
    return lost;
  }
  // /dev/shm was full when they were declared. An overwriting ring tells them as a gap.
  int64_t undeclared(int32_t stream, size_t declared) override {
    const auto found = undeclared_.find(stream);
    if (found == undeclared_.end()) return 0;
    const auto& ids = found->second;  // sorted
    return ids.end() -
           std::lower_bound(ids.begin(), ids.end(), std::max(declared, process_->tracepoints().size()));
  }
  bool wanted() override { return false; }
  void calibrated(clock::Sample) override {}  // its clock went with it
  const clock::EpochTable& epochs() override { return folder_->state()->epochs; }

 private:
  void find_undeclared(const consumer::Source& source) {
    if (source.geometry.mode == ring::Mode::kOverwrite) return;
    std::vector<size_t> ids;
    ring::Cursor cursor(source.ring, source.geometry);
    const uint64_t tail = source.ring->tail.load(std::memory_order_relaxed);
    cursor.seek(tail);
    const uint64_t limit = std::min(ring::committed(source.ring), tail + source.geometry.capacity);
    for (ring::View record{}; cursor.next(limit, record);)
      if (record.id >= process_->tracepoints().size()) ids.push_back(record.id);
    if (ids.empty()) return;
    std::sort(ids.begin(), ids.end());
    undeclared_.emplace(static_cast<int32_t>(source.ring->stream), std::move(ids));
  }

  void open_rings(Channel channel) {
    const int folder = folder_->rings(channel);
    DIR* directory = fdopendir(dup(folder));
    if (directory == nullptr) return;
    while (const dirent* entry = readdir(directory)) {
      consumer::Source source{};
      // Unchanged, so that who has to go on from here counts the undeclared from the same records.
      source.ring = ring::open(folder, entry->d_name, source.geometry, MAP_PRIVATE);
      if (source.ring == nullptr) continue;
      // The file's place is its stream: two rings of one stream would release each other's records.
      const uint32_t number = source.ring->stream - first_stream(channel);
      const bool fits = number < static_cast<uint32_t>(consumer::kRinglessStream);
      if (fits && std::to_string(number) == entry->d_name) sources_.push_back(source);
      else munmap(source.ring, ring::kHeaderBytes + source.geometry.capacity);
    }
    closedir(directory);
  }

  std::shared_ptr<ProcessFolder> process_;
  std::unique_ptr<SessionFolder> folder_;
  std::vector<consumer::Source> sources_;
  std::map<int32_t, std::vector<size_t>> undeclared_;  // by stream: the ids of such records
};

clock::Calibration calibration_of(const State& state) {
  return {state.tsc != 0,
          std::vector{state.first, state.later[state.newest.load(std::memory_order_acquire) & 1]}};
}

Recovered recover(std::shared_ptr<ProcessFolder> process, std::unique_ptr<SessionFolder> owned,
                  const thrift::Address& relay, const std::string& token, uint64_t timeout_ms) {
  SessionFolder& folder = *owned;
  auto dead = std::make_unique<DeadSession>(std::move(process), std::move(owned));
  thrift::Hello hello = folder.hello();
  hello.token = token;
  auto consumer = std::make_unique<consumer::Consumer>(consumer::Options{relay, hello}, *dead,
                                                       calibration_of(*folder.state()));
  consumer->start();
  const bool delivered = consumer->stop(timeout_ms);
  const consumer::Status status = consumer->status();
  Recovered out{folder.path(), hello.uuid, status.acknowledged, delivered, status.error};
  if (delivered) folder.remove();
  if (!consumer->stopped()) static_cast<void>(consumer.release()), static_cast<void>(dead.release());
  return out;
}

}  // namespace

std::vector<Recovered> recover_dead(const std::string& wrote_to, const thrift::Address& relay,
                                    const std::string& token, uint64_t timeout_ms) {
  std::vector<Recovered> out;
  for (const std::string& path : process_folders()) {
    auto process = std::make_shared<ProcessFolder>();
    if (!process->open_dead(path)) continue;
    for (const std::string& session : process->sessions()) {
      auto folder = std::make_unique<SessionFolder>();
      if (folder->open_dead(session) && folder->relay() == wrote_to)
        out.push_back(recover(process, std::move(folder), relay, token, timeout_ms));
    }
    if (process->sessions().empty()) process->remove();
  }
  return out;
}

}  // namespace blkin::control
