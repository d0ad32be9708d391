// native/fuzz/dead_files.hpp: the files of a process that was killed, made in memory as the process makes them, and changed by a
// fuzzer's bytes before they are written to a folder. For dead.cc.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <new>
#include <string>

#include "folder/folder.hpp"
#include "input.hpp"
#include "ring/summary.hpp"
#include "ring/write.hpp"

namespace blkin::fuzz {

using Files = std::map<std::string, std::vector<uint8_t>>;  // by path in the process's folder

constexpr int kTracepoints = 2;
constexpr uint64_t kSmallRing = 2 * ring::kSubBufferMin;

// Records of 8 bytes, of the tracepoints in turn, and of one that was not declared.
inline std::vector<uint8_t> ring_file(uint32_t stream, ring::Mode mode, uint64_t records) {
  std::vector<uint8_t> bytes(ring::kHeaderBytes + kSmallRing + 64);
  auto* const at =
      reinterpret_cast<uint8_t*>((reinterpret_cast<uintptr_t>(bytes.data()) + 63) & ~uintptr_t{63});
  auto* const ring = new (at) ring::Header{};
  ring->magic = ring::kMagic;
  ring->version = ring::kVersion;
  ring->stream = stream;
  ring->sub_buffer_bytes = ring::kSubBufferMin;
  ring->capacity = kSmallRing;
  ring->mode = mode;
  for (uint64_t n = 0; n < records; ++n)
    ring::write_leased(
        ring, {static_cast<uint16_t>(n % 50 == 49 ? 7 : n % kTracepoints), 8, &n, 1'000'000 * (n + 1)});
  ring->lost_too_big = 3;
  return {at, at + ring::kHeaderBytes + kSmallRing};
}

inline std::vector<uint8_t> summary_file(const std::vector<uint8_t>& of) {
  auto* const copy = static_cast<ring::Header*>(::operator new(of.size(), std::align_val_t(64)));
  std::memcpy(static_cast<void*>(copy), of.data(), of.size());
  const int fd = memfd_create("summary", MFD_CLOEXEC);
  ring::Summary::of(copy, {ring::kSubBufferMin, kSmallRing, copy->mode}).write(fd, copy);
  std::vector<uint8_t> out(ring::kHeaderBytes + kSmallRing / 64);
  expect(pread(fd, out.data(), out.size(), 0) == static_cast<ssize_t>(out.size()), "a summary");
  close(fd);
  ::operator delete(copy, std::align_val_t(64));
  return out;
}

inline Files dead_files() {
  Files files;
  files["alive"];
  thrift::Writer declared(files["tracepoints"]);
  for (int id = 0; id < kTracepoints; ++id)
    thrift::write_tracepoint(declared, {id,
                                        "t",
                                        "e" + std::to_string(id),
                                        6,
                                        {{"n", thrift::Type::kU64, thrift::Shape::kScalar, 0, {}, {}}}});
  thrift::Hello hello{};
  hello.hostname = "host";
  hello.session = "s";
  hello.secret.assign(16, 's');
  thrift::Writer greeting(files["s/hello"]);
  thrift::write_hello(greeting, hello);
  const std::string relay = "127.0.0.1:4711";
  files["s/relay"].assign(relay.begin(), relay.end());
  auto state = std::make_unique<control::State>();
  state->magic = control::kStateMagic;
  state->version = 1;
  state->tsc = 1;
  state->first = {1000, 1000};
  state->later[0] = {2'000'000, 2'000'000};
  state->later[1] = {3'000'000, 3'000'000};
  state->epochs.begin(5);
  const auto* const page = reinterpret_cast<const uint8_t*>(state.get());
  files["s/state"].assign(page, page + sizeof(control::State));
  const uint32_t spans = control::first_stream(control::Channel::kSpans);
  files["s/events/0"] = ring_file(0, ring::Mode::kDiscard, 100);
  files["s/events/1"] = ring_file(1, ring::Mode::kOverwrite, 1000);
  files["s/events/2"] = summary_file(ring_file(2, ring::Mode::kDiscard, 30));
  files["s/spans/0"] = ring_file(spans, ring::Mode::kDiscard, 10'000);  // full
  files["s/spans/3"] = summary_file(ring_file(spans + 3, ring::Mode::kOverwrite, 1000));
  return files;
}

// Each change: a file, where in it, and what stands there; or that it ends there, or is not there at all.
inline void change(Files& files, Input input) {
  while (!input.empty()) {
    const uint8_t which = input.byte();
    auto& bytes = std::next(files.begin(), which % static_cast<ptrdiff_t>(files.size()))->second;
    const size_t at = input.number<uint16_t>();
    const std::vector<uint8_t> there = input.bytes(input.byte() % 33);
    if (!there.empty()) {
      if (at + there.size() <= bytes.size())
        std::copy(there.begin(), there.end(), bytes.begin() + static_cast<ptrdiff_t>(at));
    } else if (at < bytes.size()) {
      bytes.resize(at);
    }
  }
}

// A folder below TMPDIR, for the life of the process; each run writes its files anew.
class Folder {
 public:
  Folder() {
    const char* const tmp = std::getenv("TMPDIR");
    path_ = std::string(tmp != nullptr ? tmp : "/tmp") + "/blkin-fuzz-XXXXXX";
    expect(mkdtemp(path_.data()) != nullptr, "a folder below TMPDIR");
    for (const char* name : {"/p", "/p/s", "/p/s/events", "/p/s/spans"}) mkdir((path_ + name).c_str(), 0700);
  }
  const std::string& path() const { return path_; }
  void write(const Files& files) const {
    for (const auto& [name, bytes] : files) {
      const int fd = open((path_ + "/p/" + name).c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
      expect(fd >= 0 && ::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
             "a file");
      close(fd);
    }
  }

 private:
  std::string path_;
};

}  // namespace blkin::fuzz
