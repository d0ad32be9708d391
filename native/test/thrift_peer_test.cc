// native/test/thrift_peer_test.cc: our client against the Apache runtime in Python, over a real socket. The Python side
// (thrift_peer.py) knows only the IDL; it compares each field with the values sent here and refuses what differs.
#include <gtest/gtest.h>
#include <poll.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "temp_folder.hpp"
#include "thrift/connection.hpp"
#include "thrift/messages.hpp"

namespace blkin::thrift {
namespace {

const std::string kPython = "/usr/bin/python3";

class Peer : public testing::Test {
 protected:
  void SetUp() override {
    const std::string source = BLKIN_SOURCE_DIR;
    if (std::system("thrift --version > /dev/null 2>&1") != 0)
      GTEST_SKIP() << "the Thrift compiler is not installed";
    if (std::system((kPython + " -c 'import thrift' > /dev/null 2>&1").c_str()) != 0)
      GTEST_SKIP() << "Debian's python3-thrift is not installed";
    ASSERT_EQ(std::system(
                  ("thrift --gen py -out " + folder_.path() + " " + source + "/../idl/blkin.thrift").c_str()),
              0);
    server_ =
        popen(("exec " + kPython + " " + source + "/test/thrift_peer.py " + folder_.path()).c_str(), "re");
    ASSERT_NE(server_, nullptr);
    const std::string port = line();
    ASSERT_FALSE(port.empty()) << "the server did not start";
    connection_.open({"127.0.0.1", port});
  }
  void TearDown() override {
    connection_.close({});
    if (server_ == nullptr) return;
    while (!line().empty()) {
    }
    pclose(server_);
  }

  std::string line() {
    char text[4096] = {};
    if (fgets(text, sizeof text, server_) == nullptr) return {};
    std::string out = text;
    out.pop_back();
    return out;
  }

  // The next reply, or a failure with the connection's words.
  Reply reply() {
    Reply out{};
    const uint8_t* frame = nullptr;
    size_t size = 0;
    while (!connection_.receive(frame, size)) {
      pollfd ready = connection_.interest();
      poll(&ready, 1, 1000);
      connection_.pump();
      if (connection_.state() == Connection::State::kClosed) {
        ADD_FAILURE() << connection_.error();
        return out;
      }
    }
    EXPECT_TRUE(parse_reply(frame, size, out));
    return out;
  }

  void send_put(int32_t call, int n) {
    const auto bytes = static_cast<size_t>(n) * 1000;
    std::vector<uint8_t> frame = connection_.spare(kPutPrefix + bytes + kPutSuffix);
    for (size_t i = 0; i < bytes; ++i)
      frame[kPutPrefix + i] = static_cast<uint8_t>(static_cast<size_t>(n) * 7 + i);
    finish_put(frame.data(), call,
               {65536 + n,
                (1LL << 40) + n,
                (1LL << 62) + n,
                n,
                {n, 1LL << 33, 0, INT64_MAX, 1LL << 34, 1LL << 35},
                n,
                -(1LL << 50) - n},
               bytes);
    connection_.send(std::move(frame), kPutPrefix + bytes + kPutSuffix);
  }

