// native/test/progress_test.cc: who is given up as silent, and who is only slow.
#include "consumer/progress.hpp"

#include <gtest/gtest.h>

namespace blkin::consumer {
namespace {

constexpr uint64_t kMs = 1'000'000;

class ProgressTest : public testing::Test {
 protected:
  // What is said of it at the moment when it is to be asked.
  std::string at_due(uint64_t acknowledged = 0) {
    now = progress.due_ns();
    return progress.overdue(now, acknowledged);
  }

  uint64_t now = 1'000 * kMs;
  Progress progress{{.connect_ms = 1'000, .hello_ms = 2'000, .answer_ms = 10'000, .rules_ms = 20'000}};
};

TEST_F(ProgressTest, nothing_is_due_while_nothing_is_awaited) {
  EXPECT_EQ(progress.due_ns(), UINT64_MAX);
  progress.connecting(now);
  progress.greeting(now);
  progress.greeted(now);
  EXPECT_EQ(progress.due_ns(), UINT64_MAX);
  progress.called(100, now);
  progress.answered(now);
  EXPECT_EQ(progress.due_ns(), UINT64_MAX);
  progress.called(200, now);
  progress.closed();
  EXPECT_EQ(progress.due_ns(), UINT64_MAX);
}

TEST_F(ProgressTest, a_connection_that_nobody_takes_is_given_up) {
  progress.connecting(now);
  EXPECT_EQ(progress.overdue(now + 999 * kMs, 0), "");
  EXPECT_EQ(progress.overdue(now + 1'000 * kMs, 0), "connect: no answer for 1 s");
}

TEST_F(ProgressTest, a_hello_without_an_answer_is_given_up_later_each_time_until_one_is_answered) {
  for (const std::string time : {"2 s", "4 s", "8 s", "16 s", "16 s"}) {
    progress.connecting(now);
    progress.greeting(now);
    EXPECT_EQ(at_due(), "it took the connection and has not answered for " + time +
                            "; expected a relay's --listen address");
    progress.closed();
  }
  progress.greeting(now);
  progress.greeted(now);
  progress.greeting(now);
  EXPECT_EQ(progress.due_ns(), now + 2'000 * kMs);
}

TEST_F(ProgressTest, a_relay_that_answers_slowly_is_waited_for) {
  progress.greeted(now);
  for (uint64_t end = 100; end <= 1'000; end += 100) progress.called(end, now);
  for (int i = 0; i < 10; ++i) {
    now += 9'999 * kMs;
    EXPECT_EQ(progress.overdue(now, 1'000), "");
    progress.answered(now);
  }
  EXPECT_EQ(progress.due_ns(), UINT64_MAX);
}

TEST_F(ProgressTest, a_link_that_takes_the_oldest_call_byte_by_byte_is_waited_for) {
  progress.greeted(now);
  progress.called(1'000, now);
  for (uint64_t taken = 1; taken < 1'000; taken += 100) EXPECT_EQ(at_due(taken), "");
}

TEST_F(ProgressTest, a_link_that_takes_nothing_any_more_is_given_up) {
  progress.greeted(now);
  progress.called(1'000, now);
  EXPECT_EQ(at_due(500), "");
  EXPECT_EQ(at_due(500), "it has not answered for 10 s");
}

TEST_F(ProgressTest, a_relay_that_takes_the_call_and_never_answers_is_given_up_whatever_else_it_takes) {
  progress.greeted(now);
  progress.called(1'000, now);
  for (uint64_t end = 2'000; end < 9'000; end += 1'000) progress.called(end, now += kMs);
  EXPECT_EQ(at_due(8'000), "it has not answered for 10 s");
}

TEST_F(ProgressTest, rules_may_be_answered_as_late_as_was_asked_for_and_then_some) {
  progress.greeted(now);
  progress.asked_for_rules(now);
  EXPECT_EQ(progress.due_ns(), now + 30'000 * kMs);
  progress.rules_answered(now + 29'000 * kMs);
  EXPECT_EQ(progress.due_ns(), UINT64_MAX);
  progress.asked_for_rules(now);
  EXPECT_EQ(at_due(), "it has not answered for 10 s");
}

TEST_F(ProgressTest, a_put_is_not_given_as_long_as_the_rules_are) {
  progress.greeted(now);
  progress.asked_for_rules(now);
  progress.called(1'000, now);
  EXPECT_EQ(progress.due_ns(), now + 10'000 * kMs);
  progress.answered(now + 25'000 * kMs);
  EXPECT_EQ(progress.due_ns(), now + 35'000 * kMs) << "what waited behind the put has its time from there";
}

}  // namespace
}  // namespace blkin::consumer
