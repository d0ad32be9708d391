// native/test/fake_relay.hpp: a relay on the loopback that a test can make late, deaf, forgetful or rude. It decodes with
// thrift::Reader, keeps each stream's file in memory, and checks what a relay may check: no gap in the sequence.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "thrift/connection.hpp"
#include "thrift/messages.hpp"

namespace blkin::test {

struct ReceivedPut {
  int32_t call = 0;
  thrift::PutHead head{};
  std::string packets;
};

// What becomes of a put.
enum class Answer {
  kStore,           // and answer
  kStoreSilently,   // and answer when answer_held() or answer_one() is called
  kStoreAndHangUp,  // the answer is lost
  kHangUp,          // the put is lost
  kRefuse,          // with words, and hang up
};

class FakeRelay {
  template <typename Body>
  auto with(Body body) {
    const std::lock_guard lock(mutex_);
    return body();
  }

 public:
  struct Stored {
    std::vector<uint8_t> file;
    std::map<int32_t, std::vector<uint8_t>> before;  // the files of epochs that are over
    int64_t clock_offset = 0;
    thrift::Held held{};
    thrift::Lost lost{};
    uint64_t events = 0;
    uint64_t puts = 0;
  };

  // kOnBegin: connections wait in the kernel until begin(), and until then there is no second thread: a fork beside one
  // that allocates may leave the sanitizers' allocator locked in the child.
  enum class Serves : uint8_t { kAtOnce, kOnBegin };
  explicit FakeRelay(Serves serves) : FakeRelay(0, serves) {}
  explicit FakeRelay(uint16_t port = 0, Serves serves = Serves::kAtOnce)
      : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int one = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 16) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error(std::string("fake relay: ") + strerror(errno));
    port_ = ntohs(address.sin_port);
    if (pipe(stop_) != 0) throw std::runtime_error("pipe");
    if (serves == Serves::kAtOnce) begin();
  }
  void begin() {
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeRelay() {
    close(stop_[1]);
    if (thread_.joinable()) thread_.join();
    close(stop_[0]);
    if (listener_ >= 0) close(listener_);
  }
  FakeRelay(const FakeRelay&) = delete;
  FakeRelay& operator=(const FakeRelay&) = delete;

  uint16_t port() const { return port_; }
  thrift::Address address() const { return {"127.0.0.1", std::to_string(port_)}; }

  bool takes_epochs = false;  // set before the first connection
  std::atomic<bool> followed{false};
  // All below may be called from any thread.
  std::function<Answer(const ReceivedPut&)> on_put;  // set before the first connection
  std::function<std::optional<std::vector<uint8_t>>()>
      on_hello;  // raw bytes instead of an answer; empty: none at all
  std::function<void(std::vector<thrift::Held>&)> on_held;  // changes what is said to be held

  // Reads nothing more, as a relay whose disk hangs. Connections are still accepted, by the kernel.
  void freeze(bool frozen) {
    with([&] { frozen_ = frozen; });
  }
  // Hangs up once this many more bytes have come, most likely within a frame.
  void hang_up_after(int64_t bytes) {
    with([&] { hang_up_after_ = bytes; });
  }
  void answer_held() {
    with([&] {
      for (auto& [fd, bytes] : unanswered_) reply(fd, bytes);
      unanswered_.clear();
    });
  }
  void answer_one() {
    with([&] {
      if (unanswered_.empty()) return;
      reply(unanswered_.front().first, unanswered_.front().second);
      unanswered_.erase(unanswered_.begin());
    });
  }
  void forget() {
    with([&] {
      streams_.clear();
      tracepoints_.clear();
    });
  }

  Stored stored(int32_t stream) {
    return with([&] { return streams_[stream]; });
  }
  uint64_t events() {
    return with([&] {
      uint64_t sum = 0;
      for (auto& [n, one] : streams_) sum += one.events;
      return sum;
    });
  }
  uint64_t puts() {
    return with([&] { return puts_; });
  }
  uint64_t repeated() {
    return with([&] { return repeated_; });
  }
  uint64_t hellos() {
    return with([&] { return hellos_; });
  }
  uint64_t hang_ups() {
    return with([&] { return hang_ups_; });
  }
  std::vector<std::string> faults() {
    return with([&] { return faults_; });
  }
  std::vector<thrift::Tracepoint> tracepoints() {
    return with([&] { return tracepoints_; });
  }
  std::vector<size_t> declare_calls() {
    return with([&] { return declare_calls_; });
  }
  thrift::Hello hello() {
    return with([&] { return hello_; });
  }

 private:
  struct Peer {
    int fd;
    std::vector<uint8_t> in;
    bool greeted = false;
  };

  void serve() {
    std::vector<Peer> peers;
    for (;;) {
      std::vector<pollfd> fds{{stop_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
      const bool frozen = with([&] { return frozen_; });
      for (const Peer& peer : peers) fds.push_back({peer.fd, static_cast<short>(frozen ? 0 : POLLIN), 0});
      poll(fds.data(), fds.size(), frozen ? 2 : 20);
      if (fds[0].revents != 0) break;
      if (fds[1].revents != 0) peers.push_back({accept(listener_, nullptr, nullptr), {}, false});
      for (size_t i = 0; i < peers.size();) {
        const bool ready = i + 2 < fds.size() && fds[i + 2].fd == peers[i].fd && fds[i + 2].revents != 0;
        if (frozen || !ready || take(peers[i])) {
          ++i;
          continue;
        }
        with([&] { std::erase_if(unanswered_, [&](const auto& one) { return one.first == peers[i].fd; }); });
        close(peers[i].fd);
        peers.erase(peers.begin() + static_cast<ptrdiff_t>(i));
        fds.erase(fds.begin() + static_cast<ptrdiff_t>(i) + 2);
      }
    }
    for (const Peer& peer : peers) close(peer.fd);
  }

  // False: hang up.
  bool take(Peer& peer) {
    uint8_t chunk[64 << 10];
    const std::lock_guard lock(mutex_);
    if (frozen_) return true;
    // What a process sent before its newest hello and is not yet read would come behind what that hello was told.
    if (peer.greeted && peer.fd != newest_) return false;
    const ssize_t got = recv(peer.fd, chunk, sizeof chunk, 0);
    if (got <= 0) return false;
    peer.in.insert(peer.in.end(), chunk, chunk + got);
    if (hang_up_after_ >= 0 && (hang_up_after_ -= got) < 0) return hang_up_after_ = -1, ++hang_ups_, false;
    size_t at = 0;
    bool stay = true;
    while (stay && peer.in.size() - at >= 4) {
      const auto size = static_cast<uint32_t>(thrift::Reader(peer.in.data() + at, 4).i32());
      if (peer.in.size() - at < 4 + size) break;
      stay = call(peer.fd, peer.in.data() + at + 4, size);
      peer.greeted = true;
      at += 4 + size;
    }
    peer.in.erase(peer.in.begin(), peer.in.begin() + static_cast<ptrdiff_t>(at));
    return stay;
  }

  static void reply(int fd, const std::vector<uint8_t>& message) {
    std::vector<uint8_t> frame;
    thrift::Writer(frame).i32(static_cast<int32_t>(message.size()));
    frame.insert(frame.end(), message.begin(), message.end());
    ::send(fd, frame.data(), frame.size(), MSG_NOSIGNAL);
  }

  bool call(int fd, const uint8_t* frame, size_t size) {
    thrift::Reader reader(frame, size);
    const thrift::Reader::Message message = reader.message();
    std::vector<uint8_t> out;
    thrift::Writer writer(out);
    writer.message(message.name, thrift::MessageType::kReply, message.sequence);
    if (message.name == "hello") return hello(fd, reader, writer, out);
    if (message.name == "declareTracepoints") {
      size_t count = 0;
      reader.fields([&](thrift::Reader::FieldHead) {
        for (uint32_t n = reader.struct_list(); n > 0; --n, ++count) {
          tracepoints_.push_back(thrift::read_tracepoint(reader));
          if (tracepoints_.back().id != static_cast<int32_t>(tracepoints_.size()) - 1)
            faults_.push_back("a gap in the ids");
        }
      });
      declare_calls_.push_back(count);
      writer.stop();
      reply(fd, out);
      return true;
    }
    if (message.name == "rules") return true;  // there are none, and they never change
    if (message.name == "enabled") {
      writer.stop();
      reply(fd, out);
      return true;
    }
    return put(fd, reader, message.sequence, writer, out);
  }

  bool hello(int fd, thrift::Reader& reader, thrift::Writer& writer, std::vector<uint8_t>& out) {
    ++hellos_;
    newest_ = fd;
    reader.fields([&](thrift::Reader::FieldHead) { hello_ = thrift::read_hello(reader); });
    if (on_hello) {
      if (const auto raw = on_hello(); raw) {
        if (!raw->empty()) ::send(fd, raw->data(), raw->size(), MSG_NOSIGNAL);
        return true;
      }
    }
    std::vector<thrift::Held> held;
    for (const auto& [number, stream] : streams_) held.push_back(stream.held);
    if (on_held) on_held(held);
    writer.field(thrift::FieldType::kStruct, 0);
    writer.field_i32(1, 1);
    writer.field_i32(2, static_cast<int32_t>(tracepoints_.size()));
    writer.field_list(3, thrift::FieldType::kStruct, held.size());
    for (const thrift::Held& one : held) {
      writer.field_i32(1, one.stream);
      writer.field_i64(2, one.sequence);
      writer.field_i64(3, one.position);
      writer.field_i64(4, one.bytes);
      writer.field_i64(5, one.packets);
      writer.field_i64(6, one.last_time);
      writer.field_i64(7, one.lost);
      writer.field_i64(8, one.events);
      writer.field_i32(9, one.epoch);
      writer.field_i64(10, one.lost_before);
      writer.field_i64(11, one.unstored);
      writer.stop();
    }
    if (takes_epochs) writer.field_bool(5, true);
    writer.stop();
    writer.stop();
    reply(fd, out);
    return true;
  }

  static ReceivedPut read_put(thrift::Reader& reader, int32_t call) {
    ReceivedPut put;
    put.call = call;
    reader.fields([&](thrift::Reader::FieldHead) {
      reader.fields([&](thrift::Reader::FieldHead head) {
        int64_t* const losses[] = {&put.head.lost.no_room,     &put.head.lost.too_big,
                                   &put.head.lost.bad_value,   &put.head.lost.no_ring,
                                   &put.head.lost.overwritten, &put.head.lost.unstored};
        switch (head.id) {
          case 1:
            put.head.stream = reader.i32();
            break;
          case 2:
            put.head.sequence = reader.i64();
            break;
          case 3:
            put.head.position = reader.i64();
            break;
          case 4:
            put.head.events = reader.i32();
            break;
          case 5:
            reader.fields([&](thrift::Reader::FieldHead inner) { *losses[inner.id - 1] = reader.i64(); });
            break;
          case 7:
            put.head.epoch = reader.i32();
            break;
          case 8:
            put.head.clock_offset = reader.i64();
            break;
          default:
            put.packets = reader.string();
        }
      });
    });
    return put;
  }

  bool put(int fd, thrift::Reader& reader, int32_t call, thrift::Writer& writer, std::vector<uint8_t>& out) {
    const ReceivedPut put = read_put(reader, call);
    if (!reader.ok()) faults_.push_back("a put that does not parse");
    const Answer answer = on_put ? on_put(put) : Answer::kStore;
    if (answer == Answer::kHangUp) return ++hang_ups_, false;
    if (answer == Answer::kRefuse) {
      writer.field(thrift::FieldType::kStruct, 1);
      writer.field_i32(1, 6);
      writer.field_string(2, "no space left on device");
      writer.stop();
      writer.stop();
      reply(fd, out);
      return false;
    }
    store(put);
    writer.field(thrift::FieldType::kStruct, 0);
    writer.field_i32(1, put.head.stream);
    writer.field_i64(2, put.head.sequence);
    if (followed) writer.field_bool(4, true);
    writer.stop();
    writer.stop();
    if (answer == Answer::kStore) reply(fd, out);
    if (answer == Answer::kStoreSilently) unanswered_.emplace_back(fd, out);
    if (answer == Answer::kStoreAndHangUp) return ++hang_ups_, false;
    return true;
  }

  void store(const ReceivedPut& put) {
    ++puts_;
    Stored& stream = streams_[put.head.stream];
    thrift::Held& held = stream.held;
    held.stream = put.head.stream;
    if (put.head.sequence <= held.sequence) {
      ++repeated_;
      return;
    }
    if (put.head.sequence != held.sequence + 1)
      faults_.push_back("stream " + std::to_string(put.head.stream) + ": put " +
                        std::to_string(put.head.sequence) + " after " + std::to_string(held.sequence));
    if (put.head.position < held.position) faults_.push_back("a position that goes back");
    if (put.head.lost.overwritten < stream.lost.overwritten) faults_.push_back("a loss that goes back");
    if (put.head.epoch < held.epoch) faults_.push_back("an epoch that goes back");
    if (put.head.epoch > held.epoch) {
      stream.before[held.epoch] = std::exchange(stream.file, {});
      held.epoch = put.head.epoch;
      held.packets = 0;
      held.lost_before += std::exchange(held.lost, 0);
    }
    stream.clock_offset = put.head.clock_offset;
    held.sequence = put.head.sequence;
    held.position = put.head.position;
    const auto* packets = reinterpret_cast<const uint8_t*>(put.packets.data());
    for (size_t at = 0; at + 84 <= put.packets.size();) {
      uint64_t bits = 0;
      std::memcpy(&held.last_time, packets + at + 40, 8);
      std::memcpy(&bits, packets + at + 56, 8);
      std::memcpy(&held.lost, packets + at + 72, 8);
      ++held.packets;
      if (bits < 84 * 8) break;
      at += bits / 8;
    }
    stream.file.insert(stream.file.end(), packets, packets + put.packets.size());
    held.bytes = static_cast<int64_t>(stream.file.size());
    stream.events += static_cast<uint64_t>(put.head.events);
    held.events = static_cast<int64_t>(stream.events);
    stream.lost = put.head.lost;
    ++stream.puts;
  }

  int listener_;
  int stop_[2] = {-1, -1};
  uint16_t port_ = 0;
  std::thread thread_;

  std::mutex mutex_;  // guards what follows
  bool frozen_ = false;
  int64_t hang_up_after_ = -1;
  int newest_ = -1;  // the connection that greeted last
  std::map<int32_t, Stored> streams_;
  std::vector<thrift::Tracepoint> tracepoints_;
  std::vector<size_t> declare_calls_;
  std::vector<std::pair<int, std::vector<uint8_t>>> unanswered_;
  std::vector<std::string> faults_;
  thrift::Hello hello_{};
  uint64_t puts_ = 0, repeated_ = 0, hellos_ = 0, hang_ups_ = 0;
};

}  // namespace blkin::test
