// native/control/registry.hpp: the tracepoints this process declared, the rules that stand in each session, and the flags
// that follow from both. Any thread may call; the emit path only reads flags() and gate(). A rule is kept and applied
// again to every later declaration; of those that cover a tracepoint the last decides. Start reading at enable().
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "../thrift/messages.hpp"
#include "context.hpp"
#include "gate.hpp"
#include "layout.hpp"

namespace blkin::control {

constexpr size_t kTracepointsMax = 16384;
static_assert(kTracepointsMax == Event::kIds);
constexpr size_t kFormsMax =
    64;  // of one name: who edits a declaration while it runs, and reloads it, has a few
constexpr size_t kRulesMax = 1024;

struct Declared {
  int32_t id;            // -1: refused
  std::string conflict;  // the first schema of a name that has kFormsMax; empty where the table is full
};

// What a change of rules came to.
struct Outcome {
  uint32_t rule = 0;               // its id; 0: none was added
  bool full = false;               // kRulesMax stood, and nothing was changed
  uint32_t covered = 0;            // declared tracepoints that it covers by name and level
  uint32_t fitting = 0;            // and that its filter fits
  std::vector<std::string> unfit;  // the others: "provider:event: why"; the first 64
};

// Flags: the sessions that want a tracepoint, a bit each, and 8 bits up those of them that have more to ask first: a
// gate to pass, or contexts that JavaScript puts into the thread's block.
constexpr uint16_t kGated = 256;

// What an emitter in JavaScript has asked of an event already, as lib/gates.ts makes it; 0: nothing.
//   | low half of the tracepoint's generation, 16 bits | sessions that take it, 8 bits | sessions that refuse it, 8 bits |
using Asked = uint32_t;

// A gate as JavaScript asks it.
struct GateText {
  size_t session;
  thrift::SampleRate sample;
  std::string filter;  // empty: none
};

class Registry {
 public:
  explicit Registry(ContextTable& contexts) : contexts_(contexts) {}
  ~Registry();  // of tests: a process's own is never destroyed
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // The same name with the same schema is the same tracepoint, and with another one a tracepoint beside it; `schema` is
  // its one canonical text.
  Declared declare(thrift::Tracepoint tracepoint, const std::string& schema);

  // A session's place. `contexts`: the slots that its events carry.
  void open(size_t session, uint32_t contexts);
  // From the next emit on nothing more comes; its rules are gone, and it takes no more of them until the next open().
  void close(size_t session);
  // `to` takes the rules and the tracepoints of `from`: every emit meets one of the two, and none meets both.
  void hand_over(size_t from, size_t to);

  // A rule of a controller, a standing one or the relay's moves to the end where the same one stands already.
  Outcome enable(size_t session, thrift::Rule rule);
  bool disable(size_t session, uint32_t id);
  // Ends the rules of just this pattern; where others still cover it, one that switches off stands over them.
  Outcome disable(size_t session, const std::string& pattern, thrift::Origin origin);
  // The relay's rules, in place of those it gave before; behind all others.
  void replace_relay_rules(size_t session, std::vector<thrift::Rule> rules);

  std::vector<thrift::Rule> rules(size_t session);
  uint32_t deciding_rule(size_t session, size_t id);  // 0: off
  // What is on, with the rules that say so as far as they fit a frame; false where `seen`, which counts changes, says
  // that it is known.
  bool enabled(size_t session, uint64_t& seen, thrift::Enabled& out);
  size_t size();
  void tracepoints(size_t from, std::vector<thrift::Tracepoint>& out);
  const Layout* layout(int32_t id);  // lives as long as the process
  uint32_t count_on(size_t session) const noexcept {
    return sessions_[session].on.load(std::memory_order_relaxed);
  }
  uint32_t count_on() noexcept;  // in any session

