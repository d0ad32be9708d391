// bench/pack/rings.hpp: both ends of rings without Node and without a relay, for the benchmarks in C++: three integers into the ring of
// this CPU, as the addon's emit() writes them, and all rings read, packed and given back, as the consumer's own parts do it.
#pragma once

#include "../../native/clock/clock.hpp"
#include "../../native/ctf/packer.hpp"
#include "../../native/ring/file.hpp"
#include "../../native/ring/write.hpp"

#include <cstdlib>
#include <memory>
#include <mutex>
#include <vector>

namespace blkin::bench {

class Rings {
 public:
  Rings() : rseq_offset_(ring::find_rseq_offset()) {}

  // False: there was no room, which the ring has counted.
  bool write(uint32_t a, uint32_t b, uint32_t c) {
    alignas(8) uint64_t payload[2] = {a | uint64_t{b} << 32, c};
    asm volatile("" : : "r"(payload) : "memory");
    ring::Record record{3, 12, payload, 0};
#if BLKIN_HAVE_RSEQ
    if (rseq_offset_ != 0) {
      ring::RseqArea* area = ring::rseq_area(rseq_offset_);
      ring::Result result;
      while ((result = ring::write_on_cpu<true>(area, by_cpu_->data(), record)) == ring::Result::kNoRing)
        make_on(area->cpu_id);
      return result == ring::Result::kWritten;
    }
#endif
    thread_local ring::Header* leased = make(kLeased);
    record.ticks = clock::read_tsc();
    return ring::write_leased(leased, record) == ring::Result::kWritten;
  }

  // Before each drain().
  void calibrate() {
    while (!calibration_.sample()) {
    }
  }

  // From one thread at a time. Returns how many events came out.
  uint64_t drain() {
    uint64_t events = 0;
    for (size_t i = 0; Drain* one = at(i); ++i) events += drain_one(*one);
    return events;
  }

  uint64_t lost() {
    uint64_t all = 0;
    for (size_t i = 0; Drain* one = at(i); ++i) all += ring::lost(one->ring);
    return all;
  }

 private:
  struct Drain {
    ring::Cursor cursor;
    ctf::Stream file;
    ring::Header* ring;
  };
  static constexpr ring::Geometry kGeometry{1 << 20, 4 << 20};  // the default channel's
  static constexpr size_t kPutBytes = 256 << 10;                // as the consumer's
  static constexpr uint32_t kLeased = 65536;

  ring::Header* make(uint32_t stream) {
    const std::lock_guard lock(mutex_);
    const ring::Created made = ring::create(-1, "", stream, kGeometry);
    if (made.ring == nullptr) std::exit(3);
    drains_.push_back(std::make_unique<Drain>(Drain{ring::Cursor(made.ring, kGeometry), {}, made.ring}));
    return made.ring;
  }

  // Another thread of this CPU may have been here meanwhile: its ring stays, and ours is read and empty.
  void make_on(uint32_t cpu) {
    ring::Header* none = nullptr;
    (*by_cpu_)[cpu].compare_exchange_strong(none, make(cpu));
  }

  Drain* at(size_t i) {
    const std::lock_guard lock(mutex_);
    return i < drains_.size() ? drains_[i].get() : nullptr;
  }

  uint64_t drain_one(Drain& one) {
    uint64_t events = 0;
    const uint64_t limit = ring::committed(one.ring);
    while (one.cursor.position() < limit) {
      packer_.begin(one.file, buffer_.data(), kPutBytes, calibration_.last().ns);
      uint64_t packed_to = one.cursor.position();
      ring::View record{};
      while (one.cursor.next(limit, record)) {
        if (!packer_.add(record.id, calibration_.to_ns(record.ticks), record.payload, record.length)) {
          one.cursor.seek(packed_to);
          break;
        }
        packed_to = one.cursor.position();
      }
      packer_.finish(0, calibration_.last().ns);
      events += packer_.events();
    }
    ring::release(one.ring, limit);
    return events;
  }

  const ptrdiff_t rseq_offset_;
  std::unique_ptr<std::array<std::atomic<ring::Header*>, ring::kCpuMax>> by_cpu_ =
      std::make_unique<std::array<std::atomic<ring::Header*>, ring::kCpuMax>>();
  std::mutex mutex_;
  std::vector<std::unique_ptr<Drain>> drains_;
  clock::Calibration calibration_{clock::tsc_is_fit()};
  ctf::Packer packer_{{}};
  std::vector<uint8_t> buffer_ = std::vector<uint8_t>(kPutBytes + 8);
};

}  // namespace blkin::bench
