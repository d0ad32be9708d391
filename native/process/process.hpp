// native/process/process.hpp: what there is one of in a process, however many JavaScript threads use it: the registry,
// the sessions, the folder, the agent. Never destroyed, since threads may still emit while the process exits.
//
//   the folder, the agent   come with the first declaration or session, and go at exit(3)
//   a session               from open() to close(): its place is cleared, no emitter is left inside, its consumer has
//                           delivered or given up, its rings are unmapped. The agent takes these steps one by one.
//                           The older form of one that was changed gives nothing up: it ends when all is delivered, and
//                           where the process ends first its folder is left to be recovered.
//   a consumer              starts with the first rule, or when a thread comes and rules stand; ends with its session,
//                           the last JavaScript thread, or exit(3), whichever is first. A killed process is recovered.
#pragma once

#include <atomic>
#include <bit>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "helper_thread.hpp"
#include "session.hpp"

namespace blkin::control {

constexpr uint64_t kExitFlushMs = 2000;  // what is still in the rings goes out within this, or is given up

struct Refused {
  thrift::Refusal reason;
  std::string message;
};

// How a session ended, once it has. Shared by who closes it and who waits for it.
struct Ending {
  std::mutex mutex;
  std::condition_variable changed;
  int parts = 1;  // sessions that are still to end: older forms of it too
  bool over = false;
  bool delivered = true;
  thrift::SessionState last;
};

class Process {
 public:
  static Process& get();

  // The hot call. Where one session takes the event as it is, the record goes straight to its ring.
  // payload: readable up to the next multiple of 8 of length, behind kContextBytesMax bytes for contexts. asked: what the
  // emitter has asked for the event, an Asked; called where sessions have something to ask.
  // False: rules have changed since it was asked, and nothing was done; the emitter asks and puts it again.
  template <typename AskedOf>
  [[gnu::always_inline, nodiscard]] static bool emit(Event event, uint32_t length, uint64_t* payload,
                                                     Thread& thread, AskedOf asked) noexcept {
    const Inside inside(thread);
    uint16_t want = one_->registry_.wanted(event.id());
    if (want >= kGated && !one_->registry_.settle(event.id(), asked(), want)) [[unlikely]]
      return false;
    if (want - 1U < 255 && (want & (want - 1)) == 0) [[likely]] {
      Session* const session = session_of(static_cast<size_t>(std::countr_zero(want)), thread);
      if (session != nullptr) [[likely]]
        session->write(event, length, payload, thread);
    } else deliver(want, event, length, payload, thread);
    return true;
  }

  // Counts an event whose values were refused, in every session that wanted it.
  static void count_bad_value(uint16_t id, Thread& thread) noexcept;

  // Before the first session, once. False: another thread came first, and the settings in force stay.
  bool configure(Settings settings);
  Settings settings();

  void attach(Thread& thread);
  void detach(Thread& thread);

  Declared declare(thrift::Tracepoint tracepoint, const std::string& schema);

  // owner: the controller that it is attached to, 0 for none.
  std::optional<Refused> open(const thrift::SessionSpec& spec, uint64_t owner = 0);
  // It stays attached to whom it was.
  std::optional<Refused> change(thrift::SessionSpec spec);
  std::optional<Refused> close(const std::string& name, uint64_t timeout_ms, std::shared_ptr<Ending>& ending);
  // All that are attached to it; those that are closing already have no longer than this either.
  void close_owned(uint64_t owner, uint64_t timeout_ms);
  // Where no session has this name.
  std::optional<Refused> missing(const std::string& name);

  // The default session is made where it is not there.
  std::optional<Refused> enable(const std::string& session, thrift::Rule rule, Misfits misfits, Outcome& out);
  std::optional<Refused> disable(const std::string& session, const std::string& pattern,
                                 thrift::Origin origin, Outcome& out);
  void disable(const std::string& session, uint32_t rule);

  // Their consumers; all of them where the name is empty.
  std::vector<std::shared_ptr<consumer::Consumer>> consumers(const std::string& session);
  // Calls with each session that stands, while none can go.
  void each_session(const std::function<void(Session&)>& call);
  thrift::ProcessState describe();
  std::vector<thrift::On> on(size_t tracepoint);
  std::string folder_error();

  Registry& registry() { return registry_; }
  ContextTable& contexts() { return contexts_; }

  // The agent's: takes the steps that wait for others, and says how soon it is to be called again.
  enum class Next : uint8_t { kWhenWoken, kLater, kSoon };
  Next advance();
  // The agent's, once in a while: looks at the clocks for sessions that have no consumer to do it. False: there are none.
  bool look_at_clocks();
  // The agent's, after a while: tries again what could not be had when the first tracepoint was declared (a full /dev/shm, no
  // descriptor left): the folder, the socket, what was declared. True: all is there.
  bool complete();
  std::string folder_path();

 private:
  Process();

  // The session of this number; null where there is none, since a program can write to its tracepoints' words. To look it
  // up takes four loads, each of which waits for the one before, and the clock is read only when all have come. So the
  // processor goes on with the answer of last time, while it checks that it holds.
  [[gnu::always_inline]] static Session* session_of(size_t number, Thread& thread) noexcept {
    Session* const session = sessions_[number].load(std::memory_order_acquire);
    Session* const last = thread.last;
    Session* known = last;
    asm("" : "+r"(known));  // or the compiler sees that both are the same, and takes the one that comes late
    if (known == session) [[likely]]
      return last;
    return thread.last = session;
  }

  // To several sessions, or none any more. The record in parts: its address would have to be taken, and then the common
  // way too would build it in memory.
  [[gnu::noinline]] static void deliver(uint16_t want, Event event, uint32_t length, uint64_t* payload,
                                        Thread& thread) noexcept;

  struct Closing {
    Session* session;
    std::shared_ptr<Ending> ending;
    uint64_t timeout_ms;
    bool older;         // form of a session that was changed
    bool left = false;  // by all emitters
  };

  // Holding the mutex: each session that is not being closed.
  template <typename Call>
  void each_open(Call call) {
    for (const auto& session : sessions_)
      if (Session* one = session.load(); one != nullptr && !is_closing(one)) call(*one);
  }

  void settle();
  Session* find(const std::string& name);
  bool is_closing(const Session* session) const;
  Refused no_session(const std::string& name);
  static bool tell_end(const Closing& closing);
  std::optional<Refused> make(const thrift::SessionSpec& spec, Session*& made);
  std::optional<Refused> session_for(const std::string& name, Session*& out);
  static void limit(Closing& closing, uint64_t timeout_ms);
  void begin_close(Session& session, uint64_t timeout_ms, std::shared_ptr<Ending> ending);
  void apply_standing_rules();
  void create_folder();
  bool keep_tracepoints();
  void end(bool exiting);

  ContextTable contexts_;
  Registry registry_{contexts_};
  Threads threads_;
  ProcessFolder folder_;
  SpareFolder spare_{registry_};
  std::unique_ptr<HelperThread> helper_;

  // Static: one load each for the emit path. one_ is what get() returns, without its guard; null before the first get().
  inline static Process* one_ = nullptr;
  inline static std::array<std::atomic<Session*>, kSessionsMax> sessions_{};

  std::mutex mutex_;  // guards what follows, and who may change sessions_
  Settings settings_;
  bool configured_ = false;
  bool settled_ = false;  // folder and agent were tried for
  bool exiting_ = false;
  int thread_count_ = 0;
  size_t tracepoints_kept_ = 0;
  bool left_behind_ = false;  // a session's folder stays, with what could not be delivered
  std::vector<Closing> closings_;
};

}  // namespace blkin::control