  // JavaScript reads it without a fence; a change is seen as soon as the cache line comes, and an event more or less at
  // that moment is nobody's error.
  std::atomic<uint16_t>* flags() noexcept { return flags_.data(); }
  // Rises with each change of a flag or a gate, and before the flag does. For a shared view, as flags() is.
  std::atomic<uint32_t>* generations() noexcept { return generations_.data(); }
  // What emitters in JavaScript can ask for tracepoint `id`: the gates of sessions without contexts.
  std::vector<GateText> gates(size_t id, uint32_t& generation);
  // What is left to do for an event of which JavaScript has asked this much. Where rules have changed since, all.
  uint16_t left_to_ask(uint16_t id, uint16_t want, Asked asked) const noexcept {
    // Read behind the flag: a flag of a later generation comes with that generation.
    if ((generations_[id].load(std::memory_order_relaxed) & 0xFFFF) != asked >> 16) return want;
    const unsigned refused = asked & 255U;
    const unsigned taken = asked >> 8 & 255U;
    return static_cast<uint16_t>(want & ~(refused | (refused | taken) * kGated));
  }
  // A flag, for emitters.
  uint16_t wanted(uint16_t id) const noexcept { return flags_[id].load(std::memory_order_acquire); }
  // Null: pass. Only between Inside's two ends.
  const Gate* gate(size_t session, uint16_t id) const noexcept {
    const GateTable* table = sessions_[session].gates.load(std::memory_order_acquire);
    return table == nullptr ? nullptr : (*table)[id].load(std::memory_order_acquire);
  }
  // The contexts that JavaScript must stage before a gated event, a bit each slot. For a shared view, as flags() is.
  std::atomic<uint32_t>* script_contexts() noexcept { return &script_contexts_; }

  // Whether a session or a filter asks for the CPU, which is another one at each event.
  bool cpu_wanted() const noexcept { return cpu_wanted_.load(std::memory_order_relaxed); }

  // The gates that rules no longer need. To be freed once no emitter can be inside.
  std::vector<std::unique_ptr<const Gate>> take_retired();

 private:
  using GateTable = std::array<std::atomic<const Gate*>, kTracepointsMax>;

  struct Entry {
    thrift::Tracepoint tracepoint;
    std::string name;
    std::string schema;
    std::unique_ptr<const Layout> layout;
  };

  struct Standing {
    thrift::Rule rule;
    std::vector<int8_t> fits;  // its filter, by tracepoint: 1 yes, -1 no, 0 not asked yet
    uint32_t contexts = 0;     // that its filter asks for
  };

  struct Session {
    std::vector<Standing> rules;
    bool closed = false;  // its consumer may still bring rules while it delivers the rest
    uint32_t next_rule = 1;
    uint32_t contexts = 0;
    std::vector<uint32_t> deciding;          // by tracepoint: the rule that switches it on, or 0
    uint64_t changes = 1;                    // of `deciding`
    std::atomic<GateTable*> gates{nullptr};  // made with the first gate, and kept
    std::atomic<uint32_t> on{0};
  };

  bool fits(Standing& rule, size_t id, std::unique_ptr<const Filter>* filter, std::string* why);
  Standing* deciding(Session& session, size_t id, std::unique_ptr<const Filter>& filter);
  void apply(size_t session, size_t id, size_t instead_of);
  void apply_all(size_t session);
  void set_gate(Session& session, size_t id, std::unique_ptr<const Gate> gate);
  void drop_idle(Session& session);
  void note_contexts();
  Outcome describe(Standing& rule);

  ContextTable& contexts_;
  std::mutex mutex_;
  std::vector<Entry> entries_;
  std::unordered_map<std::string, std::vector<size_t>> by_name_;
  std::array<Session, kSessionsMax> sessions_;
  std::vector<std::unique_ptr<const Gate>> retired_;
  std::atomic<uint32_t> script_contexts_{0};
  std::atomic<bool> cpu_wanted_{false};
  alignas(4096) std::array<std::atomic<uint16_t>, kTracepointsMax> flags_{};
  alignas(4096) std::array<std::atomic<uint32_t>, kTracepointsMax> generations_{};
};

}  // namespace blkin::control
