// native/consumer/supply.hpp: what a consumer drains, without saying whose it is: the rings of this living process
// (process/process.hpp) or those that a dead one left (consumer/recovery.hpp). Called from the consumer's thread.
#pragma once

#include <vector>

#include "../clock/clock.hpp"
#include "../clock/epochs.hpp"
#include "../ring/read.hpp"
#include "../ring/summary.hpp"
#include "../thrift/messages.hpp"

namespace blkin::consumer {

struct Source {
  ring::Header* ring;
  ring::Geometry geometry;
  // Where its records were given up: they are counted, and `ring` is only a header, read to its end.
  const ring::Summary* summary = nullptr;
};

class Supply {
 public:
  Supply() = default;
  Supply(const Supply&) = delete;
  Supply& operator=(const Supply&) = delete;
  virtual ~Supply() = default;

  // Appends the rings made since `out` was last filled, in the order they were made.
  virtual void rings(std::vector<Source>& out) = 0;

  // Appends the tracepoints from id `from` on.
  virtual void tracepoints(size_t from, std::vector<thrift::Tracepoint>& out) = 0;

  // Waits a moment until every emit that had begun is over, and passes a fence for all threads before it looks: what was
  // stored before is met by those that begin later. False: one went on for all of that moment, or nobody can say.
  virtual bool settled() { return false; }

  // Records in the ring of that stream whose tracepoint is of id `declared` or above, and which nobody can declare any more.
  virtual int64_t undeclared(int32_t /*stream*/, size_t /*declared*/) { return 0; }

  // Losses that no ring could count.
  virtual thrift::Lost lost_without_ring() = 0;

  // False: nothing is switched on, so nothing new can come; the consumer sleeps until woken.
  virtual bool wanted() = 0;

  // A fresh pair of readings of both clocks: for whoever recovers this process, and the moment to look at the time of day.
  virtual void calibrated(clock::Sample sample) = 0;

  // By what its times are those of day.
  virtual const clock::EpochTable& epochs() = 0;

  // What is on, where that is not what it was at `seen`, which counts on. False: it is.
  virtual bool enabled(uint64_t& /*seen*/, thrift::Enabled& /*out*/) { return false; }

  // The relay's rules, each time they are other ones than before.
  virtual void take_rules(const thrift::RuleSet&) {}
};

}  // namespace blkin::consumer
