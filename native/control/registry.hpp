// native/control/registry.hpp: the tracepoints this process declared, the rules that stand, and the flags page that
// follows from both. Any thread may call; the emit path only reads flags(). A rule is kept and applied again to every
// later declaration. Start reading at enable().
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "../thrift/messages.hpp"

namespace blkin::control {

constexpr size_t kTracepointsMax = 16384;
constexpr size_t kRulesMax = 1024;

// The last rule that covers a tracepoint decides.
struct Rule {
  uint32_t id = 0;
  bool on = true;
  std::string pattern;
  std::vector<std::string> exclude;
  int32_t level = 14;  // covers tracepoints at least as severe as this: 0 emerg ... 14 debug
};

constexpr uint32_t kLeastString = 4;    // the mark of a cut, and the NUL
constexpr uint32_t kLeastSequence = 4;  // the count

// What stands between the variable parts of an event's staging: see addon/emit_mixed.cc.
struct Layout {
  struct Part {
    uint32_t fixed_bytes;  // copied from staging before it
    thrift::Type type;     // kString, or a sequence's element
    bool sequence;
    uint32_t element_bytes;
    uint32_t
        least_after;  // what everything behind it takes at least: a string may be cut to fit, the rest may not
  };
  uint16_t id;
  std::vector<Part> parts;
  uint32_t tail_bytes;  // copied after the last part
};

struct Declared {
  int32_t id;            // -1: refused
  std::string conflict;  // the schema that the name has already; empty where the table is full
};

class Registry {
 public:
  // The same name with the same schema is the same tracepoint; `schema` is its one canonical text.
  Declared declare(thrift::Tracepoint tracepoint, const std::string& schema);

  // The id of the new rule; 0 when kRulesMax stand already.
  uint32_t enable(Rule rule);
  bool disable(uint32_t id);
  // Ends the rules of just this pattern; where others still cover it, one that switches off stands over them.
  bool disable(const std::string& pattern);

  std::vector<Rule> rules();
  size_t size();
  void tracepoints(size_t from, std::vector<thrift::Tracepoint>& out);
  const Layout* layout(int32_t id);  // lives as long as the process
  bool any_on() const noexcept { return on_.load(std::memory_order_relaxed) > 0; }
  uint32_t count_on() const noexcept { return on_.load(std::memory_order_relaxed); }

  // One byte a tracepoint: the sessions that want it. JavaScript reads it without a fence; a change is seen as soon
  // as the cache line comes, and an event more or less at that moment is nobody's error.
  std::atomic<uint8_t>* flags() noexcept { return flags_.data(); }

 private:
  struct Entry {
    thrift::Tracepoint tracepoint;
    std::string name;
    std::string schema;
    std::unique_ptr<Layout> layout;
  };

  bool wanted(const Entry& entry) const;
  void apply(size_t id);
  void apply_all();
  void drop_idle();

  std::mutex mutex_;
  std::vector<Entry> entries_;
  std::unordered_map<std::string, size_t> by_name_;
  std::vector<Rule> rules_;
  uint32_t next_rule_ = 1;
  std::atomic<uint32_t> on_{0};
  alignas(4096) std::array<std::atomic<uint8_t>, kTracepointsMax> flags_{};
};

uint32_t bytes_of(thrift::Type type) noexcept;  // of one value; 0 for kString and kBytes

}  // namespace blkin::control
