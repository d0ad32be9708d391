// native/process/session.hpp: a consumer of events and the rings that feed it. The emit path calls write(); all
// else is cold. Rings are made on the first event of their CPU (or thread, where there is no rseq), by the thread
// that emits it, once. Start reading at write().
//
// It may be destroyed once its place in the registry is closed, no emitter can be inside it (thread.hpp), and ended().
#pragma once

#include <array>
#include <atomic>
#include <cerrno>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "../consumer/consumer.hpp"
#include "../folder/folder.hpp"
#include "../ring/file.hpp"
#include "../ring/write.hpp"
#include "../rules/registry.hpp"
#include "../thrift/control.hpp"
#include "spare_folder.hpp"
#include "thread.hpp"

namespace blkin::control {

// Of a process, from its environment.
struct Settings {
  std::string program = program_invocation_short_name;
  std::string version;     // of blkin
  bool lease = false;      // as if there were no rseq
  bool monotonic = false;  // as if the TSC were unfit
  bool listens = false;    // a relay was named, so its rules are asked for also while nothing is on
  thrift::SessionSpec session = to_relay("default", "127.0.0.1:4650");

  static thrift::SessionSpec to_relay(const std::string& name, const std::string& relay) {
    thrift::SessionSpec spec;
    spec.name = name;
    spec.sends = true;
    spec.relay = relay;
    return spec;
  }
};

struct RingStatus {
  Channel channel;
  uint32_t stream;
  uint64_t head, tail, lost_no_room, lost_too_big;
};

class Session final : public consumer::Supply {
 public:
  // number: its place in the registry. threads: all that may emit. contexts: found for spec.contexts. rules_came: called
  // on the consumer's thread after the relay's rules were applied. spare: for rings that `process` does not take.
  Session(
      size_t number, Registry& registry, Threads& threads, const ProcessFolder& process,
      const Settings& settings, thrift::SessionSpec spec, std::vector<SessionContext> contexts,
      std::vector<thrift::Field> fields, std::function<void()> rules_came = [] {},
      SpareFolder* spare = nullptr);
  ~Session() override;

  // Puts a record into its channel's ring of this moment's CPU, or counts it as lost. Never throws.
  // payload: behind kContextBytesMax bytes that may be written to, where the session's contexts go.
  [[gnu::always_inline]] void write(Event event, uint32_t length, uint64_t* payload,
                                    Thread& thread) noexcept {
#if BLKIN_HAVE_RSEQ
    if (plain_) [[likely]] {
      ring::RseqArea* area = ring::rseq_area(rseq_offset_);
      const ring::Record record{event.id(), length, payload, 0};
      if (ring::is_done(ring::write_on_cpu<true>(area, rings_of(event), record))) [[likely]]
        return;
    }
#endif
    write_otherwise(event, length, payload, thread);
  }

#if BLKIN_HAVE_RSEQ
  // The same for an event that several sessions take, at one time for all (ring/write.hpp): first look(), of all, then this.
  // ring: null where the way is another one.
  [[gnu::always_inline]] ring::Seen look(Event event) noexcept {
    return fast_ ? ring::look(ring::rseq_area(rseq_offset_), rings_of(event)) : ring::Seen{};
  }
  [[gnu::always_inline]] void write(Event event, uint32_t length, uint64_t* payload, Thread& thread,
                                    const ring::Seen& seen, uint64_t ticks) noexcept {
    if (seen.ring == nullptr) [[unlikely]] {
      write_otherwise(event, length, payload, thread);
      return;
    }
    const void* whole = plain_ ? payload : in_context(payload, length, thread);
    if (!ring::write_unchanged(ring::rseq_area(rseq_offset_), seen, {event.id(), length, whole, ticks}))
        [[unlikely]]
      write_whole(event, length, whole, thread);
  }
#endif

  void count_bad_value() noexcept { state().lost_bad_value.fetch_add(1, std::memory_order_relaxed); }
  void give_back(Thread& thread) noexcept;

  // Starts the consumer, or starts it again where it had ended with the last thread. Nothing to do without a relay.
  void start();
  // Whom to send to, where it had none: what the rings hold goes there.
  void send_to(const thrift::SessionSpec& spec);
  void wake();
  // Where no consumer does it: looks at the clocks. False: one does.
  bool look_at_clocks();
  // May outlive the session's end: a wait for it must not hold the session.
  std::shared_ptr<consumer::Consumer> consumer();
  // Asks the consumer to deliver what the rings hold and to end; ended() is true once it has, or never ran.
  void begin_stop(uint64_t timeout_ms, consumer::Unreached unreached);
  bool ended();
  // After ended(): whether all was delivered.
  bool delivered();

  // Once nothing will be emitted any more: removes the folder.
  void remove_folder();
  bool holds_events();

