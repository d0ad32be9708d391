// native/consumer/consumer.cc: see consumer.hpp.
#include "consumer.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <system_error>
#include <utility>

#include "../points.hpp"
#include "stderr.hpp"

namespace blkin::consumer {

namespace {

constexpr size_t kPutBytes = 256 << 10;  // packets in a put: enough to make a frame's cost small
constexpr size_t kFrameBytes = thrift::kPutPrefix + kPutBytes + 8 + thrift::kPutSuffix;
constexpr size_t kWindowPuts = 256;
constexpr size_t kWindowBytes = 8 << 20;  // unanswered packets: covers a relay that pauses for a write
constexpr uint64_t kBackoffFirst = 50'000'000;
constexpr uint64_t kBackoffMost = 2'000'000'000;
constexpr std::chrono::milliseconds kLookUpMargin{500};
constexpr uint64_t kIdleNs = 100'000'000;
constexpr uint64_t kTellNs = 250'000'000;  // at the end, for a relay to hear what there is
constexpr uint64_t kForeverUs = UINT64_MAX;
constexpr uint64_t kPauseLeastUs = 250;
constexpr uint64_t kPauseMostUs = 10'000;  // a default ring fills in 10 ms at 400 MB a second
// How long events may wait for a put: with the look's pause and the relay's work, 100 ms from emit to the file, and 20 ms
// where somebody watches.
constexpr uint64_t kPutEveryNs = 60'000'000;
constexpr uint64_t kPutEveryFollowedNs = 8'000'000;
// Looks that find nothing before it sleeps: so who emits seldom pays for a wake-up, and who emits often does not.
constexpr int kIdleLooks = 4;
constexpr double kBusyFill = 1.0 / 8;
constexpr double kQuietFill = 1.0 / 64;
constexpr size_t kDeclareBytes =
    256 << 10;  // of tracepoints in a call; the largest makes a frame below 2 MiB

size_t size_of(const thrift::Tracepoint& tracepoint) {
  std::vector<uint8_t> bytes;
  thrift::Writer writer(bytes);
  thrift::write_tracepoint(writer, tracepoint);
  return bytes.size();
}

}  // namespace

Consumer::Consumer(Options options, Supply& supply, clock::Calibration calibration)
    : options_(std::move(options)),
      supply_(supply),
      calibration_(std::move(calibration)),
      packer_(options_.hello.uuid),
      progress_(options_.timeouts),
      pause_us_(kPauseMostUs) {
  make_wake_fd();
  streams_.push_back(std::make_unique<Stream>(kRinglessStream, Source{nullptr, {}}));
}

Consumer::~Consumer() {
  if (wake_fd_ >= 0) close(wake_fd_);
}

void Consumer::start() {
  // The thread inherits this mask: no handler of the program ever runs on it.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread([this] { run(); });
    pthread_setname_np(thread_.native_handle(), "blkin-consumer");
  } catch (const std::system_error& error) {  // as many threads as there may be: the next start() tries again
    const std::lock_guard lock(mutex_);
    status_.error = std::string("no thread: ") + error.what();
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// Tried again in each round, before the round looks at anything: who could not wake the thread until then is met by it.
void Consumer::make_wake_fd() {
  if (wake_fd_ < 0) wake_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

void Consumer::wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof one);
}

uint64_t Consumer::ask_flush() {
  const std::lock_guard lock(mutex_);
  wake();
  return ++flush_asked_;
}

bool Consumer::flushed(uint64_t ticket) {
  const std::lock_guard lock(mutex_);
  return flush_done_ >= ticket || ended_ || !thread_.joinable();
}

bool Consumer::flush(uint64_t timeout_ms) { return await_flush(ask_flush(), timeout_ms); }

bool Consumer::await_flush(uint64_t ticket, uint64_t timeout_ms) {
  std::unique_lock lock(mutex_);
  if (ended_ || !thread_.joinable()) return delivered_;
  return settled_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] {
    return flush_done_ >= ticket || ended_;
  }) && (flush_done_ >= ticket || delivered_);
}

void Consumer::begin_stop(uint64_t timeout_ms, Unreached unreached) {
  const std::lock_guard lock(mutex_);
  const uint64_t by =
      timeout_ms == kUntilDelivered ? UINT64_MAX : clock::monotonic_ns() + timeout_ms * 1'000'000;
  const bool awaits = unreached == Unreached::kAwaited || timeout_ms == kUntilDelivered;
  awaits_unreached_ = awaits && (!stopping_ || awaits_unreached_);
  tell_by_ns_ = stopping_ ? tell_by_ns_ : std::min(by, clock::monotonic_ns() + kTellNs);
  stop_by_ns_ = std::exchange(stopping_, true) ? std::min(stop_by_ns_, by) : by;
  wake();
}

