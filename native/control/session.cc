// native/control/session.cc: see session.hpp.
#include "session.hpp"

#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "../ring/file.hpp"
#include "check.hpp"

namespace blkin::control {

namespace {

constexpr uint32_t kLeasesMax = 256;
constexpr uint64_t kRetryRingNs = 1'000'000'000;
constexpr useconds_t kRoomPauseUs = 100;

thrift::Hello describe_process(const Settings& settings, const thrift::SessionSpec& spec,
                               std::vector<thrift::Field> contexts) {
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
  hello.program = settings.program;
  hello.boot_id = clock::boot_id();
  hello.clock_offset = clock::realtime_offset_ns();
  hello.started_at = static_cast<int64_t>(clock::monotonic_ns()) + hello.clock_offset;
  hello.ack = spec.ack;
  hello.token = spec.token;
  hello.session = spec.name;
  hello.contexts = std::move(contexts);
  return hello;
}

ring::Geometry geometry_of(const thrift::Channel& channel) {
  const auto sub_buffer = static_cast<uint64_t>(channel.sub_buffer_bytes);
  const bool overwrites = channel.mode == thrift::Mode::kOverwrite;
  return {sub_buffer, sub_buffer * static_cast<uint64_t>(channel.sub_buffers),
          overwrites ? ring::Mode::kOverwrite : ring::Mode::kDiscard};
}

}  // namespace

thrift::Address address_of(const std::string& text) {
  const size_t colon = text.rfind(':');
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return {host, colon == std::string::npos ? "" : text.substr(colon + 1)};
}

Session::Session(size_t number, Registry& registry, const ProcessFolder& process, const Settings& settings,
                 thrift::SessionSpec spec, std::vector<SessionContext> contexts,
                 std::vector<thrift::Field> fields, std::function<void()> rules_came)
    : rseq_offset_(settings.lease ? 0 : ring::find_rseq_offset()),
      tsc_(!settings.monotonic && clock::tsc_is_fit()),
      fast_(rseq_offset_ != 0 && tsc_ && spec.channel.mode != thrift::Mode::kBlock),
      number_(number),
      registry_(registry),
      spec_(std::move(spec)),
      geometry_(geometry_of(spec_.channel)),
      contexts_(std::move(contexts)),
      listens_(settings.listens && spec_.name == settings.session.name),
      rules_came_(std::move(rules_came)),
      hello_(describe_process(settings, spec_, std::move(fields))),
      calibration_(tsc_) {
  folder_.create(process, hello_, spec_.sends ? spec_.relay : "", tsc_, calibration_.first());
}

Session::~Session() {
  for (const consumer::Source& source : made_)
    munmap(source.ring, ring::kHeaderBytes + source.geometry.capacity);
}

void Session::start() {
  const std::lock_guard lock(mutex_);
  if (!spec_.sends || (consumer_ && !consumer_->stopped())) return;
  if (consumer_) consumer_->stop(0);
  consumer_ = std::make_shared<consumer::Consumer>(
      consumer::Options{address_of(spec_.relay), hello_, listens_, !spec_.attached}, *this, calibration_);
  consumer_->start();
}

void Session::send_to(const thrift::SessionSpec& spec) {
  {
    const std::lock_guard lock(mutex_);
    spec_.sends = true;
    spec_.relay = spec.relay;
    spec_.token = hello_.token = spec.token;
    spec_.ack = hello_.ack = spec.ack;
    folder_.set_relay(hello_, spec_.relay);
  }
  start();
}

std::shared_ptr<consumer::Consumer> Session::consumer() {
  const std::lock_guard lock(mutex_);
  return consumer_;
}

void Session::wake() {
  if (const auto running = consumer()) running->wake();
}

void Session::begin_stop(uint64_t timeout_ms) {
  if (const auto running = consumer()) running->begin_stop(timeout_ms);
}

bool Session::ended() {
  const auto running = consumer();
  return !running || running->ended();
}

bool Session::delivered() {
  const auto running = consumer();
  return running ? running->stop(0) : !holds_events();
}

bool Session::holds_events() {
  const std::lock_guard lock(mutex_);
  return std::any_of(made_.begin(), made_.end(),
                     [](const consumer::Source& source) { return ring::committed(source.ring) > 0; });
}

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

consumer::Status Session::consumer_status() {
  const auto running = consumer();
  return running ? running->status() : consumer::Status{};
}

thrift::Lost Session::lost() {
  thrift::Lost lost = lost_without_ring();
  for (const RingStatus& ring : rings_status()) {
    lost.no_room += static_cast<int64_t>(ring.lost_no_room);
    lost.too_big += static_cast<int64_t>(ring.lost_too_big);
  }
  lost.overwritten = static_cast<int64_t>(overwritten());
  return lost;
}

// Where nobody reads, all that the rings have given up.
uint64_t Session::overwritten() {
  if (const auto running = consumer()) return running->status().overwritten;
  if (spec_.channel.mode != thrift::Mode::kOverwrite) return 0;
  const std::lock_guard lock(mutex_);
  uint64_t records = 0;
  for (const consumer::Source& source : made_)
    records += ring::kept(source.ring, source.geometry.sub_buffer_bytes).before;
  return records;
}

thrift::SessionState Session::describe() {
  const consumer::Status consumer = consumer_status();
  thrift::SessionState out;
  out.spec = spec_;
  out.uuid = hello_.uuid;
  out.relay_state = spec_.sends ? consumer.state : "none";
  out.relay_error = consumer.error;
  out.events = static_cast<int64_t>(consumer.acknowledged);
  out.bytes_sent = static_cast<int64_t>(consumer.bytes_sent);
  out.lost = lost();
  out.rules = registry_.rules(number_);
  out.enabled = static_cast<int32_t>(registry_.count_on(number_));
  const std::lock_guard lock(mutex_);
  out.ring_bytes = static_cast<int64_t>(made_.size() * geometry_.capacity);
  return out;
}

// On the consumer's thread.
void Session::take_rules(const thrift::RuleSet& set) {
  std::vector<thrift::Rule> rules;
  for (const thrift::Rule& rule : set.rules)
    if (wrong_rule(rule).empty()) rules.push_back(rule);
  registry_.replace_relay_rules(number_, std::move(rules));
  rules_came_();
}

void Session::rings(std::vector<consumer::Source>& out) {
  const std::lock_guard lock(mutex_);
  out.insert(out.end(), made_.begin() + static_cast<ptrdiff_t>(out.size()), made_.end());
}

thrift::Lost Session::lost_without_ring() {
  thrift::Lost lost{};
  lost.bad_value = static_cast<int64_t>(state().lost_bad_value.load(std::memory_order_relaxed));
  lost.no_ring = static_cast<int64_t>(state().lost_no_ring.load(std::memory_order_relaxed));
  return lost;
}

void Session::calibrated(clock::Sample sample) {
  const uint32_t next = 1 - (state().newest.load(std::memory_order_relaxed) & 1);
  state().later[next] = sample;
  state().newest.store(next, std::memory_order_release);
}

}  // namespace blkin::control
