// native/control/session_write.cc: an event's ways into a session's rings that are not the common one, which is write()
// in session.hpp: contexts before the payload, emitters that wait, leased rings, and rings that are not made yet.
#include <unistd.h>

#include <cstring>

#include "../ring/file.hpp"
#include "session.hpp"

namespace blkin::control {

namespace {

constexpr uint32_t kLeasesMax = 256;
constexpr uint64_t kRetryRingNs = 1'000'000'000;
constexpr useconds_t kRoomPauseUs = 100;

}  // namespace

void Session::write_in_context(ring::Record record, Thread& thread) noexcept {
  auto* const at = reinterpret_cast<uint8_t*>(thread.composed);
  const size_t before = put_contexts(contexts_, *thread.contexts, at);
  if (record.length <= ring::kPayloadMax - before) {
    std::memcpy(at + before, record.payload, record.length);
    record.length += static_cast<uint32_t>(before);
  } else {
    record.length = ring::kPayloadMax + 1;  // the ring counts it
  }
  record.payload = thread.composed;
  write(record, thread);
}

void Session::write_slow(ring::Record record, Thread& thread) noexcept {
  if (spec_.channel.mode == thrift::Mode::kBlock) {
    write_waiting(record, thread);
    return;
  }
  ring::Header* ring = nullptr;
  try_write<ring::NoRoom::kCounted>(record, thread, ring);
}

// An emitter that waits keeps its CPU's other threads running; the consumer needs no lock of ours to make room.
void Session::write_waiting(ring::Record& record, Thread& thread) noexcept {
  const uint64_t until = clock::monotonic_ns() + static_cast<uint64_t>(spec_.channel.block_ms) * 1'000'000;
  for (;;) {
    ring::Header* ring = nullptr;
    if (try_write<ring::NoRoom::kTold>(record, thread, ring) != ring::Result::kNoRoom) return;
    if (clock::monotonic_ns() >= until) {
      if (ring != nullptr) ring::refuse(ring, ring::Result::kNoRoom);
      return;
    }
    wake();
    usleep(kRoomPauseUs);
  }
}

// `ring`: the one that was asked.
template <ring::NoRoom kWho>
ring::Result Session::try_write(ring::Record& record, Thread& thread, ring::Header*& ring) noexcept {
  if (leases()) {
    ring = leased_ring(thread);
    if (ring == nullptr) return ring::Result::kNoRing;
    record.ticks = tsc_ ? clock::read_tsc() : clock::monotonic_ns();
    return ring::write_leased<kWho>(ring, record);
  }
#if BLKIN_HAVE_RSEQ
  ring::RseqArea* area = ring::rseq_area(rseq_offset_);
  for (int tries = 0; tries < 3; ++tries) {  // the thread may be moved to a CPU without a ring in between
    if (!tsc_) record.ticks = clock::monotonic_ns();
    const uint32_t cpu = area->cpu_id;
    ring = by_cpu_[cpu].load(std::memory_order_acquire);
    const ring::Result result = tsc_ ? ring::write_on_cpu<true, kWho>(area, by_cpu_.data(), record)
                                     : ring::write_on_cpu<false, kWho>(area, by_cpu_.data(), record);
    if (result != ring::Result::kNoRing) return result;
    const std::lock_guard lock(mutex_);
    if (by_cpu_[cpu].load(std::memory_order_relaxed) != nullptr) continue;
    ring::Header* made = make_ring(cpu);
    if (made == nullptr) break;
    by_cpu_[cpu].store(made, std::memory_order_release);
  }
#endif
  state().lost_no_ring.fetch_add(1, std::memory_order_relaxed);
  return ring::Result::kNoRing;
}

// Null, and counted, where none can be had.
ring::Header* Session::leased_ring(Thread& thread) noexcept {
  ring::Header*& leased = thread.leased[number_];
  if (leased == nullptr) {
    const std::lock_guard lock(mutex_);
    leased = lease();
  }
  if (leased == nullptr) state().lost_no_ring.fetch_add(1, std::memory_order_relaxed);
  return leased;
}

ring::Header* Session::lease() noexcept {
  if (!free_leases_.empty()) {
    ring::Header* ring = free_leases_.back();
    free_leases_.pop_back();
    return ring;
  }
  if (leases_made_ >= kLeasesMax) return nullptr;
  ring::Header* ring = make_ring(static_cast<uint32_t>(consumer::kFirstLeasedStream) + leases_made_);
  if (ring != nullptr) ++leases_made_;
  return ring;
}

void Session::give_back(Thread& thread) noexcept {
  ring::Header*& leased = thread.leased[number_];
  if (leased == nullptr) return;
  const std::lock_guard lock(mutex_);
  free_leases_.push_back(leased);
  leased = nullptr;
}

// Holding the mutex. In the folder, else in anonymous memory, else not: and not again for a second, so that a full
// machine does not make every event try.
ring::Header* Session::make_ring(uint32_t stream) noexcept {
  if (clock::monotonic_ns() < retry_ring_at_ns_) return nullptr;
  const std::string name = std::to_string(stream);
  ring::Created made = ring::create(folder_.rings(), name.c_str(), stream, geometry_);
  if (made.ring == nullptr && folder_.rings() >= 0) made = ring::create(-1, name.c_str(), stream, geometry_);
  if (made.ring == nullptr) {
    ring_error_ = std::string("no ring: ") + strerror(made.error);
    retry_ring_at_ns_ = clock::monotonic_ns() + kRetryRingNs;
    return nullptr;
  }
  made_.push_back({made.ring, geometry_});
  return made.ring;
}

}  // namespace blkin::control