bool Consumer::ended() {
  const std::lock_guard lock(mutex_);
  return ended_ || (!thread_.joinable() && !abandoned_);
}

bool Consumer::stop(uint64_t timeout_ms) {
  begin_stop(timeout_ms);
  std::unique_lock lock(mutex_);
  if (!thread_.joinable()) return delivered_;
  // The margin is for a thread inside a name look-up, the one call of ours that has no bound.
  const uint64_t now = clock::monotonic_ns();
  const std::chrono::nanoseconds left{stop_by_ns_ > now ? stop_by_ns_ - now : 0};
  const bool ended = settled_.wait_for(lock, left + kLookUpMargin, [&] { return ended_; });
  abandoned_ = !ended;
  lock.unlock();
  if (ended) thread_.join();
  else thread_.detach();
  return delivered_;
}

bool Consumer::stopped() {
  const std::lock_guard lock(mutex_);
  return !abandoned_ && (ended_ || !thread_.joinable());
}

Status Consumer::status() {
  const std::lock_guard lock(mutex_);
  return status_;
}

void Consumer::run() {
  for (;;) {
    make_wake_fd();
    const Orders orders = take_orders();
    connect_when_due();
    connection_.pump();
    if (connection_.state() == thrift::Connection::State::kOpen) {
      if (next_call_ == 1) greet();
      take_replies();
    }
    give_up_the_silent();
    if (time_to_look(orders)) {
      find_rings();
      look();
      begin_flush(orders.flush);
      sending_ = sending_ || worth_sending(orders);
    }
    if (greeted_) {
      declare_new();
      if (sending_) send_pending();
      tell_enabled();
      ask_for_rules();
    }
    if (connection_.state() == thrift::Connection::State::kClosed && tried_ && retry_at_ns_ == 0 &&
        !connection_.more_addresses())
      drop_connection(why_closed(), false);
    settle();
    if (orders.stop && may_end()) return;
    wait(orders.wanted);
  }
}

// An answer wakes this thread too: it frees room, and is no reason to look for what little came since.
bool Consumer::time_to_look(const Orders& orders) const {
  return orders.hurry || !orders.wanted || clock::monotonic_ns() >= look_at_ns_;
}

// Each put costs the relay more than the events in it, so they are few: whole ones, or what came within the time.
bool Consumer::worth_sending(const Orders& orders) const {
  if (orders.hurry || !orders.wanted ||
      clock::monotonic_ns() - sent_at_ns_ >= (followed_ ? kPutEveryFollowedNs : kPutEveryNs))
    return true;
  return std::any_of(streams_.begin(), streams_.end(), [](const auto& stream) {
    return stream->unsent() >= kPutBytes || stream->of_ring(stream->unsent()) > kBusyFill;
  });
}

// Before anything is looked at: an order covers all that was committed when it was given, so only a look that comes
// after the order can answer it.
Consumer::Orders Consumer::take_orders() {
  const bool wanted = supply_.wanted();
  const std::lock_guard lock(mutex_);
  return {flush_asked_, stopping_, somebody_waits(), wanted};
}

// For a flush or for the end. Holding the mutex.
bool Consumer::somebody_waits() const {
  return (stopping_ && stop_by_ns_ != UINT64_MAX) || flush_done_ < flush_asked_;
}

bool Consumer::may_end() {
  const bool delivered = all_delivered();
  const bool away = tried_ && retry_at_ns_ != 0;
  // One that ends at once has tracepoints too: who asks the relay what there is shall find them.
  const bool told = !options_.listens || away || (greeted_ && declares_in_flight_ == 0);
  const std::lock_guard lock(mutex_);
  const uint64_t now = clock::monotonic_ns();
  const bool unreachable = away && !ever_connected_ && !awaits_unreached_;
  if (!delivered && !unreachable && now < stop_by_ns_) return false;
  if (!told && now < tell_by_ns_) return false;
  ended_ = true;
  delivered_ = delivered;
  settled_.notify_all();
  return true;
}

