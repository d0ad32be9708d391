// native/test/visible_test.cc: text from another process, on its way to a terminal or a log.
#include "thrift/visible.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "consumer/stderr.hpp"

namespace blkin::thrift {
namespace {

using namespace std::string_view_literals;

// test/visible.test.ts has the same texts.
TEST(Visible, escapes_what_a_terminal_obeys_and_what_begins_a_line) {
  const std::string_view evil = "a\0\x1b]0;title\a\u009b2J\r\n\t\x7f\u202egnp\u2028z"sv;
  EXPECT_EQ(visible(evil, 1000), R"(a\x00\x1b]0;title\x07\x9b2J\r\n\t\x7f\u202egnp\u2028z)");
  EXPECT_EQ(visible("\u061c\u200e\u200f\u2029\u202a\u2066\u2069", 1000),
            R"(\u061c\u200e\u200f\u2029\u202a\u2066\u2069)");
}

TEST(Visible, leaves_what_people_write) {
  const std::string_view text = "ünïcode 日本 👍🏽 \u00a0\u2027\u202f\u2065\u206a\"\\";
  EXPECT_EQ(visible(text, 1000), text);
}

TEST(Visible, shows_bytes_that_are_no_text) {
  EXPECT_EQ(visible("\x9b[1m\xff\xc3", 1000), R"(\x9b[1m\xff\xc3)");
  EXPECT_EQ(visible("\xc0\x9b\xe0\x80\x9b\xed\xa0\x80\xf5", 1000), R"(\xc0\x9b\xe0\x80\x9b\xed\xa0\x80\xf5)");
}

TEST(Visible, cuts_what_is_longer) {
  EXPECT_EQ(visible(std::string(5000, 'x'), 1000), std::string(1000, 'x'));
}

TEST(TellStderr, never_waits_for_who_does_not_read) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const int before = dup(STDERR_FILENO);
  dup2(ends[1], STDERR_FILENO);
  for (int i = 0; i < 100; ++i) consumer::tell_stderr(std::string(1 << 20, '\x1b'));
  dup2(before, STDERR_FILENO);
  char line[4100];
  const ssize_t size = read(ends[0], line, sizeof line);
  EXPECT_EQ(std::string(line, 11), R"(blkin: \x1b)");
  EXPECT_GE(size, 4000);
  for (const int end : {ends[0], ends[1], before}) close(end);
}

}  // namespace
}  // namespace blkin::thrift
