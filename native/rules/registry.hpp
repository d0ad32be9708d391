// native/rules/registry.hpp: the tracepoints this process declared, the rules that stand in each session, and the flags
// that follow from both. Any thread may call; the emit path only reads flags() and asks settle(). A rule is kept and
// applied again to every later declaration; of those that cover a tracepoint the last decides, but for those whose filter
// does not fit it. What a filter means, and whether it fits, JavaScript says (lib/filter). Start reading at enable().
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "../event/context.hpp"
#include "../event/layout.hpp"
#include "../thrift/messages.hpp"

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

// Tracepoints that a rule's filter does not fit, and why.
using Misfits = std::map<size_t, std::string>;

constexpr size_t kSessionsMax = 8;  // open at a time: a bit each

// Flags: the sessions that want a tracepoint, a bit each, and 8 bits up those of them that have more to ask first: a
// share, a filter, or contexts that JavaScript puts into the thread's block.
constexpr uint16_t kGated = 256;

// What an emitter has asked for an event, as lib/gates.ts makes it; nothing, where it found no session that has to be asked.
//   | low half of the tracepoint's generation, 16 bits | 0, 8 bits | sessions that take it, 8 bits |
using Asked = std::optional<uint32_t>;

// What a session asks before it takes an event of a tracepoint.
struct Gate {
  size_t session;
  int32_t rule;
  thrift::SampleRate sample;
  std::string filter;  // empty: none
  uint32_t
      contexts;  // of those that its events carry, what JavaScript fills before the event is put, a bit each slot
};

class Registry {
 public:
  explicit Registry(ContextTable& contexts) : contexts_(contexts) {}
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

  // A rule of a controller, a standing one or the relay's moves to the end where the same one stands already. misfits: as
  // far as they are known; the others are told once an emitter has looked.
  Outcome enable(size_t session, thrift::Rule rule, Misfits misfits = {});
  // The rule's filter does not fit the tracepoint: what it stood over decides from now on.
  void add_misfit(size_t session, int32_t rule, size_t id, const std::string& why);
  // Tracepoints that the rule covers by name and level.
  std::vector<thrift::Tracepoint> covered(const thrift::Rule& rule);
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
  // Rises with each change of a flag or of what is asked, and before the flag does. For a shared view, as flags() is.
  std::atomic<uint32_t>* generations() noexcept { return generations_.data(); }
  // What emitters are to ask for tracepoint `id`, of which generation.
  std::vector<Gate> gates(size_t id, uint32_t& generation);
  // Of a flag leaves the sessions that take the event.
  // False: rules have changed since it was asked.
  bool settle(uint16_t id, Asked asked, uint16_t& want) const noexcept {
    // Read behind the flag: a flag of a later generation comes with that generation.
    const uint32_t generation = generations_[id].load(std::memory_order_relaxed);
    if (!asked || (generation & 0xFFFF) != *asked >> 16) return false;
    const unsigned unasked = want & 255U & ~(want / kGated + 0U);
    want = static_cast<uint16_t>(unasked | (*asked & 255U));
    return true;
  }
  // A flag, for emitters.
  uint16_t wanted(uint16_t id) const noexcept { return flags_[id].load(std::memory_order_acquire); }

 private:
  static constexpr size_t kNone = kSessionsMax;

  struct Entry {
    thrift::Tracepoint tracepoint;
    std::string name;
    std::string schema;
    std::unique_ptr<const Layout> layout;
  };

  struct Standing {
    thrift::Rule rule;
    Misfits misfits{};  // as far as they are known
  };

  struct Session {
    std::vector<Standing> rules;
    bool closed = false;  // its consumer may still bring rules while it delivers the rest
    uint32_t next_rule = 1;
    uint32_t contexts = 0;
    std::vector<uint32_t> deciding;  // by tracepoint: the rule that switches it on, or 0
    uint64_t changes = 1;            // of `deciding`
    std::atomic<uint32_t> on{0};
  };

  const thrift::Rule* deciding(const Session& session, size_t id) const;
  static bool asks_first(const Session& session, const thrift::Rule& rule);
  void apply(size_t session, size_t id, size_t instead_of);
  void apply_all(size_t session);
  void drop_idle(Session& session);
  Outcome describe(const Standing& rule) const;

  ContextTable& contexts_;
  std::mutex mutex_;
  std::vector<Entry> entries_;
  std::unordered_map<std::string, std::vector<size_t>> by_name_;
  std::array<Session, kSessionsMax> sessions_;
  alignas(4096) std::array<std::atomic<uint16_t>, kTracepointsMax> flags_{};
  alignas(4096) std::array<std::atomic<uint32_t>, kTracepointsMax> generations_{};
};

}  // namespace blkin::control
