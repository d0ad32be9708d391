// bench/pack/pack.cc: both ends of a ring without Node and without a relay: what it costs C++ to put three integers
// into it, and how fast the consumer's own parts (Cursor, Calibration, Packer) make CTF of them.
#include "../../native/clock/clock.hpp"
#include "../../native/ctf/packer.hpp"
#include "../../native/ring/file.hpp"
#include "../../native/ring/write.hpp"
#include "../slice.h"

#include <cstdlib>
#include <memory>
#include <vector>

namespace {

using namespace blkin;

constexpr ring::Geometry kGeometry{1 << 20, 4 << 20};  // the default channel's
constexpr size_t kPutBytes = 256 << 10;                // as the consumer's

ptrdiff_t rseq_offset = 0;
auto rings = std::make_unique<std::array<std::atomic<ring::Header*>, ring::kCpuMax>>();
ring::Header* leased = nullptr;

struct Drain {
  ring::Cursor cursor;
  ctf::Stream file;
  ring::Header* ring;
};
std::vector<Drain> drains;

ring::Header* make_ring(uint32_t stream) {
  const ring::Created made = ring::create(-1, "", stream, kGeometry);
  if (made.ring == nullptr) std::exit(3);
  drains.push_back({ring::Cursor(made.ring, kGeometry), {}, made.ring});
  return made.ring;
}

// Returns the nanoseconds of the records that were written at the first try.
uint64_t fill(uint64_t count) {
  alignas(8) uint64_t payload[2];
  auto x = static_cast<uint32_t>(count);
  const uint64_t start = slice_now();
  for (uint64_t i = 0; i < count; ++i) {
    x = slice_next(x);
    payload[0] = x | i << 32;
    payload[1] = 4096;
    asm volatile("" : : "r"(payload) : "memory");
    ring::Record record{3, 12, payload, 0};
#if BLKIN_HAVE_RSEQ
    if (rseq_offset != 0) {
      ring::RseqArea* area = ring::rseq_area(rseq_offset);
      while (ring::write_on_cpu<true>(area, rings->data(), record) == ring::Result::kNoRing)
        (*rings)[area->cpu_id].store(make_ring(area->cpu_id));
      continue;
    }
#endif
    record.ticks = clock::read_tsc();
    ring::write_leased(leased, record);
  }
  return slice_now() - start;
}

uint64_t drain() {
  static clock::Calibration calibration(clock::tsc_is_fit());
  static ctf::Packer packer({});
  static std::vector<uint8_t> buffer(kPutBytes + 8);
  while (!calibration.sample()) {
  }
  uint64_t events = 0;
  const uint64_t start = slice_now();
  for (Drain& one : drains) {
    const uint64_t limit = ring::committed(one.ring);
    while (one.cursor.position() < limit) {
      packer.begin(one.file, buffer.data(), kPutBytes, calibration.last().ns);
      uint64_t packed_to = one.cursor.position();
      ring::View record{};
      while (one.cursor.next(limit, record)) {
        if (!packer.add(record.id, calibration.to_ns(record.ticks), record.payload, record.length)) {
          one.cursor.seek(packed_to);
          break;
        }
        packed_to = one.cursor.position();
      }
      packer.finish(0, calibration.last().ns);
      events += packer.events();
    }
    ring::release(one.ring, limit);
  }
  const uint64_t took = slice_now() - start;
  static uint64_t lost = 0;
  uint64_t lost_now = 0;
  for (const Drain& one : drains) lost_now += ring::lost(one.ring);
  if (lost_now != lost) std::exit(4);  // a slice larger than the ring would be measured wrong
  return events == 0 ? 0 : took;
}

uint64_t write_slice(uint64_t count) {
  const uint64_t took = fill(count);
  drain();
  return took;
}

uint64_t pack_slice(uint64_t count) {
  fill(count);
  return drain();
}

volatile uint64_t stamp;

uint64_t ticks_slice(uint64_t count) {
  const uint64_t start = slice_now();
  for (uint64_t i = 0; i < count; ++i) stamp = __builtin_ia32_rdtsc();
  return slice_now() - start;
}

}  // namespace

int main() {
  rseq_offset = ring::find_rseq_offset();
  if (rseq_offset == 0) leased = make_ring(65536);
  static const slice_entry entries[] = {{"write", write_slice}, {"pack", pack_slice}, {"ticks", ticks_slice}};
  return slice_serve(entries, std::size(entries));
}
