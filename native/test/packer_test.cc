// native/test/packer_test.cc: records in, bytes of docs/ctf.md out. First by hand, byte for byte; then at random, read
// back by a reader that knows only the document; then by babeltrace2.
#include "ctf/packer.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "ctf_reader.hpp"
#include "temp_folder.hpp"

namespace blkin::ctf {
namespace {

constexpr Uuid kUuid{0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
                     0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f};

using test::CtfReader;
using test::In;

bool add(Packer& packer, const In& in) {
  std::vector<uint8_t> padded(in.payload.begin(), in.payload.end());
  padded.resize((in.payload.size() + 7) / 8 * 8);
  return packer.add(in.id, in.ns, padded.data(), static_cast<uint32_t>(in.payload.size()));
}

std::string hex(const uint8_t* bytes, size_t size) {
  std::string out;
  char two[3];
  for (size_t i = 0; i < size; ++i) std::snprintf(two, sizeof two, "%02x", bytes[i]), out += two;
  return out;
}

// Takes the spaces out.
std::string packed(std::string spaced) {
  std::erase(spaced, ' ');
  return spaced;
}

// An open file: everything packed so far.
class File {
 public:
  explicit File(Stream stream = {}) : stream_(stream), packer_(kUuid) {}

  std::string pack(const std::vector<In>& records, uint64_t discarded = 0, uint64_t now = 500) {
    std::vector<uint8_t> buffer(1 << 16, 0xEE);
    packer_.begin(stream_, buffer.data(), buffer.size(), now);
    for (const In& record : records) EXPECT_TRUE(add(packer_, record));
    const size_t bytes = packer_.finish(discarded, now);
    EXPECT_EQ(packer_.events(), records.size());
    return hex(buffer.data(), bytes);
  }

  Stream& stream() { return stream_; }

