// native/control/session.cc: see session.hpp.
#include "session.hpp"

#include "../ring/file.hpp"

#include <sys/random.h>
#include <unistd.h>

#include <cstring>

namespace blkin::control {

namespace {

constexpr uint32_t kLeasesMax = 256;
constexpr uint64_t kRetryRingNs = 1'000'000'000;
constexpr size_t kDeadKept = 8;

thrift::Hello describe_process(const Settings& settings) {
  thrift::Hello hello{};
  if (getrandom(hello.uuid.data(), hello.uuid.size(), 0) < 0) {
    const uint64_t now =
        clock::monotonic_ns();  // no entropy yet: this boot, this pid and this moment are unique too
    std::memcpy(hello.uuid.data(), &now, sizeof now);
  }
  hello.pid = getpid();
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  hello.hostname = name;
  hello.program = program_invocation_short_name;
  hello.boot_id = clock::boot_id();
  hello.clock_offset = clock::realtime_offset_ns();
  hello.started_at = static_cast<int64_t>(clock::monotonic_ns()) + hello.clock_offset;
  hello.ack = settings.ack;
  hello.token = settings.token;
  return hello;
}

}  // namespace

Session::Session(Registry& registry, Settings settings)
    : rseq_offset_(settings.lease ? 0 : ring::find_rseq_offset()),
      tsc_(!settings.monotonic && clock::tsc_is_fit()),
      fast_(rseq_offset_ != 0 && tsc_),
      registry_(registry),
      settings_(std::move(settings)),
      hello_(describe_process(settings_)),
      calibration_(tsc_) {
  sweep_dead(kDeadKept);
  folder_.create(hello_, settings_.relay.text(), tsc_, calibration_.first(),
                 ring::kHeaderBytes + settings_.geometry.capacity);
}

void Session::keep_tracepoints() {
  const std::lock_guard lock(mutex_);
  std::vector<thrift::Tracepoint> fresh;
  registry_.tracepoints(tracepoints_kept_, fresh);
  folder_.add_tracepoints(fresh);
  tracepoints_kept_ += fresh.size();
}

void Session::start() {
  if (consumer_ && !consumer_->stopped()) return;
  if (consumer_) consumer_->stop(0);
  consumer_ =
      std::make_unique<consumer::Consumer>(consumer::Options{settings_.relay, hello_}, *this, calibration_);
  consumer_->start();
}

void Session::wake() {
  if (consumer_) consumer_->wake();
}

bool Session::flush(uint64_t timeout_ms) { return !consumer_ || consumer_->flush(timeout_ms); }

bool Session::stop(uint64_t timeout_ms) {
  if (!consumer_) return true;
  delivered_ = consumer_->stop(timeout_ms);
  if (!consumer_->stopped()) static_cast<void>(consumer_.release());  // its thread still uses it
  return delivered_;
}

void Session::clean() {
  if (delivered_ || made_.empty()) folder_.remove();
}

void Session::write_slow(ring::Record record, Thread& thread) noexcept {
  if (leases()) write_leased(record, thread);
  else write_on_new_cpu(record);
}

void Session::write_on_new_cpu([[maybe_unused]] ring::Record& record) noexcept {
#if BLKIN_HAVE_RSEQ
  ring::RseqArea* area = ring::rseq_area(rseq_offset_);
  for (int tries = 0; tries < 3; ++tries) {  // the thread may be moved to a CPU without a ring in between
    if (!tsc_) record.ticks = clock::monotonic_ns();
    const ring::Result result = tsc_ ? ring::write_on_cpu<true>(area, by_cpu_.data(), record)
                                     : ring::write_on_cpu<false>(area, by_cpu_.data(), record);
    if (result != ring::Result::kNoRing) return;
    const uint32_t cpu = area->cpu_id;
    const std::lock_guard lock(mutex_);
    if (by_cpu_[cpu].load(std::memory_order_relaxed) != nullptr) continue;
    ring::Header* ring = make_ring(cpu);
    if (ring == nullptr) break;
    by_cpu_[cpu].store(ring, std::memory_order_release);
  }
#endif
  state().lost_no_ring.fetch_add(1, std::memory_order_relaxed);
}

void Session::write_leased(ring::Record& record, Thread& thread) noexcept {
  if (thread.leased == nullptr) {
    const std::lock_guard lock(mutex_);
    thread.leased = lease();
  }
  if (thread.leased == nullptr) {
    state().lost_no_ring.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  record.ticks = tsc_ ? clock::read_tsc() : clock::monotonic_ns();
  ring::write_leased(thread.leased, record);
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
  if (thread.leased == nullptr) return;
  const std::lock_guard lock(mutex_);
  free_leases_.push_back(thread.leased);
  thread.leased = nullptr;
}

// Holding the mutex. In the folder, else in anonymous memory, else not: and not again for a second, so that a full
// machine does not make every event try.
ring::Header* Session::make_ring(uint32_t stream) noexcept {
  if (clock::monotonic_ns() < retry_ring_at_ns_) return nullptr;
  const std::string name = std::to_string(stream);
  ring::Created made = ring::create(folder_.rings(), name.c_str(), stream, settings_.geometry);
  if (made.ring == nullptr && folder_.rings() >= 0)
    made = ring::create(-1, name.c_str(), stream, settings_.geometry);
  if (made.ring == nullptr) {
    ring_error_ = std::string("no ring: ") + strerror(made.error);
    retry_ring_at_ns_ = clock::monotonic_ns() + kRetryRingNs;
    return nullptr;
  }
  made_.push_back({made.ring, settings_.geometry});
  return made.ring;
}

std::vector<RingStatus> Session::rings_status() {
  const std::lock_guard lock(mutex_);
  std::vector<RingStatus> out;
  for (const consumer::Source& source : made_) {
    const ring::Header* ring = source.ring;
    out.push_back({ring->stream, ring->head.load(std::memory_order_relaxed),
                   ring->tail.load(std::memory_order_relaxed),
                   ring->lost_no_room.load(std::memory_order_relaxed),
                   ring->lost_too_big.load(std::memory_order_relaxed)});
  }
  return out;
}

std::string Session::ring_error() {
  const std::lock_guard lock(mutex_);
  return ring_error_;
}

consumer::Status Session::consumer_status() { return consumer_ ? consumer_->status() : consumer::Status{}; }

void Session::rings(std::vector<consumer::Source>& out) {
  const std::lock_guard lock(mutex_);
  out.insert(out.end(), made_.begin() + static_cast<ptrdiff_t>(out.size()), made_.end());
}

thrift::Lost Session::lost_without_ring() {
  return {0, 0, static_cast<int64_t>(state().lost_bad_value.load(std::memory_order_relaxed)),
          static_cast<int64_t>(state().lost_no_ring.load(std::memory_order_relaxed))};
}

void Session::calibrated(clock::Sample sample) {
  const uint32_t next = 1 - (state().newest.load(std::memory_order_relaxed) & 1);
  state().later[next] = sample;
  state().newest.store(next, std::memory_order_release);
}

}  // namespace blkin::control
