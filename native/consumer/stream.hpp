// native/consumer/stream.hpp: one ring on its way to its stream file: how far it is read, sent and acknowledged.
// Used by the consumer thread alone. A ring's space is given back only by acknowledged(); an overwriting ring
// takes it back itself, and here is counted what that cost.
#pragma once

#include <algorithm>
#include <deque>

#include "../ctf/packer.hpp"
#include "../ring/rest.hpp"
#include "../thrift/messages.hpp"
#include "supply.hpp"

namespace blkin::consumer {

// Numbers of streams: CPUs from 0, leased rings, the stream without a ring; and the same again for each further channel,
// which has no stream without a ring.
constexpr int32_t kFirstLeasedStream = 65536;
constexpr int32_t kRinglessStream = 131072;
constexpr int32_t kChannelStreams = 262144;

class Stream {
 public:
  // source.ring null: the stream that only carries losses.
  Stream(int32_t number, Source source);

  int32_t number() const { return number_; }
  ring::Cursor& cursor() { return cursor_; }
  ctf::Stream& file() { return file_; }

  // Takes stock of the ring: what may be read now, and what was lost by now. Heads first, then losses, so that
  // a loss is never told before the records that filled the ring.
  // beside: losses that the ring does not count.
  void look(thrift::Lost beside);
  uint64_t limit() const { return limit_; }
  const thrift::Lost& lost() const { return lost_; }
  // Records that were given up before they were recovered, of those that the relay does not have.
  uint64_t given_up() const { return given_up_; }
  // As packets tell them: those since the file began.
  // Fewer than were told before, where another folder of the process counted those.
  uint64_t losses() const {
    return std::max(static_cast<uint64_t>(lost_.total()), lost_before_) - lost_before_;
  }
  // Bytes that came between the last two looks.
  uint64_t came() const { return came_; }
  // Bytes of the ring that no put has taken yet.
  uint64_t unsent() const { return limit_ > cursor_.position() ? limit_ - cursor_.position() : 0; }
  // So many bytes as a part of the ring.
  double of_ring(uint64_t bytes) const;

  // For a sleep until the next record (ring/rest.hpp).
  void rest() {
    if (source_.ring != nullptr) ring::rest(source_.ring);
  }
  bool untouched() const { return source_.ring == nullptr || ring::untouched(source_.ring, limit_); }
  void rouse() {
    if (source_.ring != nullptr) ring::rouse(source_.ring);
  }

  // Events overwritten before the cursor that no put has told yet; `packed` are those of the put under way. Every
  // record that was passed is in a put or was overwritten, so nobody who goes on need know what others counted.
  uint64_t gap(uint32_t packed) const;
  void tell(uint64_t gap) { lost_.overwritten += static_cast<int64_t>(gap); }

  // A gap with nothing behind it is what a relay's disk lost last.
  bool pending() const { return cursor_.position() < limit_ || losses() > file_.discarded || gap(0) > 0; }
  bool delivered() const { return !pending() && in_flight_.empty(); }

  // For a flush: everything seen by the last look(), however much comes behind it; also met where it was lapped.
  void mark();
  bool mark_met() const;

  // Everything up to the cursor held nothing to send (a pad, damage): its room goes with the put before it.
  void pass();

  // False: packing on from there would write outside of the buffer, or numbers would overflow.
  static bool possible(const thrift::Held& held);

  // The relay's word on connecting: go on from there, or from the start where it holds nothing. What it had said is stored
  // and is not there, its disk lost; counts: it tells how many events are there, which old relays do not.
  void resume(const thrift::Held* held, bool counts);

  // The relay keeps another folder now: what was stored in the one before is not lost.
  void forget() { accounted_ = 0; }

  // From an epoch on, of which the relay makes a file of its own.
  uint32_t epoch() const { return file_.epoch; }
  void begin_epoch(uint32_t number);

  // A put with everything up to the cursor is on its way: its head.
  thrift::PutHead put(uint32_t events, int64_t clock_offset);
  // Puts up to this one, as far as their events are among the first `accounted` of the stream.
  void acknowledged(int64_t sequence, uint64_t accounted = UINT64_MAX);

  uint64_t events_acknowledged() const { return events_acknowledged_; }

 private:
  void count_unstored(const thrift::Held* held);
  void count_given_up(uint64_t position, uint64_t events);
  bool overwrites() const { return source_.geometry.mode == ring::Mode::kOverwrite; }

  struct InFlight {
    int64_t sequence;
    uint64_t position;
    uint64_t discarded;
    uint32_t events;
    uint64_t accounted;
  };

  int32_t number_;
  Source source_;
  ring::Cursor cursor_;
  ctf::Stream file_;          // its epoch's
  uint64_t lost_before_ = 0;  // told in the files before
  uint64_t limit_ = 0;
  uint64_t came_ = 0;
  thrift::Lost lost_{};
  uint64_t given_up_ = 0;  // of a dead process's ring, for room
  int64_t sequence_ = 0;
  uint64_t events_ = 0;     // in all puts, also those that another process sent
  uint64_t accounted_ = 0;  // events that the relay has said are stored, whether they are there still or not
  uint64_t sent_ = 0;       // with those in flight
  std::deque<InFlight> in_flight_;
  uint64_t events_acknowledged_ = 0;
  uint64_t position_acknowledged_ = 0;
  uint64_t discarded_acknowledged_ = 0;
  uint64_t mark_position_ = 0;
  uint64_t mark_discarded_ = 0;
};

}  // namespace blkin::consumer
