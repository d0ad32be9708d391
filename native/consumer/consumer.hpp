// native/consumer/consumer.hpp: the thread that brings records from the rings to the relay: drain, pack, put, wait
// for the acknowledgement, release. Polls while something comes, and sleeps while nothing does: then the next record's
// writer wakes it, once (ring/rest.hpp). One per session. It blocks all signals, holds
// no lock that an emitter takes, and its failures are words in status(), never an exception or an exit.
// Start reading at Consumer::run().
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "../clock/clock.hpp"
#include "../thrift/connection.hpp"
#include "progress.hpp"
#include "stream.hpp"

namespace blkin::consumer {

struct Options {
  thrift::Address relay;
  thrift::Hello hello;
  bool listens = false;  // stays connected while nothing is on, for the relay's rules
  bool tells =
      true;  // says once on stderr that the relay is away; not where a controller's own relay goes with it
  Timeouts timeouts{};
};

// For begin_stop(): ends once all is delivered, however long the relay is away.
constexpr uint64_t kUntilDelivered = UINT64_MAX;

// What becomes of the time that begin_stop() gives where the relay was never reached: the end of a process costs nothing then, since
// its rings stay; a session that is closed waits, since what it holds goes with it.
enum class Unreached { kLeft, kAwaited };

struct Status {
  std::string state{"idle"};  // or "connecting", "connected", "refused"
  std::string error{};        // why not connected, as long as it is not
  uint64_t acknowledged = 0;
  uint64_t overwritten = 0;  // events that were given up before they were read
  uint64_t unstored = 0;     // that the relay had said are stored, and holds no longer
  uint64_t given_up = 0;     // of a dead process, before it was recovered
  uint64_t bytes_sent = 0;
  uint32_t puts_in_flight = 0;
};

class Consumer {
 public:
  // The calibration goes on from what the supply's process read last, so one process's times are one line.
  Consumer(Options options, Supply& supply, clock::Calibration calibration);
  ~Consumer();
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  void start();

  // Something was switched on or off, a ring was made, or the first record came while it slept.
  void wake();

  // flush() without the wait: a ticket, and whether all that was committed before it was given is acknowledged, or
  // the thread has ended.
  uint64_t ask_flush();
  bool flushed(uint64_t ticket);
  // As flush(), for that ticket; may be called again where it gave up.
  bool await_flush(uint64_t ticket, uint64_t timeout_ms);

  // Waits until all that was committed before the call is acknowledged. False: not within the time.
  bool flush(uint64_t timeout_ms);

  // What stop() asks for, without the wait; of several the soonest counts. ended(): the thread uses nothing any more.
  void begin_stop(uint64_t timeout_ms, Unreached unreached = Unreached::kLeft);
  bool ended();

  // Flushes, then ends the thread. Bounded: waits for a relay that answers at most timeout_ms, for one that was
  // never reached not at all, and counts from the first call. True: everything was delivered. To be called before the
  // destructor; where it gave up
  // on a thread inside a name look-up (stopped() is false), the object must be left to that thread.
  bool stop(uint64_t timeout_ms);

  bool stopped();

  Status status();

 private:
  struct Orders {
    uint64_t flush;  // the last flush asked for
    bool stop;
    bool hurry;  // somebody waits for a flush or for the end
    bool wanted;
  };

  void run();
  Orders take_orders();
  bool somebody_waits() const;
  void make_wake_fd();
  void connect_when_due();
  void greet();
  void take_replies();
  void take(const thrift::Reply& reply);
  void take_rules(const thrift::Reply& reply);
  void ask_for_rules();
  void tell_enabled();
  void call(std::vector<uint8_t> frame);
  void give_up_the_silent();
  std::string why_closed() const;
  bool time_to_look(const Orders& orders) const;
  void find_rings();
  void look();
  bool worth_sending(const Orders& orders) const;
  void declare_new();
  void send_pending();
  bool send_one(Stream& stream);
  clock::EpochTable::Found enter_epoch(Stream& stream, uint64_t ns);
  void drop_connection(const std::string& why, bool refused);
  bool all_delivered() const;
  void begin_flush(uint64_t asked);
  void settle();
  bool may_end();
  void tell_once(const std::string& what);
  bool may_rest(uint64_t now) const;
  bool rest();
  void wait(bool was_wanted);

  Options options_;
  Supply& supply_;
  clock::Calibration calibration_;
  ctf::Packer packer_;
  thrift::Connection connection_;
  Progress progress_;
  std::vector<Source> sources_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::vector<thrift::Held> held_;
  bool greeted_ = false;  // the relay answered hello
  bool ever_connected_ = false;
  bool tried_ = false;
  bool told_ = false;
  int32_t next_call_ = 1;
  int64_t rules_version_ = -1;
  std::vector<thrift::Rule> rules_;  // the relay's, as they were taken last
  bool asked_for_rules_ = false;     // the answer is still to come
  uint64_t enabled_seen_ = 0;        // of what is on, what this connection was told last
  uint64_t last_put_ns_ = 0;
  bool followed_ = false;    // somebody watches what the relay gets
  uint64_t look_at_ns_ = 0;  // the next look at the rings
  int idle_looks_ = 0;       // one behind the other that found nothing to do, and no ring that is new
  bool sending_ = false;     // what the looks found goes out, as the window lets it
  uint64_t sent_at_ns_ = 0;  // when all of it had
  size_t declared_ = 0;
  bool takes_epochs_ = false;  // the relay makes a trace of each
  size_t declares_in_flight_ = 0;
  size_t in_flight_bytes_ = 0;
  size_t turn_ = 0;               // whose put is the next, by its place in streams_
  std::deque<size_t> put_bytes_;  // of puts not yet answered, in the order sent
  uint64_t retry_at_ns_ = 0;
  uint64_t backoff_ns_ = 0;
  uint64_t pause_us_ = 0;
  std::atomic<int> wake_fd_{-1};  // set once; -1 as long as the process has no descriptor left
  std::thread thread_;

  std::mutex mutex_;  // guards what follows; never held while sending or packing
  std::condition_variable settled_;
  uint64_t flush_asked_ = 0;
  uint64_t flush_done_ = 0;
  uint64_t flush_taken_ = 0;  // the flush under way, or flush_done_
  bool stopping_ = false;
  bool awaits_unreached_ = false;
  uint64_t stop_by_ns_ = 0;
  uint64_t tell_by_ns_ = 0;
  bool ended_ = false;
  bool abandoned_ = false;  // by stop(), inside a name look-up
  bool delivered_ = false;
  Status status_;
};

}  // namespace blkin::consumer
