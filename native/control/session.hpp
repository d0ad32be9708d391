// native/control/session.hpp: a consumer of events and the rings that feed it. The emit path calls write(); all
// else is cold. Rings are made on the first event of their CPU (or thread, where there is no rseq), by the thread
// that emits it, once. Start reading at write().
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "../consumer/consumer.hpp"
#include "../ring/write.hpp"
#include "folder.hpp"
#include "registry.hpp"

namespace blkin::control {

struct Settings {
  thrift::Address relay{"127.0.0.1", "4650"};
  std::string token;
  thrift::Ack ack = thrift::Ack::kWritten;
  ring::Geometry geometry{1 << 20, 4 << 20};
  bool lease = false;      // as if there were no rseq
  bool monotonic = false;  // as if the TSC were unfit
};

// What a JavaScript thread carries, in thread-local memory. leased: its ring, where rings are leased.
struct Thread {
  uint64_t* staging = nullptr;
  ring::Header* leased = nullptr;
};

struct RingStatus {
  uint32_t stream;
  uint64_t head, tail, lost_no_room, lost_too_big;
};

class Session final : public consumer::Supply {
 public:
  Session(Registry& registry, Settings settings);

  // Puts a record into the ring of this moment's CPU, or counts it as lost. Never throws.
  [[gnu::always_inline]] void write(ring::Record record, Thread& thread) noexcept {
#if BLKIN_HAVE_RSEQ
    if (fast_) [[likely]] {
      ring::RseqArea* area = ring::rseq_area(rseq_offset_);
      if (ring::write_on_cpu<true>(area, by_cpu_.data(), record) != ring::Result::kNoRing) [[likely]]
        return;
    }
#endif
    write_slow(record, thread);
  }

  void count_bad_value() noexcept { state().lost_bad_value.fetch_add(1, std::memory_order_relaxed); }
  void give_back(Thread& thread) noexcept;

  // Keeps in the folder the tracepoints declared since it was last called.
  void keep_tracepoints();

  void start();
  bool flush(uint64_t timeout_ms);
  bool stop(uint64_t timeout_ms);
  void wake();
  // Once nothing will be emitted any more: removes the folder when all it held was delivered.
  void clean();

  const Settings& settings() const { return settings_; }
  const thrift::Hello& hello() const { return hello_; }
  const Folder& folder() const { return folder_; }
  bool tsc() const { return tsc_; }
  bool leases() const { return rseq_offset_ == 0; }
  std::vector<RingStatus> rings_status();
  consumer::Status consumer_status();
  std::string ring_error();

  // consumer::Supply
  void rings(std::vector<consumer::Source>& out) override;
  void tracepoints(size_t from, std::vector<thrift::Tracepoint>& out) override {
    registry_.tracepoints(from, out);
  }
  thrift::Lost lost_without_ring() override;
  bool wanted() override { return registry_.any_on(); }
  void calibrated(clock::Sample sample) override;

 private:
  // The ways that are not the common one: a CPU without a ring, a clock that is not the TSC, a leased ring.
  [[gnu::noinline, gnu::cold]] void write_slow(ring::Record record, Thread& thread) noexcept;
  void write_on_new_cpu(ring::Record& record) noexcept;
  void write_leased(ring::Record& record, Thread& thread) noexcept;
  ring::Header* make_ring(uint32_t stream) noexcept;
  ring::Header* lease() noexcept;
  State& state() noexcept { return *folder_.state(); }

  // Read by every event, written at most once a CPU: kept together, ahead of what changes.
  ptrdiff_t rseq_offset_;
  bool tsc_;
  bool fast_;  // both rseq and the TSC are there
  std::array<std::atomic<ring::Header*>, ring::kCpuMax> by_cpu_{};

  Registry& registry_;
  Settings settings_;
  thrift::Hello hello_;
  clock::Calibration calibration_;
  Folder folder_;
  std::unique_ptr<consumer::Consumer> consumer_;
  bool delivered_ = false;

  std::mutex mutex_;  // guards what follows; emitters take it only to make or lease a ring
  std::vector<consumer::Source> made_;
  std::vector<ring::Header*> free_leases_;
  uint32_t leases_made_ = 0;
  uint64_t retry_ring_at_ns_ = 0;
  std::string ring_error_;
  size_t tracepoints_kept_ = 0;
};

}  // namespace blkin::control
