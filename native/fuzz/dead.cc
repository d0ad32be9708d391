// native/fuzz/dead.cc: the folder of a dead process whose files somebody changed. Opened as recovery and the sweep do, and its rings
// packed and put as a consumer does, to a relay that takes all: the packets read back by docs/ctf.md hold each event that the
// rings do, in order; what was lost is told; and it comes to an end.
#include <gtest/gtest.h>

#include "dead_files.hpp"
#include "folder/dead_process.hpp"
#include "test/ctf_reader.hpp"

namespace blkin::fuzz {
namespace {

using namespace control;

constexpr size_t kPutBytes = 16 << 10;

class Delivery {
 public:
  Delivery(const DeadRing& ring, clock::Calibration& clock, const thrift::Hello& hello, size_t declared)
      : ring_(ring.source()),
        stream_(static_cast<int32_t>(ring_.ring->stream), ring_),
        clock_(clock),
        packer_(hello.uuid),
        uuid_(hello.uuid),
        declared_(declared) {}

  void run() {
    stream_.resume(nullptr, true);
    stream_.look({});
    const size_t wanted = declared_records();
    // Each put holds an event or a loss, or passes what is neither.
    for (size_t puts = 0; stream_.pending(); ++puts) {
      expect(puts < 2 * kSmallRing / 16 + 16, "an end");
      put();
    }
    expect(stream_.delivered(), "all of it is delivered");
    expect(sent_.size() == wanted, "each event that the ring holds");
    check();
  }

 private:
  size_t declared_records() const {
    if (ring_.summary != nullptr) return 0;
    ring::Cursor cursor(ring_.ring, ring_.geometry);
    cursor.seek(stream_.unsent() == 0 ? stream_.limit() : stream_.limit() - stream_.unsent());
    size_t count = 0;
    for (ring::View record{}; cursor.next(stream_.limit(), record);) count += record.id < declared_ ? 1 : 0;
    return count;
  }

  void put() {
    const uint64_t now = clock_.to_ns(clock_.last().ticks);
    ctf::Stream& file = stream_.file();
    ring::View record{};
    const uint64_t gap = stream_.gap(0);
    stream_.tell(gap);
    packer_.begin(file, buffer_.data(), buffer_.size(), file.packets == 0 ? 0 : now, gap);
    bool whole = true;
    while (whole && stream_.cursor().next(stream_.limit(), record)) {
      whole = stream_.gap(packer_.events() + 1) == 0 &&
              (record.id >= declared_ ||
               packer_.add(record.id, clock_.to_ns(record.ticks), record.payload, record.length));
      if (!whole) stream_.cursor().back();
      else if (record.id < declared_)
        sent_.push_back({record.id, 0, {record.payload, record.payload + record.length}});
    }
    const size_t bytes = packer_.finish(whole ? stream_.losses() : file.discarded, now);
    expect(bytes <= buffer_.size(), "packets in their buffer");
    if (bytes == 0) return stream_.pass();
    stored_.insert(stored_.end(), buffer_.begin(), buffer_.begin() + static_cast<ptrdiff_t>(bytes));
    stream_.acknowledged(stream_.put(packer_.events(), 0).sequence);
  }

  void check() {
    test::CtfReader reader(uuid_);
    reader.read(stored_, [&](size_t i) { return i < sent_.size() ? sent_[i].payload.size() : 0; });
    expect(reader.events.size() == sent_.size(), "as many events as were sent");
    for (size_t i = 0; i < sent_.size(); ++i)
      expect(reader.events[i].id == sent_[i].id && reader.events[i].payload == sent_[i].payload,
             "the same event");
    expect(reader.discarded == stream_.losses(), "the losses that are told");
  }

  consumer::Source ring_;
  consumer::Stream stream_;
  clock::Calibration& clock_;
  ctf::Packer packer_;
  ctf::Uuid uuid_;
  size_t declared_;
  std::vector<uint8_t> buffer_ = std::vector<uint8_t>(kPutBytes);
  std::vector<uint8_t> stored_;
  std::vector<test::In> sent_;
};

void deliver(DeadSession& session, size_t declared) {
  const State& state = session.state();
  clock::Calibration clock(state.tsc != 0,
                           {state.first, state.later[state.newest.load(std::memory_order_relaxed) & 1]});
  for (const uint64_t ns : {uint64_t{0}, clock.last().ns, UINT64_MAX})
    expect(session.state().epochs.at(ns).offset >= 0, "an offset that the wire has");
  CopyRoom room{0};
  for (const Channel channel : kChannels)
    for (const std::string& name : session.channel(channel).names()) {
      const auto ring = DeadRing::open(session.channel(channel), channel, name, room);
      if (ring == nullptr) continue;
      const uint64_t records = ring->records();
      expect(records <= kSmallRing / 16 || ring->is_summary(), "no more records than find room");
      Delivery(*ring, clock, session.hello(), declared).run();
    }
}

void run(const Folder& folder, Files files, const Input& input) {
  change(files, input);
  folder.write(files);
  const Directory user(folder.path());
  const auto process = DeadProcess::open(user, "p");
  expect(process != nullptr, "nobody else holds it");
  const size_t declared = process->tracepoints().size();
  for (const std::string& name : process->sessions()) {
    const auto session = DeadSession::open(process->folder(), name);
    if (session == nullptr) continue;
    static_cast<void>(session->is_delivered());
    deliver(*session, declared);
  }
}

}  // namespace
}  // namespace blkin::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blkin::fuzz;
  static const Files files = dead_files();
  static const Folder folder;
  testing::GTEST_FLAG(break_on_failure) = true;  // of CtfReader's expectations
  run(folder, files, {data, size});
  return 0;
}