void Consumer::connect_when_due() {
  if (connection_.state() != thrift::Connection::State::kClosed) return;
  const bool nothing_to_say = !options_.listens && !supply_.wanted() && all_delivered();
  if (nothing_to_say || clock::monotonic_ns() < retry_at_ns_) return;
  retry_at_ns_ = 0;
  tried_ = true;
  next_call_ = 1;
  connection_.open(options_.relay);
  progress_.connecting(clock::monotonic_ns());
  const std::lock_guard lock(mutex_);
  status_.state = "connecting";
}

void Consumer::greet() {
  followed_ = false;
  rules_version_ = -1;  // another relay may be there, which counts from elsewhere
  enabled_seen_ = 0;
  connection_.send(thrift::hello_call(next_call_++, options_.hello));
  BLKIN_POINT("hello-queued");
  progress_.greeting(clock::monotonic_ns());
}

// One whose answer shows that the relay lives.
void Consumer::call(std::vector<uint8_t> frame) {
  connection_.send(std::move(frame));
  progress_.called(connection_.queued(), clock::monotonic_ns());
}

// Behind take_replies(): where this process was stopped itself, the answers may be there.
void Consumer::give_up_the_silent() {
  if (connection_.state() == thrift::Connection::State::kClosed) return progress_.closed();
  const uint64_t now = clock::monotonic_ns();
  if (now < progress_.due_ns()) return;
  const std::string why = progress_.overdue(now, connection_.acknowledged());
  if (why.empty()) return;
  if (greeted_) drop_connection(why, false);
  else connection_.close(why);  // the name may have other addresses
}

void Consumer::take_replies() {
  const uint8_t* frame = nullptr;
  size_t size = 0;
  while (connection_.receive(frame, size)) {
    thrift::Reply reply;
    if (!thrift::parse_reply(frame, size, reply))
      return drop_connection("the relay's answer is not of this protocol", true);
    take(reply);
    if (connection_.state() == thrift::Connection::State::kClosed) return;
  }
}

void Consumer::take_rules(const thrift::Reply& reply) {
  if (reply.kind == thrift::Reply::Kind::kRules) asked_for_rules_ = false;
  if (!reply.has_rules || reply.rules.version == rules_version_) return;
  rules_version_ = reply.rules.version;
  // Told again on every connection, and then they are mostly those that stand: what the program changed since stays.
  const bool same =
      std::equal(rules_.begin(), rules_.end(), reply.rules.rules.begin(), reply.rules.rules.end(),
                 [](const thrift::Rule& a, const thrift::Rule& b) { return a.same(b); });
  if (same) return;
  rules_ = reply.rules.rules;
  supply_.take_rules(reply.rules);
}

// While puts go out, rules ride on their answers; the idle ask, and the relay answers when there is something to say.
void Consumer::ask_for_rules() {
  const bool idle = put_bytes_.empty() && clock::monotonic_ns() - last_put_ns_ > kIdleNs;
  if (!options_.listens || asked_for_rules_ || !idle) return;
  const auto wait_ms = static_cast<int32_t>(options_.timeouts.rules_ms);
  connection_.send(thrift::rules_call(next_call_++, rules_version_, wait_ms));
  progress_.asked_for_rules(clock::monotonic_ns());
  asked_for_rules_ = true;
}

// For whoever asks the relay (Fleet). What waits to be sent goes first, so that nothing heaps up behind a slow relay.
void Consumer::tell_enabled() {
  thrift::Enabled enabled;
  if (connection_.unsent() == 0 && supply_.enabled(enabled_seen_, enabled))
    call(thrift::enabled_call(next_call_++, enabled));
}

std::string Consumer::why_closed() const {
  const std::string& why = connection_.error();
  if (connection_.nobody_listens())
    return why + "; start a relay there: blkin relay --listen " + options_.relay.text();
  const bool unanswered = connection_.hung_up() && !greeted_;
  return unanswered
             ? "it closed the connection unanswered; it is no relay, or has as many connections as it takes"
             : why;
}