 private:
  Stream stream_;
  Packer packer_;
};

// The events of one packet, as hex: what stands behind the header, without the padding.
std::string events_of(const std::string& packet) {
  const auto content =
      std::stoul(packet.substr(50 * 2, 2) + packet.substr(49 * 2, 2) + packet.substr(48 * 2, 2), nullptr,
                 16) /
      8;
  return packet.substr(84 * 2, (content - 84) * 2);
}

// A stream that has its opening packet already.
Stream opened() {
  return {.instance = 3, .cpu = 3, .bytes = 88, .packets = 1, .last_time = 0, .discarded = 0};
}

TEST(Packer, writes_the_bytes_that_the_document_says) {
  File file({.instance = 0x0102, .cpu = 2});
  const std::string got = file.pack({{5, 0x1000, "abc"}, {31, 0x1001, "xy"}}, 9, 0x0F00);
  const std::string opening = packed(
      "c11ffcc1 101112131415161718191a1b1c1d1e1f 00000000 0201000000000000"  // magic, uuid, class, instance
      "000f000000000000 000f000000000000"                                    // begin, end
      "a002000000000000 c002000000000000"                      // content 84 * 8, size 88 * 8 bits
      "0000000000000000 0000000000000000 02000000 00000000");  // sequence, discarded, cpu, padding
  const std::string second = packed(
      "c11ffcc1 101112131415161718191a1b1c1d1e1f 00000000 0201000000000000"
      "0010000000000000 0110000000000000"
      "5003000000000000 8003000000000000"  // 84 + 7 + 15 = 106 bytes, then to 112
      "0100000000000000 0900000000000000 02000000"
      "05000200 616263"                                   // 5 | 0x1000 << 5, abc
      "1f 1f000000 0110000000000000 7879 000000000000");  // extended, id 31, the time, xy
  EXPECT_EQ(got, opening + second);
  EXPECT_EQ(file.stream().bytes, 88U + 112U);
  EXPECT_EQ(file.stream().packets, 2U);
  EXPECT_EQ(file.stream().last_time, 0x1001U);
  EXPECT_EQ(file.stream().discarded, 9U);
}

TEST(Packer, ids_up_to_30_are_compact_and_31_is_the_mark_of_an_extended_header) {
  for (const auto& [id, bytes] : std::map<uint16_t, std::string>{{0, "80020000"},
                                                                 {30, "9e020000"},
                                                                 {31, "1f1f0000001400000000000000"},
                                                                 {32, "1f200000001400000000000000"},
                                                                 {16383, "1fff3f00001400000000000000"}}) {
    EXPECT_EQ(events_of(File(opened()).pack({{id, 20, ""}})), bytes) << "id " << id;
  }
}

TEST(Packer, a_gap_of_2_to_the_27_ns_needs_the_whole_time_and_one_less_does_not) {
  constexpr uint64_t kSpan = 1ULL << 27;
  const std::string first = "21000000";  // id 1, time 1
  EXPECT_EQ(events_of(File(opened()).pack({{1, 1, ""}, {1, kSpan, ""}})), first + "01000000")
      << "2^27 - 1: 27 bits, all zero";
  EXPECT_EQ(events_of(File(opened()).pack({{1, 1, ""}, {1, kSpan + 1, ""}})),
            first + packed("1f 01000000 0100000800000000"));
  EXPECT_EQ(events_of(File(opened()).pack({{1, 1, ""}, {1, kSpan - 1, ""}})), first + "e1ffffff");
}

TEST(Packer, the_first_event_of_a_packet_is_measured_from_its_begin) {
  Stream stream = opened();
  stream.last_time = 1;  // the gap to the packet before is long, and does not matter
  EXPECT_EQ(events_of(File(stream).pack({{1, 1ULL << 40, ""}})), "01000000");
}

TEST(Packer, a_time_before_the_last_becomes_the_last) {
  File file(opened());
  EXPECT_EQ(events_of(file.pack({{1, 100, ""}, {1, 90, ""}})), packed("810c0000 810c0000"));
  EXPECT_EQ(events_of(file.pack({{1, 10, ""}})), packed("810c0000")) << "also across packets";
}

TEST(Packer, a_stream_opens_with_a_packet_that_holds_nothing) {
  File file;
  const std::string got = file.pack({});
  EXPECT_EQ(got.size(), 88U * 2);
  EXPECT_EQ(events_of(got), "");
  EXPECT_EQ(file.stream().packets, 1U);
  EXPECT_EQ(file.pack({}), "") << "and only once";
}

TEST(Packer, losses_alone_make_a_packet_of_their_own) {
  File file(opened());
  EXPECT_EQ(file.pack({}, 0), "");
  const std::string got = file.pack({}, 7);
  EXPECT_EQ(got.size(), 88U * 2);
  EXPECT_EQ(got.substr(72 * 2, 16), "0700000000000000");
  EXPECT_EQ(file.pack({}, 7), "") << "the same losses are told once";
  EXPECT_NE(file.pack({}, 8), "");
}

TEST(Packer, a_full_buffer_is_told_and_the_next_goes_on_where_it_stopped) {
  Stream stream;
  Packer packer(kUuid);
  std::string whole, pieces;
  const std::vector<In> records(400, In{4, 1000, std::string(100, 'x')});
  for (const size_t capacity : {size_t{1} << 20, 3 * kPage}) {
    stream = Stream{};
    std::string& out = capacity > 3 * kPage ? whole : pieces;
    size_t next = 0, puts = 0, told = 0;
    while (next < records.size()) {
      std::vector<uint8_t> buffer(capacity);
      packer.begin(stream, buffer.data(), capacity, 1000);
      while (next < records.size() && add(packer, records[next])) ++next;
      const size_t bytes = packer.finish(0, 1000);
      ASSERT_LE(bytes, capacity);
      ASSERT_GT(bytes, 0U);
      told += packer.events();
      out += hex(buffer.data(), bytes);
      ++puts;
    }
    EXPECT_EQ(told, records.size());
    if (capacity == 3 * kPage) {
      EXPECT_GT(puts, 3U);
    }
  }
  EXPECT_EQ(whole, pieces) << "where the buffers end does not show in the file";
}

TEST(Packer, whatever_the_records_are_they_are_read_back_and_no_packet_crosses_a_page) {
  for (uint32_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    Stream stream{.instance = 1, .cpu = 1};
    Packer packer(kUuid);
    std::vector<uint8_t> file;
    std::vector<In> wrote;
    uint64_t ns = random() >> 20, discarded = 0;
    for (int put = 0; put < 60; ++put) {
      std::vector<uint8_t> buffer(kPage * (3 + random() % 4));
      packer.begin(stream, buffer.data(), buffer.size(), ns);
      for (uint64_t n = random() % 200; n > 0; --n) {
        const size_t longest = random() % 8 == 0 ? 3985 : seed % 2 == 0 ? 40 : 400;
        ns += random() % 5 == 0 ? random() % (1ULL << 28) : random() % 2000;
        In in{static_cast<uint16_t>(random() % 40), ns,
              std::string(random() % longest, static_cast<char>(random()))};
        if (!add(packer, in)) break;
        wrote.push_back(std::move(in));
      }
      if (random() % 3 == 0) discarded += random() % 10;
      const size_t bytes = packer.finish(discarded, ns);
      file.insert(file.end(), buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(bytes));
      ASSERT_EQ(stream.bytes, file.size());
    }
    CtfReader reader(kUuid);
    reader.read(file, [&](size_t i) { return i < wrote.size() ? wrote[i].payload.size() : 0; });
    if (HasFatalFailure()) return;
    EXPECT_TRUE(reader.events == wrote) << reader.events.size() << " read, " << wrote.size() << " written";
    EXPECT_EQ(reader.packets, stream.packets);
    EXPECT_EQ(reader.discarded, stream.discarded);
    EXPECT_EQ(reader.last_time, stream.last_time);
  }
}

std::string output_of(const std::string& command) {
  std::string out;
  FILE* pipe = popen(command.c_str(), "re");
  char chunk[4096];
  for (size_t got = 0; (got = fread(chunk, 1, sizeof chunk, pipe)) > 0;) out.append(chunk, got);
  pclose(pipe);
  return out;
}

TEST(Packer, babeltrace2_prints_the_values_that_went_in) {
  if (output_of("babeltrace2 --version 2>/dev/null").empty()) GTEST_SKIP() << "babeltrace2 is not installed";
  const test::TempFolder folder;
  std::ofstream metadata(folder.path() + "/metadata");
  metadata << R"(/* CTF 1.8 */
typealias integer { size = 8; align = 8; signed = false; } := uint8_t;
typealias integer { size = 32; align = 8; signed = false; } := uint32_t;
typealias integer { size = 64; align = 8; signed = false; } := uint64_t;
trace { major = 1; minor = 8; uuid = "10111213-1415-1617-1819-1a1b1c1d1e1f"; byte_order = le;
  packet.header := struct { uint32_t magic; uint8_t uuid[16]; uint32_t stream_id; uint64_t stream_instance_id; }; };
clock { name = monotonic; freq = 1000000000; offset_s = 0; offset = 0; };
typealias integer { size = 27; align = 1; signed = false; map = clock.monotonic.value; } := uint27_clock_t;
typealias integer { size = 64; align = 8; signed = false; map = clock.monotonic.value; } := uint64_clock_t;
stream { id = 0;
  packet.context := struct { uint64_clock_t timestamp_begin; uint64_clock_t timestamp_end; uint64_t content_size;
    uint64_t packet_size; uint64_t packet_seq_num; uint64_t events_discarded; uint32_t cpu_id; };
  event.header := struct { enum : integer { size = 5; align = 1; signed = false; } { compact = 0 ... 30, extended = 31 } id;
    variant <id> {
      struct { uint27_clock_t timestamp; } compact;
      struct { uint32_t id; uint64_clock_t timestamp; } extended; } v; } align(8); };
)";
  for (const int id : {0, 30, 31, 32})
    metadata << "event { name = \"t:e" << id << "\"; id = " << id
             << "; stream_id = 0; fields := struct { uint8_t _small; uint64_t _large; string _text; }; };\n";
  metadata.close();

