// native/control/recovery.cc: see recovery.hpp.
#include "recovery.hpp"

#include <dirent.h>

#include <memory>

#include "../consumer/consumer.hpp"
#include "../ring/file.hpp"

namespace blkin::control {

namespace {

class DeadProcess final : public consumer::Supply {
 public:
  explicit DeadProcess(std::unique_ptr<Folder> folder) : folder_(std::move(folder)) {
    DIR* directory = fdopendir(dup(folder_->rings()));
    if (directory == nullptr) return;
    while (const dirent* entry = readdir(directory)) {
      consumer::Source source{};
      source.ring = ring::open(folder_->rings(), entry->d_name, source.geometry);
      if (source.ring == nullptr) continue;
      // The file's name is its stream: two rings of one stream would release each other's records.
      if (std::to_string(source.ring->stream) == entry->d_name) sources_.push_back(source);
      else munmap(source.ring, ring::kHeaderBytes + source.geometry.capacity);
    }
    closedir(directory);
  }

  ~DeadProcess() override {
    for (const consumer::Source& source : sources_)
      munmap(source.ring, ring::kHeaderBytes + source.geometry.capacity);
  }

  void rings(std::vector<consumer::Source>& out) override {
    out.insert(out.end(), sources_.begin() + static_cast<ptrdiff_t>(out.size()), sources_.end());
  }
  void tracepoints(size_t from, std::vector<thrift::Tracepoint>& out) override {
    const auto& all = folder_->tracepoints();
    for (size_t i = from; i < all.size(); ++i) out.push_back(all[i]);
  }
  thrift::Lost lost_without_ring() override {
    return {0, 0, static_cast<int64_t>(folder_->state()->lost_bad_value.load()),
            static_cast<int64_t>(folder_->state()->lost_no_ring.load())};
  }
  bool wanted() override { return false; }
  void calibrated(clock::Sample) override {}

 private:
  std::unique_ptr<Folder> folder_;  // owned: a thread that is left behind goes on using it
  std::vector<consumer::Source> sources_;
};

clock::Calibration calibration_of(const State& state) {
  return {state.tsc != 0,
          std::vector{state.first, state.later[state.newest.load(std::memory_order_acquire) & 1]}};
}

Recovered recover(std::unique_ptr<Folder> owned, const thrift::Address& relay, const std::string& token,
                  uint64_t timeout_ms) {
  Folder& folder = *owned;
  auto dead = std::make_unique<DeadProcess>(std::move(owned));
  thrift::Hello hello = folder.hello();
  hello.token = token;
  auto consumer = std::make_unique<consumer::Consumer>(consumer::Options{relay, hello}, *dead,
                                                       calibration_of(*folder.state()));
  consumer->start();
  const bool delivered = consumer->stop(timeout_ms);
  const consumer::Status status = consumer->status();
  if (!consumer->stopped()) static_cast<void>(consumer.release()), static_cast<void>(dead.release());
  if (delivered) folder.remove();
  return {folder.path(), hello.uuid, status.acknowledged, delivered, status.error};
}

}  // namespace

std::vector<Recovered> recover_dead(const std::string& wrote_to, const thrift::Address& relay,
                                    const std::string& token, uint64_t timeout_ms) {
  std::vector<Recovered> out;
  for (const std::string& path : process_folders()) {
    auto folder = std::make_unique<Folder>();
    if (folder->open_dead(path) && folder->relay() == wrote_to)
      out.push_back(recover(std::move(folder), relay, token, timeout_ms));
  }
  return out;
}

}  // namespace blkin::control