void Consumer::take(const thrift::Reply& reply) {
  if (options_.listens) take_rules(reply);
  switch (reply.kind) {
    case thrift::Reply::Kind::kRefused:
      return drop_connection("the relay refused: " + reply.message, true);
    case thrift::Reply::Kind::kForeign:
      return drop_connection("it is a Thrift server of another kind, such as Scribe's (" + reply.message +
                                 "); expected a relay's --listen address",
                             true);
    case thrift::Reply::Kind::kHello: {
      for (const thrift::Held& held : reply.held)
        if (!Stream::possible(held))
          return drop_connection("the relay holds what cannot be of stream " + std::to_string(held.stream),
                                 true);
      greeted_ = ever_connected_ = true;
      connection_.accept_peer();
      progress_.greeted(clock::monotonic_ns());
      backoff_ns_ = 0;
      declared_ = static_cast<size_t>(std::max(0, reply.tracepoints));
      takes_epochs_ = reply.takes_epochs;
      held_ = reply.held;
      const bool knows_us = reply.tracepoints > 0 || !reply.held.empty();
      for (const auto& stream : streams_) {
        const auto held = std::find_if(held_.begin(), held_.end(),
                                       [&](const thrift::Held& h) { return h.stream == stream->number(); });
        if (!knows_us) stream->forget();
        stream->resume(held == held_.end() ? nullptr : &*held, takes_epochs_);
      }
      BLKIN_POINT("hello-answered");
      const std::lock_guard lock(mutex_);
      status_.state = "connected";
      status_.error.clear();
      return;
    }
    case thrift::Reply::Kind::kPut:
      progress_.answered(clock::monotonic_ns());
      followed_ = reply.followed;
      if (!put_bytes_.empty()) {
        in_flight_bytes_ -= put_bytes_.front();
        put_bytes_.pop_front();
      }
      for (const auto& stream : streams_)
        if (stream->number() == reply.stream) stream->acknowledged(reply.sequence);
      BLKIN_POINT("answer-taken");
      return;
    case thrift::Reply::Kind::kDeclare:
      progress_.answered(clock::monotonic_ns());
      if (declares_in_flight_ > 0) --declares_in_flight_;
      return;
    case thrift::Reply::Kind::kRules:
      return progress_.rules_answered(clock::monotonic_ns());
    case thrift::Reply::Kind::kEnabled:
      return progress_.answered(clock::monotonic_ns());
  }
}

void Consumer::find_rings() {
  const size_t known = sources_.size();
  supply_.rings(sources_);
  if (sources_.size() > known) idle_looks_ = 0;
  for (size_t i = known; i < sources_.size(); ++i) {
    auto stream = std::make_unique<Stream>(static_cast<int32_t>(sources_[i].ring->stream), sources_[i]);
    if (greeted_) {
      const auto held = std::find_if(held_.begin(), held_.end(),
                                     [&](const thrift::Held& h) { return h.stream == stream->number(); });
      stream->resume(held == held_.end() ? nullptr : &*held, takes_epochs_);
    }
    streams_.push_back(std::move(stream));
  }
}

// Heads before the clock, so that every record below a head has a time that the clock's line covers; heads before
// the tracepoints (declare_new), so that every record's tracepoint is declared.
void Consumer::look() {
  const thrift::Lost without_ring = supply_.lost_without_ring();
  for (const auto& stream : streams_) {
    thrift::Lost beside{};
    if (stream->number() == kRinglessStream) beside = without_ring;
    // Before hello nobody knows what the relay has of a dead process's declarations.
    else if (greeted_) beside.no_ring = supply_.undeclared(stream->number(), declared_);
    stream->look(beside);
  }
  while (!calibration_.sample()) {
  }
  supply_.calibrated(calibration_.last());
  // By what comes, not by what is there: a ring that is full of what a slow relay has not answered gains nothing by looks.
  double came = 0;
  for (const auto& stream : streams_) came = std::max(came, stream->of_ring(stream->came()));
  if (came > kBusyFill) pause_us_ = std::max(kPauseLeastUs, pause_us_ / 2);
  else if (came < kQuietFill) pause_us_ = std::min(kPauseMostUs, pause_us_ * 2);
  look_at_ns_ = clock::monotonic_ns() + pause_us_ * 1000;
  idle_looks_ = all_delivered() ? idle_looks_ + 1 : 0;
}

void Consumer::declare_new() {
  std::vector<thrift::Tracepoint> fresh;
  supply_.tracepoints(declared_, fresh);
  for (auto from = fresh.begin(); from != fresh.end();) {
    size_t bytes = 0;
    auto to = from;
    do bytes += size_of(*to++);
    while (to != fresh.end() && bytes < kDeclareBytes);
    call(thrift::declare_call(next_call_++, {from, to}));
    BLKIN_POINT("declaration-queued");
    ++declares_in_flight_;
    from = to;
  }
  declared_ += fresh.size();
}

