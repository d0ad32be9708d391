// native/ring/summary.hpp: what stays of a dead process's ring whose records were given up for room: the header, and one bit
// for each 8 bytes of the ring, set where a record ends. So whoever brings it to the relay later can still say exactly how
// many records the relay does not have, whatever it had taken before.
//
//   file: | Header with kSummaryMagic, 4096 bytes | capacity / 64 bytes of bits |
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "file.hpp"

namespace blkin::ring {

constexpr uint64_t kSummaryMagic = 0x314d4d55534b4c42;  // "BLKSUMM1"

class Summary {
 public:
  // Of a ring that nobody writes any more.
  static Summary of(const Header* ring, Geometry geometry) {
    Summary out(geometry, Positions{ring});
    Cursor cursor(ring, geometry);
    cursor.seek(out.from_);
    for (View record{}; cursor.next(out.head_, record);) out.add(cursor.position());
    if (geometry.mode == Mode::kOverwrite) out.records_ = cursor.passed();
    return out;
  }

  // False: not one, or of a ring larger than `most`. The header comes as the ring had it.
  static bool read(int fd, uint64_t most, Header& header, Summary& out) {
    if (!read_whole(fd, &header, sizeof header, 0) || header.magic != kSummaryMagic ||
        header.version != kVersion)
      return false;
    const Geometry geometry{header.sub_buffer_bytes, header.capacity, header.mode};
    if (!valid_geometry(geometry) || !valid_positions(&header, geometry) || geometry.capacity > most)
      return false;
    struct stat status {};
    if (fstat(fd, &status) != 0 ||
        static_cast<uint64_t>(status.st_size) != kHeaderBytes + geometry.capacity / 64)
      return false;
    out = Summary(geometry, Positions{&header});
    if (!read_whole(fd, out.ends_.data(), out.ends_.size() * 8, kHeaderBytes)) return false;
    if (geometry.mode == Mode::kOverwrite) out.records_ = out.before_ + out.after(out.from_);
    return true;
  }

  // Sparse where the ring held nothing.
  bool write(int fd, const Header* ring) const {
    std::vector<uint64_t> page(kHeaderBytes / 8);
    std::memcpy(page.data(), static_cast<const void*>(ring), sizeof(Header));
    page[0] = kSummaryMagic;
    if (ftruncate(fd, static_cast<off_t>(kHeaderBytes + ends_.size() * 8)) != 0) return false;
    constexpr size_t kWords = 512;
    for (size_t at = 0; at < ends_.size(); at += kWords) {
      const size_t words = std::min(kWords, ends_.size() - at);
      const auto first = ends_.begin() + static_cast<ptrdiff_t>(at);
      if (std::all_of(first, first + static_cast<ptrdiff_t>(words), [](uint64_t word) { return word == 0; }))
        continue;
      if (!write_whole(fd, &ends_[at], words * 8, kHeaderBytes + at * 8)) return false;
    }
    return write_whole(fd, page.data(), kHeaderBytes, 0);  // last: without it the file is no summary
  }

  // How many records a relay lacks that has the stream up to `position`, with `events` in all.
  uint64_t lacks(uint64_t position, uint64_t events) const {
    if (mode_ == Mode::kOverwrite) return records_ > events ? records_ - events : 0;
    return after(std::clamp(position, from_, head_));
  }

  // Those that the ring held when it was given up.
  uint64_t records() const { return after(from_); }

  bool overwrites() const { return mode_ == Mode::kOverwrite; }
  uint64_t from() const { return from_; }

 private:
  struct Positions {
    const Header* ring;
  };

 public:
  Summary() = default;

 private:
  Summary(Geometry geometry, Positions of) : mode_(geometry.mode), capacity_(geometry.capacity) {
    head_ = committed(of.ring);
    from_ = of.ring->tail.load();
    if (mode_ == Mode::kOverwrite) {
      const Kept now = kept(of.ring, geometry.sub_buffer_bytes);
      from_ = now.from;
      before_ = now.before;
    }
    ends_.resize(capacity_ / 512);
  }

  void add(uint64_t end) {
    const uint64_t bit = (end - 8) % capacity_ / 8;
    ends_[bit / 64] |= 1ULL << (bit % 64);
  }

  // Records that end behind the position.
  uint64_t after(uint64_t position) const {
    uint64_t records = 0;
    for (uint64_t at = position; at < head_; at += 8) {
      const uint64_t bit = at % capacity_ / 8;
      records += ends_[bit / 64] >> (bit % 64) & 1;
    }
    return records;
  }

  static bool read_whole(int fd, void* to, size_t size, uint64_t from) {
    return pread(fd, to, size, static_cast<off_t>(from)) == static_cast<ssize_t>(size);
  }
  static bool write_whole(int fd, const void* bytes, size_t size, uint64_t to) {
    return pwrite(fd, bytes, size, static_cast<off_t>(to)) == static_cast<ssize_t>(size);
  }

  Mode mode_ = Mode::kDiscard;
  uint64_t capacity_ = 0;
  uint64_t from_ = 0;
  uint64_t head_ = 0;
  uint64_t before_ = 0;   // in overwrite mode, records given up by the ring itself
  uint64_t records_ = 0;  // in overwrite mode, all that there were
  std::vector<uint64_t> ends_;
};

}  // namespace blkin::ring
