// native/consumer/stream.cc: see stream.hpp.
#include "stream.hpp"

#include <algorithm>
#include <utility>

#include "../points.hpp"

namespace blkin::consumer {

Stream::Stream(int32_t number, Source source)
    : number_(number), source_(source), cursor_(source.ring, source.geometry) {
  file_.instance = static_cast<uint64_t>(number);
  const int32_t in_channel = number % kChannelStreams;
  file_.cpu = in_channel < kFirstLeasedStream ? static_cast<uint32_t>(in_channel) : ctf::kNoCpu;
  if (source_.ring == nullptr) return;
  cursor_.seek(source_.ring->tail.load(std::memory_order_relaxed));
  limit_ = position_acknowledged_ = cursor_.position();
  if (source_.summary != nullptr) count_given_up(source_.summary->from(), 0);
}

void Stream::count_given_up(uint64_t position, uint64_t events) {
  given_up_ = source_.summary->lacks(position, events);
}

void Stream::look(thrift::Lost beside) {
  if (source_.ring == nullptr) {
    lost_ = beside;
    return;
  }
  // A recovered ring's head is input from outside: more than a ring full beyond its oldest record cannot be.
  const uint64_t oldest = overwrites() ? ring::kept(source_.ring, source_.geometry.sub_buffer_bytes).from
                                       : source_.ring->tail.load(std::memory_order_relaxed);
  const uint64_t limit =
      std::clamp(ring::committed(source_.ring), oldest, oldest + source_.geometry.capacity);
  came_ = limit > limit_ ? limit - limit_ : 0;
  limit_ = limit;
  lost_.no_room = static_cast<int64_t>(ring::possible_count(source_.ring->lost_no_room));
  lost_.too_big = static_cast<int64_t>(ring::possible_count(source_.ring->lost_too_big));
  lost_.no_ring = beside.no_ring;
  if (source_.summary == nullptr) return;
  if (source_.summary->overwrites()) lost_.overwritten = static_cast<int64_t>(given_up_);
  else lost_.no_room += static_cast<int64_t>(given_up_);
}

double Stream::of_ring(uint64_t bytes) const {
  return source_.ring == nullptr
             ? 0
             : static_cast<double>(bytes) / static_cast<double>(source_.geometry.capacity);
}

uint64_t Stream::gap(uint32_t packed) const {
  if (!overwrites()) return 0;
  const uint64_t accounted = events_ + packed + static_cast<uint64_t>(lost_.overwritten + lost_.unstored);
  return cursor_.passed() > accounted ? cursor_.passed() - accounted : 0;
}

void Stream::mark() {
  mark_position_ = limit_;
  mark_discarded_ = static_cast<uint64_t>(lost_.total());
}

bool Stream::mark_met() const {
  const bool tells_gap = cursor_.position() >= limit_ && gap(0) > 0;
  return !tells_gap && position_acknowledged_ >= mark_position_ && discarded_acknowledged_ >= mark_discarded_;
}

// What the relay has said is stored, less what is there, its disk lost. What another had counted so before counts too.
void Stream::count_unstored(const thrift::Held* held) {
  const auto there = held != nullptr ? static_cast<uint64_t>(held->events) : 0;
  const auto told = held != nullptr ? static_cast<uint64_t>(held->unstored) : 0;
  accounted_ = overwrites() ? there + told : std::max(accounted_, there + told);
  const auto unstored = static_cast<int64_t>(accounted_ - there);
  const int64_t more = std::max<int64_t>(0, unstored - lost_.unstored);
  events_acknowledged_ -= std::min(events_acknowledged_, static_cast<uint64_t>(more));
  lost_.unstored = unstored;
}

void Stream::resume(const thrift::Held* held, bool counts) {
  // Stored, though the answer was lost; but for what the relay's disk lost since.
  if (held != nullptr)
    acknowledged(held->sequence, counts ? static_cast<uint64_t>(held->events + held->unstored) : UINT64_MAX);
  const bool went_back =
      held != nullptr && !in_flight_.empty() && in_flight_.front().sequence <= held->sequence;
  in_flight_.clear();
  if (counts) count_unstored(held);
  sent_ = accounted_;
  sequence_ = held != nullptr ? held->sequence : 0;
  file_.bytes = held != nullptr ? static_cast<uint64_t>(held->bytes) : 0;
  file_.packets = held != nullptr ? static_cast<uint64_t>(held->packets) : 0;
  file_.last_time = held != nullptr ? static_cast<uint64_t>(held->last_time) : 0;
  file_.discarded = held != nullptr ? static_cast<uint64_t>(held->lost) : 0;
  file_.epoch = held != nullptr ? static_cast<uint32_t>(held->epoch) : 0;
  lost_before_ = held != nullptr ? static_cast<uint64_t>(held->lost_before) : 0;
  discarded_acknowledged_ = lost_before_ + file_.discarded;
  events_ = held != nullptr ? static_cast<uint64_t>(held->events) : 0;
  if (source_.ring == nullptr) return;
  if (source_.summary != nullptr) {
    const uint64_t position =
        held != nullptr ? static_cast<uint64_t>(held->position) : source_.summary->from();
    return count_given_up(position, events_);
  }
  if (overwrites()) {
    cursor_.seek(held != nullptr ? static_cast<uint64_t>(held->position) : 0);
    // Its marks are lost, and it knows by count alone how far it has come: what is stored is not sent again.
    if (events_ > 0 && held->position == 0) cursor_.pass(events_ + discarded_acknowledged_);
    position_acknowledged_ = cursor_.position();
    const auto unstored = static_cast<uint64_t>(lost_.unstored);
    // What the relay was told, at most: the rest is a gap before the next event.
    lost_.overwritten = 0;
    lost_.overwritten = static_cast<int64_t>(
        std::min(gap(0), discarded_acknowledged_ - std::min(discarded_acknowledged_, unstored)));
    return;
  }
  const uint64_t tail = source_.ring->tail.load(std::memory_order_relaxed);
  const uint64_t stored = held != nullptr && !went_back ? static_cast<uint64_t>(held->position) : tail;
  const uint64_t from = std::clamp(stored, tail, std::max(tail, ring::committed(source_.ring)));
  cursor_.seek(from);
  position_acknowledged_ = from;
  ring::release(source_.ring, from);
}

void Stream::begin_epoch(uint32_t number) {
  lost_before_ += std::exchange(file_.discarded, 0);
  file_.bytes = file_.packets = 0;
  file_.epoch = number;
}

void Stream::pass() {
  if (!in_flight_.empty()) {
    in_flight_.back().position = cursor_.position();
    return;
  }
  if (source_.ring != nullptr) ring::release(source_.ring, cursor_.position());
  position_acknowledged_ = cursor_.position();
}

bool Stream::possible(const thrift::Held& held) {
  constexpr int64_t kMost = INT64_MAX / 2;
  for (const int64_t number :
       {held.sequence, held.position, held.bytes, held.packets, held.last_time, held.lost, held.events,
        static_cast<int64_t>(held.epoch), held.lost_before, held.unstored})
    if (number < 0 || number > kMost) return false;
  const size_t left = ctf::kPage - static_cast<size_t>(held.bytes) % ctf::kPage;
  return held.position % 8 == 0 && held.bytes % 8 == 0 && left >= ctf::kSmallestPacket;
}

thrift::PutHead Stream::put(uint32_t events, int64_t clock_offset) {
  events_ += events;
  sent_ += events;
  in_flight_.push_back({++sequence_, cursor_.position(), lost_before_ + file_.discarded, events, sent_});
  return {number_,
          sequence_,
          static_cast<int64_t>(cursor_.position()),
          static_cast<int32_t>(events),
          lost_,
          static_cast<int32_t>(file_.epoch),
          clock_offset};
}

void Stream::acknowledged(int64_t sequence, uint64_t accounted) {
  while (!in_flight_.empty() && in_flight_.front().sequence <= sequence &&
         in_flight_.front().accounted <= accounted) {
    const InFlight& put = in_flight_.front();
    BLKIN_POINT("put-answered");
    if (source_.ring != nullptr) ring::release(source_.ring, put.position);
    BLKIN_POINT("tail-released");
    position_acknowledged_ = put.position;
    discarded_acknowledged_ = put.discarded;
    events_acknowledged_ += put.events;
    accounted_ = put.accounted;
    in_flight_.pop_front();
  }
}

}  // namespace blkin::consumer
