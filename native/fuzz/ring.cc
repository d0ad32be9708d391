// native/fuzz/ring.cc: a ring whose header and records are whatever a file may hold. Opened or refused as recovery does; what is
// read lies in the ring, ends at head, and is what a plain walk over the same bytes finds. The summary of the ring
// (ring/summary.hpp), written and read back, counts the same records from every position.
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <new>

#include "input.hpp"
#include "ring/summary.hpp"

namespace blkin::fuzz {
namespace {

constexpr uint64_t kSubBuffer = ring::kSubBufferMin;
constexpr uint64_t kSubBuffersMost = 4;

// On the heap, so that AddressSanitizer sees who reads behind it.
struct Memory {
  explicit Memory(uint64_t bytes) : at(::operator new(bytes, std::align_val_t(64))) {
    std::memset(at, 0, bytes);
  }
  ~Memory() { ::operator delete(at, std::align_val_t(64)); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  void* at;
};

struct Found {
  uint16_t id;
  uint32_t length;
  uint64_t end;

  bool operator==(const Found&) const = default;
};

// By the drawing in layout.hpp alone.
std::vector<Found> walk(const ring::Header* ring, ring::Geometry geometry, uint64_t from, uint64_t head) {
  std::vector<Found> out;
  for (uint64_t at = from; at < head;) {
    const uint64_t left = kSubBuffer - at % kSubBuffer;
    std::array<uint16_t, 4> words{};
    std::memcpy(words.data(), ring->data() + at % geometry.capacity, sizeof words);
    const uint32_t length = words[0] | static_cast<uint32_t>(words[1]) << 16;
    const uint64_t size = 16 + (uint64_t{length} + 7) / 8 * 8;
    const bool is_record =
        words[3] != ring::kPad && length <= ring::kPayloadMax && size <= left && at + size <= head;
    at += is_record ? size : left;
    if (is_record) out.push_back({words[2], length, at});
  }
  return out;
}

std::vector<Found> read(ring::Cursor& cursor, uint64_t head) {
  std::vector<Found> out;
  unsigned sum = 0;
  for (ring::View record{}; cursor.next(head, record);) {
    for (uint32_t i = 0; i < record.length; ++i) sum += record.payload[i];
    if (sum % 7 == 0) {
      cursor.back();
      expect(cursor.next(head, record), "the record once more");
    }
    out.push_back({record.id, record.length, cursor.position()});
    expect(out.size() <= kSubBuffersMost * kSubBuffer / 16, "no more records than find room");
  }
  return out;
}

void check_summary(const ring::Header* ring, ring::Geometry geometry, const std::vector<Found>& records) {
  const ring::Summary summary = ring::Summary::of(ring, geometry);
  const int fd = memfd_create("summary", MFD_CLOEXEC);
  ring::Header header{};
  ring::Summary same;
  expect(summary.write(fd, ring) && ring::Summary::read(fd, UINT64_MAX, header, same),
         "a summary that is read back");
  close(fd);
  for (const ring::Summary& one : {summary, same}) {
    expect(one.records() == records.size(), "a bit for each record");
    if (one.overwrites()) continue;
    for (size_t i = 0; i < records.size(); ++i)
      expect(one.lacks(records[i].end, i + 1) == records.size() - i - 1, "what a relay lacks");
  }
}

void run(Input input) {
  const uint8_t shape = input.byte();
  const auto mode = static_cast<ring::Mode>(shape & 3);
  const ring::Geometry geometry{kSubBuffer, kSubBuffer << (shape >> 2) % 3, mode};
  static_assert(kSubBuffer << 2 == kSubBuffersMost * kSubBuffer);
  const Memory memory(ring::kHeaderBytes + geometry.capacity);
  auto* ring = new (memory.at) ring::Header{};
  ring->magic = ring::kMagic;
  ring->version = ring::kVersion;
  ring->sub_buffer_bytes = geometry.sub_buffer_bytes;
  ring->capacity = geometry.capacity;
  ring->mode = mode;
  ring->tail = input.number<uint64_t>();
  ring->head = ring->tail + input.number<uint32_t>();
  ring->retired = input.number<uint64_t>();
  // Where reading begins, and on from there.
  uint64_t at = mode == ring::Mode::kOverwrite ? ring::kept(ring, kSubBuffer).from : ring->tail.load();
  for (; !input.empty(); ++at) ring->data()[at % geometry.capacity] = input.byte();

  if (!ring::valid_geometry(geometry) || !ring::valid_positions(ring, geometry)) return;
  const uint64_t head = ring::committed(ring);
  const bool overwrites = mode == ring::Mode::kOverwrite;
  const ring::Kept kept = overwrites ? ring::kept(ring, kSubBuffer) : ring::Kept{ring->tail, 0, head};
  ring::Cursor cursor(ring, geometry);
  cursor.seek(kept.from);
  const std::vector<Found> records = read(cursor, head);
  expect(cursor.position() == head, "read to head, and no further");
  expect(records == walk(ring, geometry, kept.from, head), "the records that stand there");
  if (overwrites)
    expect(cursor.passed() == kept.before + records.size(), "given up and read are all that there were");
  check_summary(ring, geometry, records);
}

}  // namespace
}  // namespace blkin::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size <= blkin::fuzz::kSubBuffersMost * blkin::fuzz::kSubBuffer) blkin::fuzz::run({data, size});
  return 0;
}
