// native/process/session.cc: see session.hpp.
#include "session.hpp"

#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "../rules/check.hpp"

namespace blkin::control {

namespace {

constexpr size_t kSecretBytes = 16;
constexpr uint64_t kSettleUs = 1000;  // an emit takes less, unless its thread has no CPU

thrift::Hello describe_process(const Settings& settings, const thrift::SessionSpec& spec,
                               std::vector<thrift::Field> contexts) {
  thrift::Hello hello{};
  if (getrandom(hello.uuid.data(), hello.uuid.size(), 0) < 0) {
    const uint64_t now =
        clock::monotonic_ns();  // no entropy yet: this boot, this pid and this moment are unique too
    std::memcpy(hello.uuid.data(), &now, sizeof now);
  }
  uint8_t secret[kSecretBytes];  // without entropy it has none, and is as an older tracer's
  if (getrandom(secret, sizeof secret, 0) == static_cast<ssize_t>(sizeof secret))
    hello.secret.assign(std::begin(secret), std::end(secret));
  hello.pid = getpid();
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  hello.hostname = name;
  hello.program = settings.program;
  hello.boot_id = clock::boot_id();
  hello.clock_offset = std::max<int64_t>(clock::realtime_offset_ns(), 0);
  hello.started_at = process_start_ns();  // by it a relay knows sessions of one process
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

Session::Session(size_t number, Registry& registry, Threads& threads, const ProcessFolder& process,
                 const Settings& settings, thrift::SessionSpec spec, std::vector<SessionContext> contexts,
                 std::vector<thrift::Field> fields, std::function<void()> rules_came, SpareFolder* spare)
    : rseq_offset_(settings.lease ? 0 : ring::find_rseq_offset()),
      tsc_(!settings.monotonic && clock::tsc_is_fit()),
      fast_(rseq_offset_ != 0 && tsc_ && spec.channel.mode != thrift::Mode::kBlock),
      plain_(fast_ && contexts.empty()),
      number_(number),
      registry_(registry),
      threads_(threads),
      spec_(std::move(spec)),
      geometry_(geometry_of(spec_.channel)),
      contexts_(std::move(contexts)),
      context_word_(contexts_),
      has_cpu_(std::any_of(contexts_.begin(), contexts_.end(),
                           [](const SessionContext& context) { return context.slot == kCpuSlot; })),
      listens_(settings.listens && spec_.name == settings.session.name),
      rules_came_(std::move(rules_came)),
      hello_(describe_process(settings, spec_, std::move(fields))),
      calibration_(tsc_),
      spares_(spare) {
  const std::string relay = spec_.sends ? spec_.relay : "";
  folder_.create(process, hello_, relay, tsc_, calibration_.first());
  if (!folder_.path().empty() || spares_ == nullptr) return;
  if (const ProcessFolder* other = spares_->get(ring::kHeaderBytes + geometry_.capacity))
    folder_.create(*other, hello_, relay, tsc_, calibration_.first());
}

Session::~Session() {
  delete spare_.load();
  for (const consumer::Source& source : made_)
    munmap(source.ring, ring::kHeaderBytes + source.geometry.capacity);
}

void Session::start() {
  const std::lock_guard lock(mutex_);
  if (!spec_.sends || (consumer_ && !consumer_->stopped())) return;
  if (consumer_) consumer_->stop(0);
  consumer_ = std::make_shared<consumer::Consumer>(
      consumer::Options{thrift::address_of(spec_.relay), hello_, listens_, !spec_.attached}, *this,
      calibration_);
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
    if (SessionFolder* spare = spare_.load()) spare->set_relay(hello_, spec_.relay);
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

void Session::begin_stop(uint64_t timeout_ms, consumer::Unreached unreached) {
  if (const auto running = consumer()) running->begin_stop(timeout_ms, unreached);
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

std::vector<RingStatus> Session::rings_status() {
  const std::lock_guard lock(mutex_);
  std::vector<RingStatus> out;
  for (const consumer::Source& source : made_) {
    const ring::Header* ring = source.ring;
    const Channel channel = ring->stream < first_stream(Channel::kSpans) ? Channel::kEvents : Channel::kSpans;
    out.push_back({channel, ring->stream, ring->head.load(std::memory_order_relaxed),
                   ring->tail.load(std::memory_order_relaxed),
                   ring->lost_no_room.load(std::memory_order_relaxed),
                   ring->lost_too_big.load(std::memory_order_relaxed)});
  }
  return out;
}

void Session::remove_folder() {
  folder_.remove();
  if (SessionFolder* spare = spare_.load()) spare->remove();
}

size_t Session::rings_in_memory() {
  const std::lock_guard lock(mutex_);
  return rings_in_memory_;
}

std::string Session::memory_error() {
  const std::lock_guard lock(mutex_);
  return memory_error_;
}

std::string Session::spare_path() {
  const SessionFolder* spare = spare_.load();
  return spare != nullptr ? spare->path() : "";
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
  lost.unstored = static_cast<int64_t>(consumer_status().unstored);
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

bool Session::settled() { return threads_.quiet(kSettleUs); }

thrift::Lost Session::lost_without_ring() {
  thrift::Lost lost{};
  lost.bad_value = static_cast<int64_t>(state().lost_bad_value.load(std::memory_order_relaxed));
  lost.no_ring = static_cast<int64_t>(state().lost_no_ring.load(std::memory_order_relaxed));
  return lost;
}

// All that was sent, or looked at, is older than the sample before.
void Session::calibrated(clock::Sample sample) {
  const uint32_t before = state().newest.load(std::memory_order_relaxed) & 1;
  state().epochs.look(state().later[before].ns);
  folder_.calibrated(sample);
  if (SessionFolder* spare = spare_.load(std::memory_order_acquire)) spare->follow(folder_);
}

bool Session::look_at_clocks() {
  const std::lock_guard lock(mutex_);
  if (consumer_) return false;
  if (calibration_.sample()) calibrated(calibration_.last());
  return true;
}

}  // namespace blkin::control
