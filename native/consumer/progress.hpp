// native/consumer/progress.hpp: whether the other side of a connection still does anything. A slow relay is waited for as long
// as something moves; one that says nothing, that stopped, or whose machine is gone is given up after a bound, so that
// the next address is tried and status() says why. Who is given up wrongly costs nothing: the next hello tells what is held.
// Pure: the consumer thread says what happened and when. Start reading at overdue().
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>

namespace blkin::consumer {

struct Timeouts {
  uint64_t connect_ms = 5'000;
  uint64_t hello_ms = 5'000;  // doubled after each that was in vain, up to eight times this: it may be busy
  uint64_t answer_ms = 30'000;
  uint64_t rules_ms = 30'000;  // how long the relay may let a question for rules wait
};

class Progress {
 public:
  explicit Progress(Timeouts timeouts) : timeouts_(timeouts) {}

  void connecting(uint64_t now) { begin(State::kConnecting, now); }
  void greeting(uint64_t now) { begin(State::kGreeting, now); }
  void greeted(uint64_t now) {
    begin(State::kGreeted, now);
    unanswered_hellos_ = 0;
  }
  void closed() { begin(State::kClosed, 0); }

  // A call is on its way, whose last byte is the `end`th of this connection.
  void called(uint64_t end, uint64_t now) {
    if (unanswered_.empty()) since_ns_ = now;
    unanswered_.push_back(end);
  }
  void answered(uint64_t now) {
    since_ns_ = now;
    if (!unanswered_.empty()) unanswered_.pop_front();
  }
  // The one question whose answer may be late by design.
  void asked_for_rules(uint64_t now) {
    since_ns_ = std::max(since_ns_, now);
    rules_due_ns_ = now + (timeouts_.rules_ms + timeouts_.answer_ms) * kMs;
  }
  void rules_answered(uint64_t now) {
    since_ns_ = now;
    rules_due_ns_ = 0;
  }

  // When overdue() is to be asked: UINT64_MAX where nothing is awaited.
  uint64_t due_ns() const {
    switch (state_) {
      case State::kClosed:
        return UINT64_MAX;
      case State::kConnecting:
        return since_ns_ + timeouts_.connect_ms * kMs;
      case State::kGreeting:
        return since_ns_ + hello_ms() * kMs;
      case State::kGreeted:
        break;
    }
    const uint64_t answer = since_ns_ + timeouts_.answer_ms * kMs;
    if (!unanswered_.empty()) return answer;
    return rules_due_ns_ > 0 ? std::max(rules_due_ns_, answer) : UINT64_MAX;
  }

  // Why it is to be given up; empty where it is not. acknowledged: so many bytes of this connection its kernel has taken.
  // They show that it lives only while its oldest call is not there as a whole: then an answer is awaited.
  std::string overdue(uint64_t now, uint64_t acknowledged) {
    if (now < due_ns()) return {};
    switch (state_) {
      case State::kClosed:
        return {};
      case State::kConnecting:
        return "connect: no answer for " + seconds(timeouts_.connect_ms);
      case State::kGreeting: {
        std::string why = "it took the connection and has not answered for " + seconds(hello_ms()) +
                          "; expected a relay's --listen address";
        ++unanswered_hellos_;
        return why;
      }
      case State::kGreeted:
        break;
    }
    if (!unanswered_.empty() && acknowledged < unanswered_.front() && acknowledged > acknowledged_) {
      acknowledged_ = acknowledged;
      since_ns_ = now;
      return {};
    }
    return "it has not answered for " + seconds(timeouts_.answer_ms);
  }

 private:
  enum class State : uint8_t { kClosed, kConnecting, kGreeting, kGreeted };

  static constexpr uint64_t kMs = 1'000'000;
  static constexpr uint32_t kDoublingsMost = 3;

  void begin(State state, uint64_t now) {
    state_ = state;
    since_ns_ = now;
    rules_due_ns_ = acknowledged_ = 0;
    unanswered_.clear();
  }
  uint64_t hello_ms() const { return timeouts_.hello_ms << std::min(unanswered_hellos_, kDoublingsMost); }
  static std::string seconds(uint64_t ms) {
    return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
  }

  Timeouts timeouts_;
  State state_ = State::kClosed;
  uint64_t since_ns_ = 0;  // when something moved last
  uint64_t rules_due_ns_ = 0;
  uint64_t acknowledged_ = 0;        // of the bytes, when that was looked at last
  std::deque<uint64_t> unanswered_;  // where the calls end that were not answered, in the order sent
  uint32_t unanswered_hellos_ = 0;   // in a row
};

}  // namespace blkin::consumer