void Consumer::send_pending() {
  // Round and round, one put a stream, so that no ring waits for another to be emptied; and from call to call, since the
  // window opens by one put at a time while the relay is slow, and the first in line would take them all.
  for (size_t passed = 0; passed < streams_.size(); ++turn_) {
    Stream& stream = *streams_[turn_ % streams_.size()];
    ++passed;
    if (!stream.pending()) continue;
    if (in_flight_bytes_ + kPutBytes > kWindowBytes || put_bytes_.size() >= kWindowPuts) return;
    if (send_one(stream)) passed = 0;
    connection_.pump();
    take_replies();
    if (!greeted_ || connection_.state() != thrift::Connection::State::kOpen) return;
  }
  sending_ = false;
  sent_at_ns_ = clock::monotonic_ns();
}

// The epoch of what is sent next. Times that were clamped, or of another's table, take no stream back.
clock::EpochTable::Found Consumer::enter_epoch(Stream& stream, uint64_t ns) {
  const clock::EpochTable& epochs = supply_.epochs();
  const clock::EpochTable::Found found = epochs.at(ns);
  if (!takes_epochs_ || found.number < stream.epoch()) {
    clock::EpochTable::Found stays = epochs.numbered(stream.epoch());
    if (!takes_epochs_) stays.until = UINT64_MAX;
    return stays;
  }
  if (found.number > stream.epoch()) stream.begin_epoch(found.number);
  return found;
}

bool Consumer::send_one(Stream& stream) {
  std::vector<uint8_t> frame = connection_.spare(kFrameBytes);
  const uint64_t now = calibration_.to_ns(calibration_.last().ticks);
  ctf::Stream& file = stream.file();
  ring::Cursor& cursor = stream.cursor();
  ring::View record{};
  const bool any = cursor.next(stream.limit(), record);
  if (any) cursor.back();
  const uint64_t gap = stream.gap(0);
  stream.tell(gap);
  const uint64_t first = any ? calibration_.to_ns(record.ticks) : now;
  const clock::EpochTable::Found epoch = enter_epoch(stream, first);
  packer_.begin(file, frame.data() + thrift::kPutPrefix, kPutBytes, file.packets == 0 ? first : now, gap);
  bool whole = true;
  while (whole && cursor.next(stream.limit(), record)) {
    // A put ends at a gap, so that the packet behind the gap tells it, and where another epoch begins.
    const uint64_t ns = calibration_.to_ns(record.ticks);
    whole = stream.gap(packer_.events() + 1) == 0 &&
            (record.id >= declared_ ||
             (ns < epoch.until && packer_.add(record.id, ns, record.payload, record.length)));
    if (!whole) cursor.back();
  }
  // Other losses stand behind the records that filled the ring: only the put that reaches the end may tell them.
  const size_t bytes = packer_.finish(whole ? stream.losses() : file.discarded, now);
  if (bytes == 0) return stream.pass(), false;
  thrift::finish_put(frame.data(), next_call_++, stream.put(packer_.events(), epoch.offset), bytes);
  const size_t size = thrift::kPutPrefix + bytes + thrift::kPutSuffix;
  // A small put waits in a buffer of its own size, so that many of them waiting stay small.
  if (size < kFrameBytes / 4) connection_.send({frame.begin(), frame.begin() + static_cast<ptrdiff_t>(size)});
  else connection_.send(std::move(frame), size);
  BLKIN_POINT("put-queued");
  in_flight_bytes_ += bytes;
  put_bytes_.push_back(bytes);
  last_put_ns_ = clock::monotonic_ns();
  progress_.called(connection_.queued(), last_put_ns_);
  const std::lock_guard lock(mutex_);
  status_.bytes_sent += bytes;
  return true;
}

void Consumer::drop_connection(const std::string& why, bool refused) {
  connection_.close(why);
  BLKIN_POINT("connection-dropped");
  greeted_ = asked_for_rules_ = false;
  in_flight_bytes_ = 0;
  put_bytes_.clear();
  declares_in_flight_ = 0;
  backoff_ns_ = refused ? kBackoffMost : std::clamp(backoff_ns_ * 2, kBackoffFirst, kBackoffMost);
  retry_at_ns_ = clock::monotonic_ns() + backoff_ns_;
  tell_once("relay " + options_.relay.text() + ": " + why +
            "; events wait in the rings, and those that find no room are counted as lost");
  const std::lock_guard lock(mutex_);
  status_.state = refused ? "refused" : "connecting";
  status_.error = why;
}