  size_t number() const { return number_; }
  // The controller whose end is this session's too; 0: none. The process's lock guards it.
  uint64_t owner() const { return owner_; }
  void attach_to(uint64_t controller) { owner_ = controller; }
  const thrift::SessionSpec& spec() const { return spec_; }
  const std::vector<SessionContext>& contexts() const { return contexts_; }
  thrift::SessionState describe();
  const thrift::Hello& hello() const { return hello_; }
  const SessionFolder& folder() const { return folder_; }
  bool tsc() const { return tsc_; }
  bool leases() const { return rseq_offset_ == 0; }
  std::vector<RingStatus> rings_status();
  consumer::Status consumer_status();
  std::string ring_error();
  // Of rings that no folder took, so that a kill loses what they hold: how many, and why.
  size_t rings_in_memory();
  std::string memory_error();
  std::string spare_path();
  thrift::Lost lost();

  // consumer::Supply
  void rings(std::vector<consumer::Source>& out) override;
  void tracepoints(size_t from, std::vector<thrift::Tracepoint>& out) override {
    registry_.tracepoints(from, out);
  }
  thrift::Lost lost_without_ring() override;
  bool wanted() override { return registry_.count_on(number_) > 0; }
  bool settled() override;
  void calibrated(clock::Sample sample) override;
  const clock::EpochTable& epochs() override { return folder_.state()->epochs; }
  bool enabled(uint64_t& seen, thrift::Enabled& out) override {
    return registry_.enabled(number_, seen, out);
  }
  void take_rules(const thrift::RuleSet& rules) override;

 private:
  // With contexts, or slow.
  [[gnu::noinline]] void write_otherwise(Event event, uint32_t length, uint64_t* payload,
                                         Thread& thread) noexcept;
  // Puts the session's contexts before the payload, as they stand in the thread's block. Returns where the record's payload
  // begins then, and adds to its length.
  [[gnu::noinline]] const void* in_context(uint64_t* payload, uint32_t& length, Thread& thread) noexcept;
  uint32_t current_cpu() const noexcept;
  void write_whole(Event event, uint32_t length, const void* whole, Thread& thread) noexcept;
  // The ways that are not the common one: a CPU without a ring, a consumer that sleeps, a clock that is not the TSC, a
  // leased ring, a full ring whose emitters wait.
  [[gnu::noinline, gnu::cold]] void write_slow(Event event, uint32_t length, const void* whole,
                                               Thread& thread) noexcept;
  void write_waiting(ring::Record& record, Event event, Thread& thread) noexcept;
  template <ring::NoRoom kWho>
  ring::Result try_write(ring::Record& record, Event event, Thread& thread, ring::Header*& ring) noexcept;
  template <ring::NoRoom kWho>
  ring::Result try_ring(ring::Record& record, Event event, Thread& thread, ring::Header*& ring) noexcept;
  ring::Header* leased_ring(Channel channel, Thread& thread) noexcept;
  uint64_t overwritten();
  ring::Header* make_ring(Channel channel, uint32_t number) noexcept;
  ring::Created create_ring(Channel channel, uint32_t number) noexcept;
  SessionFolder* spare_folder() noexcept;
  ring::Header* lease(Channel channel) noexcept;
  State& state() noexcept { return *folder_.state(); }
  std::atomic<ring::Header*>* rings_of(Event event) noexcept {
    return by_cpu_.data() + static_cast<size_t>(event.channel()) * ring::kCpuMax;
  }

  // Read by every event, written at most once a CPU: kept together, ahead of what changes.
  ptrdiff_t rseq_offset_;
  bool tsc_;
  bool fast_;   // rseq and the TSC are there, and nobody waits for room
  bool plain_;  // ... and there are no contexts
  std::array<std::atomic<ring::Header*>, kChannels.size() * ring::kCpuMax> by_cpu_{};  // by channel

  size_t number_;
  uint64_t owner_ = 0;
  Registry& registry_;
  Threads& threads_;
  thrift::SessionSpec spec_;
  ring::Geometry geometry_;
  std::vector<SessionContext> contexts_;
  ContextWord context_word_;
  bool has_cpu_;  // among the contexts
  bool listens_;
  std::function<void()> rules_came_;
  thrift::Hello hello_;
  clock::Calibration calibration_;
  SessionFolder folder_;
  SpareFolder* spares_;
  std::atomic<SessionFolder*> spare_{nullptr};  // in the process's spare folder: owned, made once

  std::mutex mutex_;  // guards what follows; emitters take it only to make or lease a ring
  std::shared_ptr<consumer::Consumer> consumer_;
  std::vector<consumer::Source> made_;
  struct Leases {
    std::vector<ring::Header*> free;
    uint32_t made = 0;
  };
  std::array<Leases, kChannels.size()> leases_;  // by channel
  uint64_t retry_ring_at_ns_ = 0;
  std::string ring_error_;
  size_t rings_in_memory_ = 0;
  std::string memory_error_;
};

}  // namespace blkin::control
