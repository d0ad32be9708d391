// native/process/session_write.cc: an event's ways into a session's rings that are not the common one, which is write()
// in session.hpp: contexts before the payload, emitters that wait, leased rings, and rings that are not made yet.
#include <sched.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <utility>

#include "../consumer/stderr.hpp"
#include "../points.hpp"
#include "session.hpp"

namespace blkin::control {

namespace {

constexpr uint32_t kLeasesMax = 256;
constexpr uint64_t kRetryRingNs = 1'000'000'000;
constexpr useconds_t kRoomPauseUs = 100;

// Of the rings of a process the first that is not as it should be: the others are like it.
void tell_trouble(const std::string& what) {
  static std::atomic_flag told = ATOMIC_FLAG_INIT;
  if (!told.test_and_set()) consumer::tell_stderr(what);
}

std::string cure_of(int error, uint64_t bytes) {
  switch (error) {
    case EFBIG:
      return "ulimit -f is below the " + std::to_string(bytes) + " bytes of a ring";
    case EMFILE:
    case ENFILE:
      return "no file descriptor is left: more with ulimit -n";
    case ENOSPC:
    case ENOMEM:
      return "a ring takes " + std::to_string(bytes) + " bytes: less with BLKIN_BUFFER";
    default:
      return "rings need fallocate and memfd_create";
  }
}

}  // namespace

void Session::write_otherwise(Event event, uint32_t length, uint64_t* payload, Thread& thread) noexcept {
  const void* whole = contexts_.empty() ? payload : in_context(payload, length, thread);
  write_whole(event, length, whole, thread);
}

const void* Session::in_context(uint64_t* payload, uint32_t& length, Thread& thread) noexcept {
  if (has_cpu_) thread.contexts->number[kCpuSlot] = current_cpu();
  auto* const end = reinterpret_cast<uint8_t*>(payload);
  const ContextBlock& block = *thread.contexts;
  uint8_t* const begin =
      context_word_.fits() ? context_word_.put(block, end) : put_contexts(contexts_, block, end);
  const auto before = static_cast<uint32_t>(end - begin);
  length =
      length <= ring::kPayloadMax - before ? length + before : ring::kPayloadMax + 1;  // the ring counts it
  return begin;
}

uint32_t Session::current_cpu() const noexcept {
#if BLKIN_HAVE_RSEQ
  if (rseq_offset_ != 0) return ring::rseq_area(rseq_offset_)->cpu_id;
#endif
  return static_cast<uint32_t>(sched_getcpu());
}

void Session::write_whole(Event event, uint32_t length, const void* whole, Thread& thread) noexcept {
#if BLKIN_HAVE_RSEQ
  if (fast_) [[likely]] {
    const ring::Record record{event.id(), length, whole, 0};
    if (ring::is_done(ring::write_on_cpu<true>(ring::rseq_area(rseq_offset_), rings_of(event), record)))
        [[likely]]
      return;
  }
#endif
  write_slow(event, length, whole, thread);
}

void Session::write_slow(Event event, uint32_t length, const void* whole, Thread& thread) noexcept {
  ring::Record record{event.id(), length, whole, 0};
  if (spec_.channel.mode == thrift::Mode::kBlock) {
    write_waiting(record, event, thread);
    return;
  }
  ring::Header* ring = nullptr;
  try_write<ring::NoRoom::kCounted>(record, event, thread, ring);
}

// An emitter that waits keeps its CPU's other threads running; the consumer needs no lock of ours to make room.
void Session::write_waiting(ring::Record& record, Event event, Thread& thread) noexcept {
  const uint64_t until = clock::monotonic_ns() + static_cast<uint64_t>(spec_.channel.block_ms) * 1'000'000;
  for (;;) {
    ring::Header* ring = nullptr;
    if (try_write<ring::NoRoom::kTold>(record, event, thread, ring) != ring::Result::kNoRoom) return;
    if (clock::monotonic_ns() >= until) {
      if (ring != nullptr) ring::refuse(ring, ring::Result::kNoRoom);
      return;
    }
    wake();
    usleep(kRoomPauseUs);
  }
}

// `ring`: the one that was asked. A consumer that sleeps is woken once the record is there, so that its look finds it: until
// then this emit is under way, and the consumer cannot go to sleep again without it.
template <ring::NoRoom kWho>
ring::Result Session::try_write(ring::Record& record, Event event, Thread& thread,
                                ring::Header*& ring) noexcept {
  ring::Result result = try_ring<kWho>(record, event, thread, ring);
  if (result != ring::Result::kAsleep) return result;
  do {
    ring::rouse(ring);
    BLKIN_POINT("reader-roused");
    result = try_ring<kWho>(record, event, thread, ring);
  } while (result ==
           ring::Result::kAsleep);  // by then on another CPU, or the consumer had just tried to rest
  BLKIN_POINT("record-behind-sleeper");
  wake();
  BLKIN_POINT("reader-woken");
  return result;
}

template <ring::NoRoom kWho>
ring::Result Session::try_ring(ring::Record& record, Event event, Thread& thread,
                               ring::Header*& ring) noexcept {
  if (leases()) {
    ring = leased_ring(event.channel(), thread);
    if (ring == nullptr) return ring::Result::kNoRing;
    record.ticks = tsc_ ? clock::read_tsc() : clock::monotonic_ns();
    return ring::write_leased<kWho>(ring, record);
  }
#if BLKIN_HAVE_RSEQ
  ring::RseqArea* area = ring::rseq_area(rseq_offset_);
  std::atomic<ring::Header*>* const rings = rings_of(event);
  for (int tries = 0; tries < 3; ++tries) {  // the thread may be moved to a CPU without a ring in between
    if (!tsc_) record.ticks = clock::monotonic_ns();
    const uint32_t cpu = area->cpu_id;
    ring = rings[cpu].load(std::memory_order_acquire);
    const ring::Result result = tsc_ ? ring::write_on_cpu<true, kWho>(area, rings, record)
                                     : ring::write_on_cpu<false, kWho>(area, rings, record);
    if (result == ring::Result::kAsleep && ring == nullptr) continue;  // it was moved, to where it sleeps
    if (result != ring::Result::kNoRing) return result;
    const std::lock_guard lock(mutex_);
    if (rings[cpu].load(std::memory_order_relaxed) != nullptr) continue;
    ring::Header* made = make_ring(event.channel(), cpu);
    if (made == nullptr) break;
    rings[cpu].store(made, std::memory_order_release);
  }
#endif
  state().lost_no_ring.fetch_add(1, std::memory_order_relaxed);
  return ring::Result::kNoRing;
}

// Null, and counted, where none can be had.
ring::Header* Session::leased_ring(Channel channel, Thread& thread) noexcept {
  ring::Header*& leased = thread.leased[number_][static_cast<size_t>(channel)];
  if (leased == nullptr) {
    const std::lock_guard lock(mutex_);
    leased = lease(channel);
  }
  if (leased == nullptr) state().lost_no_ring.fetch_add(1, std::memory_order_relaxed);
  return leased;
}

ring::Header* Session::lease(Channel channel) noexcept {
  Leases& leases = leases_[static_cast<size_t>(channel)];
  if (!leases.free.empty()) {
    ring::Header* ring = leases.free.back();
    leases.free.pop_back();
    return ring;
  }
  if (leases.made >= kLeasesMax) return nullptr;
  ring::Header* ring = make_ring(channel, static_cast<uint32_t>(consumer::kFirstLeasedStream) + leases.made);
  if (ring != nullptr) ++leases.made;
  return ring;
}

void Session::give_back(Thread& thread) noexcept {
  Thread::Leased& leased = thread.leased[number_];
  const std::lock_guard lock(mutex_);
  for (size_t channel = 0; channel < leased.size(); ++channel)
    if (leased[channel] != nullptr) leases_[channel].free.push_back(std::exchange(leased[channel], nullptr));
}

// Holding the mutex. Where it cannot be had it is not tried again for a second, so that a full machine does not make every
// event try.
ring::Header* Session::make_ring(Channel channel, uint32_t number) noexcept {
  if (clock::monotonic_ns() < retry_ring_at_ns_) return nullptr;
  const ring::Created made = create_ring(channel, number);
  if (made.ring == nullptr) {
    ring_error_ = std::string("no ring: ") + strerror(made.error) + "; " +
                  cure_of(made.error, ring::kHeaderBytes + geometry_.capacity);
    if (!spec_.attached) tell_trouble("not traced: " + ring_error_);
    retry_ring_at_ns_ = clock::monotonic_ns() + kRetryRingNs;
    return nullptr;
  }
  made_.push_back({made.ring, geometry_});
  if (consumer_) consumer_->wake();  // it may sleep, and knows of the rings before
  return made.ring;
}

// In the folder, else in the spare one, else in anonymous memory, which is told.
ring::Created Session::create_ring(Channel channel, uint32_t number) noexcept {
  const std::string name = std::to_string(number);
  const uint32_t stream = first_stream(channel) + number;
  std::string why = folder_.error();
  const int folder = folder_.rings(channel);
  if (folder >= 0) {
    const ring::Created made = ring::create(folder, name.c_str(), stream, geometry_);
    if (made.ring != nullptr) return made;
    why = folder_.path() + ": " + strerror(made.error);
  }
  if (SessionFolder* spare = spare_folder()) {
    const ring::Created made = ring::create(spare->rings(channel), name.c_str(), stream, geometry_);
    if (made.ring != nullptr) return made;
    why += "; " + spare->path() + ": " + strerror(made.error);
  }
  const ring::Created made = ring::create(-1, name.c_str(), stream, geometry_);
  if (made.ring == nullptr) return made;
  ++rings_in_memory_;
  memory_error_ = "no folder for rings: " + why + "; they are in memory, so a kill loses what they hold";
  const char* const unreachable = folder_.path().empty() ? ", and no blkin command finds this process" : "";
  if (!spec_.attached) tell_trouble(memory_error_ + unreachable);
  return made;
}

// This session's part of the process's spare folder. Null where there is none.
SessionFolder* Session::spare_folder() noexcept {
  if (spare_.load() != nullptr || spares_ == nullptr) return spare_.load();
  const ProcessFolder* process = spares_->get(ring::kHeaderBytes + geometry_.capacity);
  if (process == nullptr) return nullptr;
  auto made = std::make_unique<SessionFolder>();
  made->create_beside(*process, folder_);
  if (!made->path().empty()) spare_.store(made.release(), std::memory_order_release);
  return spare_.load();
}

}  // namespace blkin::control
