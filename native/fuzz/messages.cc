// native/fuzz/messages.cc: what is decoded from Thrift: a relay's replies, a controller's structs, the files of a dead
// process. The first byte says what the others are. What was read is written, read and written again, to the same bytes; it
// takes memory in proportion to its bytes; and what check.hpp lets pass keeps the bounds that others rely on.
#include "allocated.hpp"
#include "input.hpp"
#include "rules/check.hpp"
#include "thrift/control.hpp"

namespace blkin::fuzz {
namespace {

using thrift::Reader;
using thrift::Writer;

// The smallest element of a list has 4 bytes, the largest struct some hundred; a vector that grows asks for twice as much.
constexpr size_t kBytesMost = 16 << 10;
constexpr size_t kTimesMost = 128;

template <typename Struct>
using Write = void (*)(Writer&, const Struct&);
template <typename Struct>
using Read = Struct (*)(Reader&);

template <typename Struct>
std::vector<uint8_t> written(Write<Struct> write, const Struct& value) {
  std::vector<uint8_t> bytes;
  Writer writer(bytes);
  write(writer, value);
  return bytes;
}

// What write() makes of it is a fixed point.
template <typename Struct>
Struct round_trip(const uint8_t* data, size_t size, Read<Struct> read, Write<Struct> write) {
  Reader reader(data, size);
  Struct value = read(reader);
  if (!reader.ok()) return value;
  const std::vector<uint8_t> first = written(write, value);
  Reader again(first.data(), first.size());
  const Struct same = read(again);
  expect(again.ok(), "what was written can be read");
  expect(written(write, same) == first, "the same bytes");
  return value;
}

void check_rule(const thrift::Rule& rule) {
  if (!control::wrong_rule(rule).empty()) return;
  expect(rule.pattern.find(':') == rule.pattern.rfind(':'), "a pattern of two parts");
  expect(rule.sample.keep >= 1 && rule.sample.keep <= rule.sample.of, "a share of 1 at most");
  expect(!rule.filter || rule.filter->size() <= 4096, "a filter of 4096 bytes at most");
}

void check_session(const thrift::SessionSpec& spec) {
  if (!control::wrong_session(spec).empty()) return;
  expect(!spec.name.empty() && spec.name.find_first_of(std::string("/\0", 2)) == std::string::npos &&
             spec.name.front() != '.',
         "a name that is a folder's");
  expect(spec.channel.sub_buffer_bytes >= 8192 && spec.channel.sub_buffers >= 1 &&
             spec.channel.sub_buffers <= 64,
         "a geometry that can be");
}

void write_rules(Writer& writer, const thrift::RuleSet& set) {
  for (const thrift::Rule& rule : set.rules) thrift::write_rule(writer, rule);
}

void run(uint8_t kind, const uint8_t* data, size_t size) {
  switch (kind % 6) {
    case 0: {
      thrift::Reply reply;
      const bool good = thrift::parse_reply(data, size, reply);
      expect(reply.message.size() <= 4 * 1000, "a relay's words are cut");  // an escape takes four for a byte
      if (good)
        for (const thrift::Rule& rule : reply.rules.rules) check_rule(rule);
      break;
    }
    case 1:
      round_trip<thrift::Hello>(data, size, thrift::read_hello, thrift::write_hello);
      break;
    case 2:
      round_trip<thrift::Tracepoint>(data, size, thrift::read_tracepoint, thrift::write_tracepoint);
      break;
    case 3:
      check_rule(round_trip<thrift::Rule>(data, size, thrift::read_rule, thrift::write_rule));
      break;
    case 4: {
      Reader reader(data, size);
      const thrift::RuleSet set = thrift::read_rule_set(reader);
      std::vector<uint8_t> bytes;
      Writer writer(bytes);
      write_rules(writer, set);
      break;
    }
    default: {
      Reader reader(data, size);
      check_session(thrift::read_session_spec(reader));
    }
  }
}

}  // namespace
}  // namespace blkin::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blkin::fuzz;
  if (size == 0) return 0;
  count_allocations();
  const size_t before = allocated_bytes;
  run(data[0], data + 1, size - 1);
  expect(allocated_bytes - before <= kBytesMost + kTimesMost * size, "memory in proportion to the bytes");
  return 0;
}