  std::vector<In> records;
  std::string expected;
  uint64_t ns = 5'000'000'000;
  std::mt19937_64 random(9);
  for (int i = 0; i < 300; ++i) {
    constexpr uint16_t kIds[] = {0, 30, 31, 32};
    ns += i % 7 == 0 ? (1ULL << 27) - (i % 2) : random() % 1000;
    const uint64_t large = random();
    // Not empty: babeltrace2 2.0.4 shows the string before in the place of an empty one.
    const std::string text(1 + random() % 60, 'a' + static_cast<char>(i % 26));
    std::string payload(1, static_cast<char>(i));
    payload.append(reinterpret_cast<const char*>(&large), 8).append(text).push_back('\0');
    records.push_back({kIds[i % 4], ns, payload});
    char line[256];
    std::snprintf(line, sizeof line,
                  "[%llu.%09llu] t:e%d: { cpu_id = 3 }, { small = %d, large = %llu, text = \"%s\" }\n",
                  static_cast<unsigned long long>(ns / 1'000'000'000),
                  static_cast<unsigned long long>(ns % 1'000'000'000), kIds[i % 4], i & 255,
                  static_cast<unsigned long long>(large), text.c_str());
    expected += line;
  }
  Stream stream{.instance = 3, .cpu = 3};
  Packer packer(kUuid);
  std::ofstream file(folder.path() + "/events_3", std::ios::binary);
  for (size_t next = 0, put = 0; next < records.size(); ++put) {
    std::vector<uint8_t> buffer(1 << 16);
    packer.begin(stream, buffer.data(), buffer.size(), records[next].ns);
    for (const size_t stop = std::min(records.size(), next + 50); next < stop; ++next)
      ASSERT_TRUE(add(packer, records[next]));
    file.write(reinterpret_cast<const char*>(buffer.data()),
               static_cast<std::streamsize>(packer.finish(0, ns)));
  }
  file.close();
  // By lines: the message for two texts of 20 KiB is of no use.
  std::istringstream got(output_of("babeltrace2 --clock-seconds --no-delta " + folder.path() + " 2>&1"));
  std::istringstream want(expected);
  for (std::string line, other; std::getline(want, other);) {
    ASSERT_TRUE(std::getline(got, line)) << "nothing more came; expected " << other;
    ASSERT_EQ(line, other);
  }
  EXPECT_EQ(got.peek(), EOF);
}

}  // namespace
}  // namespace blkin::ctf
