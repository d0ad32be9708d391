// native/test/thrift_test.cc: what the messages look like on the wire, and what the parser does with bytes that no
// honest peer sends: every truncation, random changes, depth and sizes out of all proportion.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "thrift/messages.hpp"

namespace blkin::thrift {
namespace {

// A copy on the heap of just this size, so that AddressSanitizer sees the first byte read beyond it.
bool parses(const std::vector<uint8_t>& frame, Reply& reply) {
  const std::unique_ptr<uint8_t[]> exact(new uint8_t[frame.size()]);
  std::copy(frame.begin(), frame.end(), exact.get());
  return parse_reply(exact.get(), frame.size(), reply);
}

template <typename Body>
std::vector<uint8_t> reply_frame(std::string_view name, MessageType type, int32_t call, Body body) {
  std::vector<uint8_t> frame;
  Writer writer(frame);
  writer.message(name, type, call);
  body(writer);
  writer.stop();
  return frame;
}

std::vector<uint8_t> hello_reply() {
  return reply_frame("hello", MessageType::kReply, 5, [](Writer& writer) {
    writer.field(FieldType::kStruct, 0);
    writer.field_i32(1, 1);
    writer.field_i32(2, 17);
    writer.field_list(3, FieldType::kStruct, 2);
    for (int64_t n = 1; n <= 2; ++n) {
      writer.field_i32(1, static_cast<int32_t>(n));
      for (int16_t id = 2; id <= 7; ++id) writer.field_i64(id, n << 40 | id);
      writer.stop();
    }
    writer.stop();
  });
}

std::vector<uint8_t> put_reply() {
  return reply_frame("put", MessageType::kReply, 6, [](Writer& writer) {
    writer.field(FieldType::kStruct, 0);
    writer.field_i32(1, 65537);
    writer.field_i64(2, 1LL << 50);
    writer.stop();
  });
}

std::vector<uint8_t> refusal() {
  return reply_frame("put", MessageType::kReply, 7, [](Writer& writer) {
    writer.field(FieldType::kStruct, 1);
    writer.field_i32(1, 5);
    writer.field_string(2, "expected 4");
    writer.stop();
  });
}

TEST(Put, stands_at_a_fixed_distance_before_its_packets) {
  for (const int64_t n : {int64_t{0}, int64_t{1}, INT64_MAX}) {
    const size_t packets = 50;
    std::vector<uint8_t> frame(kPutPrefix + packets + kPutSuffix + 8, 0xAA);
    const PutHead head{static_cast<int32_t>(n), n, n, static_cast<int32_t>(n), {n, n, n, n, n, n},
                       static_cast<int32_t>(n), n};
    finish_put(frame.data(), 3, head, packets);
    Reader reader(frame.data(), frame.size());
    EXPECT_EQ(static_cast<size_t>(reader.i32()), kPutPrefix - 4 + packets + kPutSuffix)
        << "the frame's length";
    const Reader::Message message = reader.message();
    EXPECT_EQ(message.name, "put");
    EXPECT_EQ(message.type, MessageType::kCall);
    EXPECT_EQ(message.sequence, 3);
    std::string binary;
    std::vector<int64_t> numbers;
    reader.fields([&](Reader::FieldHead argument) {
      ASSERT_EQ(argument.id, 1);
      reader.fields([&](Reader::FieldHead field) {
        if (field.type == FieldType::kI32) numbers.push_back(reader.i32());
        else if (field.type == FieldType::kI64) numbers.push_back(reader.i64());
        else if (field.type == FieldType::kString) binary = reader.string();
        else reader.fields([&](Reader::FieldHead) { numbers.push_back(reader.i64()); });
      });
    });
    ASSERT_TRUE(reader.ok());
    EXPECT_EQ(binary, std::string(packets, '\xAA')) << "the packets, not moved and not touched";
    const auto i32 = static_cast<int64_t>(static_cast<int32_t>(n));
    EXPECT_EQ(numbers, (std::vector<int64_t>{i32, n, n, i32, n, n, n, n, n, n, i32, n}));
    EXPECT_EQ(frame[kPutPrefix + packets + kPutSuffix], 0xAA) << "nothing is written behind it";
  }
}

TEST(Hello, is_read_back_as_it_was_written) {
  Hello hello{};
  for (uint8_t i = 0; i < 16; ++i) hello.uuid[i] = i, hello.boot_id[i] = static_cast<uint8_t>(200 + i);
  hello.pid = 42;
  hello.started_at = 1'700'000'000'000'000'001;
  hello.hostname = std::string("h\0st", 4);
  hello.program = "prögram";
  hello.clock_offset = -5;
  hello.ack = Ack::kSynced;
  hello.token = "token";
  hello.secret = std::string("\0sixteen bytes.\xff", 16);
  std::vector<uint8_t> bytes;
  Writer writer(bytes);
  write_hello(writer, hello);
  Reader reader(bytes.data(), bytes.size());
  const Hello back = read_hello(reader);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(back.uuid, hello.uuid);
  EXPECT_EQ(back.pid, hello.pid);
  EXPECT_EQ(back.started_at, hello.started_at);
  EXPECT_EQ(back.hostname, hello.hostname);
  EXPECT_EQ(back.program, hello.program);
  EXPECT_EQ(back.boot_id, hello.boot_id);
  EXPECT_EQ(back.clock_offset, hello.clock_offset);
  EXPECT_EQ(back.ack, hello.ack);
  EXPECT_EQ(back.secret, hello.secret) << "by it the relay knows whose session it was";
  EXPECT_EQ(back.token, "") << "a recoverer brings its own";
}

Tracepoint some_tracepoint() {
  return {9,
          "disk",
          "io",
          6,
          {{"op", Type::kEnum, Shape::kScalar, 0, Type::kU16, {{"read", 0}, {"write", 65535}}},
           {"key", Type::kU8, Shape::kArray, 16, {}, {}},
           {"sizes", Type::kI64, Shape::kSequence, 0, {}, {}},
           {"name", Type::kString, Shape::kScalar, 0, {}, {}}}};
}

TEST(Tracepoint, is_read_back_as_it_was_written) {
  const Tracepoint wrote = some_tracepoint();
  std::vector<uint8_t> bytes;
  Writer writer(bytes);
  write_tracepoint(writer, wrote);
  write_tracepoint(writer, wrote);
  Reader reader(bytes.data(), bytes.size());
  for (int i = 0; i < 2; ++i) {
    const Tracepoint back = read_tracepoint(reader);
    ASSERT_TRUE(reader.ok());
    EXPECT_EQ(back.id, 9);
    EXPECT_EQ(back.provider, "disk");
    EXPECT_EQ(back.event, "io");
    EXPECT_EQ(back.level, 6);
    ASSERT_EQ(back.fields.size(), 4U);
    for (size_t f = 0; f < 4; ++f) {
      EXPECT_EQ(back.fields[f].name, wrote.fields[f].name);
      EXPECT_EQ(back.fields[f].type, wrote.fields[f].type);
      EXPECT_EQ(back.fields[f].shape, wrote.fields[f].shape);
      EXPECT_EQ(back.fields[f].length, wrote.fields[f].length);
      EXPECT_EQ(back.fields[f].container, wrote.fields[f].container);
    }
    ASSERT_EQ(back.fields[0].labels.size(), 2U);
    EXPECT_EQ(back.fields[0].labels[1].name, "write");
    EXPECT_EQ(back.fields[0].labels[1].value, 65535);
  }
  read_tracepoint(reader);
  EXPECT_FALSE(reader.ok()) << "nothing came behind them";
}

TEST(Tracepoint, cut_anywhere_is_not_ok) {
  std::vector<uint8_t> bytes;
  Writer writer(bytes);
  write_tracepoint(writer, some_tracepoint());
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<uint8_t> part(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
    Reader reader(part.data(), part.size());
    read_tracepoint(reader);
    ASSERT_FALSE(reader.ok()) << size << " of " << bytes.size() << " bytes";
  }
}

TEST(Reply, carries_what_the_relay_holds) {
  Reply reply;
  ASSERT_TRUE(parses(hello_reply(), reply));
  EXPECT_EQ(reply.kind, Reply::Kind::kHello);
  EXPECT_EQ(reply.call, 5);
  EXPECT_EQ(reply.tracepoints, 17);
  ASSERT_EQ(reply.held.size(), 2U);
  const Held& held = reply.held[1];
  EXPECT_EQ(held.stream, 2);
  EXPECT_EQ((std::vector{held.sequence, held.position, held.bytes, held.packets, held.last_time, held.lost}),
            (std::vector<int64_t>{2LL << 40 | 2, 2LL << 40 | 3, 2LL << 40 | 4, 2LL << 40 | 5, 2LL << 40 | 6,
                                  2LL << 40 | 7}));
}

TEST(Reply, says_which_put_was_stored) {
  Reply reply;
  ASSERT_TRUE(parses(put_reply(), reply));
  EXPECT_EQ(reply.kind, Reply::Kind::kPut);
  EXPECT_EQ(reply.call, 6);
  EXPECT_EQ(reply.stream, 65537);
  EXPECT_EQ(reply.sequence, 1LL << 50);
  ASSERT_TRUE(parses(reply_frame("declareTracepoints", MessageType::kReply, 8, [](Writer&) {}), reply));
  EXPECT_EQ(reply.kind, Reply::Kind::kDeclare);
}

TEST(Reply, carries_the_words_of_a_refusal_and_of_the_runtimes_own_exception) {
  Reply reply;
  ASSERT_TRUE(parses(refusal(), reply));
  EXPECT_EQ(reply.kind, Reply::Kind::kRefused);
  EXPECT_EQ(reply.message, "expected 4");
  const auto exception = reply_frame("whatever", MessageType::kException, 9, [](Writer& writer) {
    writer.field_string(1, "unknown method");
    writer.field_i32(2, 1);
  });
  ASSERT_TRUE(parses(exception, reply));
  EXPECT_EQ(reply.kind, Reply::Kind::kRefused);
  EXPECT_EQ(reply.message, "unknown method");
}

TEST(Reply, fields_and_types_unknown_to_us_are_skipped) {
  const auto frame = reply_frame("put", MessageType::kReply, 6, [](Writer& writer) {
    writer.field(FieldType::kStruct, 0);
    writer.field_list(9, FieldType::kI64, 2), writer.i64(1), writer.i64(2);
    writer.field(FieldType::kMap, 10), writer.u8(11), writer.u8(12), writer.i32(1), writer.string("k"),
        writer.stop();
    writer.field(FieldType::kBool, 11), writer.u8(1);
    writer.field(FieldType::kDouble, 12), writer.i64(0);
    writer.field(FieldType::kI16, 13), writer.i16(1);
    writer.field_string(2, "an i64 once");  // a known id of another type
    writer.field_i32(1, 4);
    writer.stop();
  });
  Reply reply;
  ASSERT_TRUE(parses(frame, reply));
  EXPECT_EQ(reply.stream, 4);
  EXPECT_EQ(reply.sequence, 0);
}

TEST(Reply, that_is_not_of_this_protocol_is_refused) {
  Reply reply;
  EXPECT_FALSE(parses({}, reply));
  EXPECT_FALSE(parses(reply_frame("ping", MessageType::kReply, 1, [](Writer&) {}), reply))
      << "an unknown call";
  EXPECT_FALSE(parses(reply_frame("put", MessageType::kReply, 1, [](Writer&) {}), reply))
      << "neither result nor refusal";
  EXPECT_FALSE(parses(reply_frame("put", MessageType::kCall, 1, [](Writer&) {}), reply))
      << "a call, not a reply";
  auto old = put_reply();
  old[0] = 0;
  EXPECT_FALSE(parses(old, reply)) << "the protocol of before, not strict";
}

TEST(Reply, cut_anywhere_is_refused) {
  for (const auto& whole : {hello_reply(), put_reply(), refusal()}) {
    for (size_t size = 0; size < whole.size(); ++size) {
      Reply reply;
      ASSERT_FALSE(parses({whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size)}, reply)) << size;
    }
    Reply reply;
    EXPECT_TRUE(parses(whole, reply));
  }
}

TEST(Reply, changed_at_random_is_refused_or_read_and_nothing_else) {
  std::mt19937 random(1);
  int refused = 0, read = 0;
  for (int i = 0; i < 30'000; ++i) {
    auto frame = i % 3 == 0 ? hello_reply() : i % 3 == 1 ? put_reply() : refusal();
    for (int n = 1 + static_cast<int>(random() % 6); n > 0; --n) {
      const size_t at = random() % frame.size();
      switch (random() % 3) {
        case 0:
          frame[at] = static_cast<uint8_t>(random());
          break;
        case 1:
          frame[at] = random() % 2 == 0 ? 0xFF : static_cast<uint8_t>(random() % 16);
          break;
        default:
          frame.resize(std::max<size_t>(1, at));
      }
    }
    Reply reply;
    parses(frame, reply) ? ++read : ++refused;
    ASSERT_LE(reply.held.size(), frame.size());
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(read, 0);
}

TEST(Reader, refuses_structs_within_structs_beyond_all_reason) {
  for (const int depth : {kDepthMax - 1, kDepthMax + 2, 200'000}) {
    std::vector<uint8_t> frame;
    Writer writer(frame);
    writer.message("put", MessageType::kReply, 1);
    writer.field(FieldType::kStruct, 0);
    for (int i = 0; i < depth; ++i) writer.field(FieldType::kStruct, 9);
    for (int i = 0; i < depth + 2; ++i) writer.stop();
    Reply reply;
    EXPECT_EQ(parses(frame, reply), depth < kDepthMax) << depth;
  }
  std::vector<uint8_t> lists;
  Writer writer(lists);
  writer.message("put", MessageType::kReply, 1);
  writer.field(FieldType::kStruct, 0);
  writer.field(FieldType::kList, 9);
  for (int i = 0; i < 200'000; ++i) writer.u8(static_cast<uint8_t>(FieldType::kList)), writer.i32(1);
  Reply reply;
  EXPECT_FALSE(parses(lists, reply)) << "lists within lists";
}

TEST(Reader, refuses_sizes_that_cannot_be_before_it_loops_or_allocates) {
  for (const int32_t size : {INT32_MAX, -1, INT32_MIN, 1000}) {
    for (const FieldType type : {FieldType::kList, FieldType::kSet, FieldType::kMap, FieldType::kString}) {
      const auto frame = reply_frame("put", MessageType::kReply, 1, [&](Writer& writer) {
        writer.field(FieldType::kStruct, 0);
        writer.field(type, 9);
        if (type != FieldType::kString) writer.u8(static_cast<uint8_t>(FieldType::kBool));
        if (type == FieldType::kMap) writer.u8(static_cast<uint8_t>(FieldType::kBool));
        writer.i32(size);
        writer.stop();
      });
      Reply reply;
      EXPECT_FALSE(parses(frame, reply)) << size << " elements, type " << static_cast<int>(type);
    }
    const auto held = reply_frame("hello", MessageType::kReply, 1, [&](Writer& writer) {
      writer.field(FieldType::kStruct, 0);
      writer.field(FieldType::kList, 3), writer.u8(static_cast<uint8_t>(FieldType::kStruct)),
          writer.i32(size);
      writer.stop();
    });
    Reply reply;
    EXPECT_FALSE(parses(held, reply)) << size << " held";
    EXPECT_LE(reply.held.size(), held.size());
  }
}

TEST(Reader, gives_zero_after_the_first_thing_that_did_not_fit) {
  const uint8_t bytes[3] = {1, 2, 3};
  Reader reader(bytes, sizeof bytes);
  EXPECT_EQ(reader.i32(), 0);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.u8(), 0) << "though there are bytes left";
  EXPECT_EQ(reader.string(), "");
}

}  // namespace
}  // namespace blkin::thrift