bool Consumer::all_delivered() const {
  return std::all_of(streams_.begin(), streams_.end(),
                     [](const auto& stream) { return stream->delivered(); });
}

void Consumer::begin_flush(uint64_t asked) {
  const std::lock_guard lock(mutex_);
  if (flush_done_ < flush_taken_ || flush_taken_ == asked) return;
  flush_taken_ = asked;
  for (const auto& stream : streams_) stream->mark();
}

void Consumer::settle() {
  const bool met =
      std::all_of(streams_.begin(), streams_.end(), [](const auto& stream) { return stream->mark_met(); });
  const std::lock_guard lock(mutex_);
  status_.acknowledged = 0;
  status_.overwritten = status_.unstored = status_.given_up = 0;
  for (const auto& stream : streams_) {
    status_.acknowledged += stream->events_acknowledged();
    status_.overwritten += static_cast<uint64_t>(stream->lost().overwritten);
    status_.unstored += static_cast<uint64_t>(stream->lost().unstored);
    status_.given_up += stream->given_up();
  }
  status_.puts_in_flight = static_cast<uint32_t>(put_bytes_.size());
  if (!met || flush_done_ == flush_taken_) return;
  flush_done_ = flush_taken_;
  settled_.notify_all();
}

void Consumer::tell_once(const std::string& what) {
  if (options_.tells && !std::exchange(told_, true)) tell_stderr(what);
}

// Whether nothing but a record, an order or the relay gives it something to do before the time that wait() keeps.
bool Consumer::may_rest(uint64_t now) const {
  if (idle_looks_ < kIdleLooks || wake_fd_ < 0 || !all_delivered()) return false;
  if (connection_.state() == thrift::Connection::State::kClosed) return retry_at_ns_ > now;
  return greeted_ && (!options_.listens || asked_for_rules_) && connection_.unsent() == 0;
}

// Puts the rings to rest. False: a record came meanwhile, or may be about to, and none of them is left so.
bool Consumer::rest() {
  for (const auto& stream : streams_) stream->rest();  // D
  BLKIN_POINT("rings-at-rest");
  const bool quiet = supply_.settled() && std::all_of(streams_.begin(), streams_.end(),
                                                      [](const auto& stream) { return stream->untouched(); });
  if (quiet) return true;
  for (const auto& stream : streams_) stream->rouse();
  idle_looks_ = 0;
  return false;
}

void Consumer::wait(bool was_wanted) {
  bool hurry = false;
  {
    const std::lock_guard lock(mutex_);
    hurry = somebody_waits();
  }
  // A listener sleeps once its question is out; until it is connected and has asked, it looks around.
  const bool nothing_on = !hurry && !was_wanted && !supply_.wanted() && all_delivered();
  const bool asleep = nothing_on && (!options_.listens || asked_for_rules_) && wake_fd_ >= 0;
  const uint64_t now = clock::monotonic_ns();
  const bool resting = !hurry && !nothing_on && may_rest(now) && rest();
  const uint64_t until_look = look_at_ns_ > now ? (look_at_ns_ - now) / 1000 + 1 : 0;
  const bool away = connection_.state() == thrift::Connection::State::kClosed && retry_at_ns_ > now;
  uint64_t pause = hurry ? kPauseLeastUs : nothing_on ? kPauseMostUs : until_look;
  if ((nothing_on || resting) && away && wake_fd_ >= 0) pause = (retry_at_ns_ - now) / 1000 + 1;
  if (asleep || (resting && !away)) pause = kForeverUs;
  const uint64_t due = progress_.due_ns();
  if (due != UINT64_MAX) pause = std::min(pause, due > now ? (due - now) / 1000 + 1 : 0);
  pollfd fds[2] = {{wake_fd_, POLLIN, 0}, connection_.interest()};
  const timespec timeout{static_cast<time_t>(pause / 1'000'000), static_cast<long>(pause % 1'000'000 * 1000)};
  ppoll(fds, 2, pause == kForeverUs ? nullptr : &timeout, nullptr);
  uint64_t ignored = 0;
  // Whoever woke it may have made a ring that no look has met.
  if (read(wake_fd_, &ignored, sizeof ignored) > 0) idle_looks_ = 0;
  if (!resting) return;
  for (const auto& stream : streams_) stream->rouse();
  look_at_ns_ = 0;
}

}  // namespace blkin::consumer