  test::TempFolder folder_;
  FILE* server_ = nullptr;
  Connection connection_;
};

TEST_F(Peer, understands_every_field_of_every_call_and_is_understood) {
  Hello hello{};
  for (uint8_t i = 0; i < 16; ++i) hello.uuid[i] = i, hello.boot_id[i] = static_cast<uint8_t>(200 + i);
  hello.pid = 4321;
  hello.started_at = 1'700'000'000'123'456'789;
  hello.hostname = "höst";
  hello.program = "a program";
  hello.clock_offset = -(1LL << 40) - 5;
  hello.ack = Ack::kSynced;
  hello.token = "tökən";
  hello.secret = std::string("\0sixteen bytes.\xff", 16);
  connection_.send(hello_call(11, hello));
  Reply got = reply();
  ASSERT_EQ(got.kind, Reply::Kind::kHello) << got.message;
  EXPECT_EQ(got.call, 11);
  EXPECT_EQ(got.tracepoints, 7);
  ASSERT_EQ(got.held.size(), 2U);
  const Held& held = got.held[0];
  EXPECT_EQ(held.stream, 3);
  EXPECT_EQ(held.sequence, 1LL << 40);
  EXPECT_EQ(held.position, 1LL << 41);
  EXPECT_EQ(held.bytes, 1LL << 42);
  EXPECT_EQ(held.packets, 1LL << 43);
  EXPECT_EQ(held.last_time, 1LL << 44);
  EXPECT_EQ(held.lost, 1LL << 45);
  EXPECT_EQ(held.events, 1LL << 46);
  EXPECT_EQ(got.held[1].stream, 131072);
  EXPECT_EQ(got.held[1].last_time, -1);
  EXPECT_EQ(got.held[1].events, 0) << "not told";

  connection_.send(
      declare_call(12, {{0,
                         "disk",
                         "io",
                         6,
                         {{"op", Type::kEnum, Shape::kScalar, 0, Type::kU16, {{"read", 0}, {"write", 65535}}},
                          {"delta", Type::kEnum, Shape::kScalar, 0, Type::kI32, {{"down", -1}}},
                          {"key", Type::kU8, Shape::kArray, 16, {}, {}},
                          {"sizes", Type::kI64, Shape::kSequence, 0, {}, {}},
                          {"name", Type::kString, Shape::kScalar, 0, {}, {}},
                          {"body", Type::kBytes, Shape::kScalar, 0, {}, {}}}},
                        {1, "disk", "empty", 14, {}}}));
  got = reply();
  EXPECT_EQ(got.kind, Reply::Kind::kDeclare) << got.message;
  EXPECT_EQ(got.call, 12);

  constexpr int kPuts[] = {0, 2, 4, 6, 8, 10};
  for (const int n : kPuts) send_put(100 + n, n);  // all in flight before the first answer is read
  for (const int n : kPuts) {
    got = reply();
    EXPECT_EQ(got.call, 100 + n) << "answered in the order they came";
    if (n == 4) {
      EXPECT_EQ(got.kind, Reply::Kind::kRefused);
      EXPECT_EQ(got.message, "sequence: expected 12, ünd nicht 4");
      continue;
    }
    ASSERT_EQ(got.kind, Reply::Kind::kPut) << got.message;
    EXPECT_EQ(got.stream, 65536 + n);
    EXPECT_EQ(got.sequence, (1LL << 40) + n);
  }
  connection_.close({});
  EXPECT_EQ(line(), "hello, declare, put 0, put 2, put 4, put 6, put 8, put 10");
}

TEST_F(Peer, refuses_a_value_that_differs_so_the_test_above_can_fail) {
  Hello hello{};
  hello.ack = Ack::kWritten;
  connection_.send(hello_call(1, hello));
  const Reply got = reply();
  EXPECT_EQ(got.kind, Reply::Kind::kRefused);
  EXPECT_NE(got.message.find("hello.uuid"), std::string::npos) << got.message;
  connection_.close({});
}

TEST_F(Peer, answers_an_unknown_method_with_the_runtimes_own_exception) {
  std::vector<uint8_t> frame(4);
  Writer writer(frame);
  writer.message("dance", MessageType::kCall, 77);
  writer.stop();
  frame[3] = static_cast<uint8_t>(frame.size() - 4);
  connection_.send(std::move(frame));
  const Reply got = reply();
  EXPECT_EQ(got.kind, Reply::Kind::kRefused);
  EXPECT_EQ(got.call, 77);
  EXPECT_NE(got.message.find("dance"), std::string::npos) << got.message;
  connection_.close({});
}

}  // namespace
}  // namespace blkin::thrift
