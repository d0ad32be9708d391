// native/folder/dead_process.cc: see dead_process.hpp.
#include "dead_process.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace blkin::control {

namespace {

constexpr size_t kTracepointsBytes = 64 << 20;  // far above what 16384 tracepoints take
constexpr size_t kHelloBytes = 1 << 20;
constexpr size_t kRelayBytes = 4096;

// Of another user's rings: what each is charged at least, so that there are not too many of them, and the largest.
constexpr uint64_t kChargeLeast = 64 << 10;
constexpr uint64_t kCapacityMost = 1 << 30;
constexpr uint64_t kSummaryPart = 4;  // a summary's charge, as a part of the ring's capacity

bool read_all(int fd, void* to, uint64_t size, uint64_t from) {
  auto* at = static_cast<char*>(to);
  while (size > 0) {
    const ssize_t got = pread(fd, at, size, static_cast<off_t>(from));
    if (got <= 0) return false;
    at += got;
    from += static_cast<uint64_t>(got);
    size -= static_cast<uint64_t>(got);
  }
  return true;
}

}  // namespace

std::unique_ptr<DeadRing> DeadRing::open(const Directory& folder, Channel channel, const std::string& name,
                                         CopyRoom& room) {
  std::unique_ptr<DeadRing> out(new DeadRing());
  if (!out->open_ring(folder, name, room) && !out->open_summary(folder, name, room)) return nullptr;
  // The file's place is its stream: two rings of one stream would release each other's records.
  const uint32_t number = out->ring_->stream - first_stream(channel);
  const bool fits = number < static_cast<uint32_t>(consumer::kRinglessStream);
  return fits && std::to_string(number) == name ? std::move(out) : nullptr;
}

DeadRing::~DeadRing() {
  if (ring_ != nullptr) munmap(ring_, bytes_);
}

bool DeadRing::open_ring(const Directory& folder, const std::string& name, CopyRoom& room) {
  if (folder.owner() != geteuid()) {
    const Descriptor file = folder.file(name, O_RDONLY);
    return file && copy(file.get(), room);
  }
  // Private, so that who has to go on from here finds the ring as it was left.
  ring_ = ring::open(folder.fd(), name.c_str(), geometry_, MAP_PRIVATE);
  bytes_ = ring::kHeaderBytes + geometry_.capacity;
  return ring_ != nullptr;
}

bool DeadRing::allocate(uint64_t bytes) {
  void* const base =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return false;
  ring_ = static_cast<ring::Header*>(base);
  bytes_ = bytes;
  return true;
}

// The header, and the records between the oldest and the newest.
bool DeadRing::copy(int fd, CopyRoom& room) {
  ring::Header header{};
  if (!read_all(fd, &header, sizeof header, 0) || header.magic != ring::kMagic ||
      header.version != ring::kVersion)
    return false;
  geometry_ = {header.sub_buffer_bytes, header.capacity, header.mode};
  if (!ring::valid_geometry(geometry_) || !ring::valid_positions(&header, geometry_)) return false;
  const uint64_t head = ring::committed(&header);
  const uint64_t from = geometry_.mode == ring::Mode::kOverwrite
                            ? ring::kept(&header, geometry_.sub_buffer_bytes).from
                            : header.tail.load();
  const uint64_t charge =
      geometry_.capacity > kCapacityMost ? UINT64_MAX : std::max(head - from, kChargeLeast);
  if (!room.take(charge) || !allocate(ring::kHeaderBytes + geometry_.capacity)) return false;
  std::memcpy(static_cast<void*>(ring_), static_cast<const void*>(&header), sizeof header);
  for (uint64_t at = from; at < head;) {
    const uint64_t place = at % geometry_.capacity;
    const uint64_t size = std::min(head - at, geometry_.capacity - place);
    if (!read_all(fd, ring_->data() + place, size, ring::kHeaderBytes + place)) return false;
    at += size;
  }
  return true;
}

bool DeadRing::open_summary(const Directory& folder, const std::string& name, CopyRoom& room) {
  const Descriptor file = folder.file(name, O_RDONLY);
  if (!file || (ring_ == nullptr && !allocate(ring::kHeaderBytes))) return false;
  const bool foreign = folder.owner() != geteuid();
  const uint64_t most = foreign ? kCapacityMost : UINT64_MAX;
  is_summary_ = ring::Summary::read(file.get(), most, *ring_, summary_);
  if (foreign && ring_->magic == ring::kSummaryMagic && ring_->capacity > most) room.take(UINT64_MAX);
  if (!is_summary_ || (foreign && !room.take(std::max(ring_->capacity / kSummaryPart, kChargeLeast))))
    return false;
  // To whoever drains it, a ring that is read to its end, and of which the summary tells the rest.
  geometry_ = {ring_->sub_buffer_bytes, ring_->capacity, ring::Mode::kDiscard};
  ring_->tail.store(ring::committed(ring_));
  return true;
}

bool DeadRing::is_delivered() const {
  return !is_summary_ && ring::committed(ring_) == ring_->tail.load() && ring::lost(ring_) == 0;
}

std::unique_ptr<DeadSession> DeadSession::open(const Directory& process, const std::string& name) {
  auto out = std::make_unique<DeadSession>();
  out->folder_ = process.folder(name);
  if (!out->folder_) return nullptr;
  const Descriptor state = out->folder_.file("state", O_RDONLY);
  if (!state || !read_all(state.get(), out->state_.get(), sizeof(State), 0) ||
      out->state_->magic != kStateMagic || out->state_->version != 1)
    return nullptr;
  const std::vector<uint8_t> bytes = out->folder_.read("hello", kHelloBytes);
  thrift::Reader reader(bytes.data(), bytes.size());
  out->hello_ = thrift::read_hello(reader);
  if (bytes.empty() || !reader.ok()) return nullptr;
  out->state_->epochs.repair();
  const std::vector<uint8_t> relay = out->folder_.read("relay", kRelayBytes);
  out->relay_.assign(relay.begin(), relay.end());
  for (const Channel channel : kChannels) {
    Directory& folder = out->channels_[static_cast<size_t>(channel)];
    folder = out->folder_.folder(name_of(channel));
    if (!folder) return nullptr;
  }
  return out;
}

bool DeadSession::is_delivered() {
  if (state_->lost_bad_value.load() > 0 || state_->lost_no_ring.load() > 0) return false;
  for (const Channel channel : kChannels)
    for (const std::string& name : this->channel(channel).names()) {
      CopyRoom room{0};
      const auto ring = DeadRing::open(this->channel(channel), channel, name, room);
      if (ring != nullptr && !ring->is_delivered()) return false;
    }
  return true;
}

std::unique_ptr<DeadProcess> DeadProcess::open(const Directory& user, const std::string& name) {
  auto out = std::make_unique<DeadProcess>();
  out->folder_ = user.folder(name);
  if (!out->folder_) return nullptr;
  out->lock_ = out->folder_.file("alive", O_RDONLY);
  const bool held = out->lock_ && flock(out->lock_.get(), LOCK_EX | LOCK_NB) == 0;
  return held ? std::move(out) : nullptr;
}

std::vector<std::string> DeadProcess::sessions() const {
  std::vector<std::string> found;
  for (std::string& name : folder_.names())
    if (folder_.folder(name)) found.push_back(std::move(name));
  return found;
}

std::vector<thrift::Tracepoint> DeadProcess::tracepoints() const {
  std::vector<thrift::Tracepoint> found;
  const std::vector<uint8_t> bytes = folder_.read("tracepoints", kTracepointsBytes);
  thrift::Reader reader(bytes.data(), bytes.size());
  for (;;) {
    thrift::Tracepoint tracepoint = thrift::read_tracepoint(reader);
    if (!reader.ok() || tracepoint.id != static_cast<int32_t>(found.size())) break;
    found.push_back(std::move(tracepoint));
  }
  return found;
}

std::vector<Directory> dead_users() {
  const std::string prefix = "blkin-";
  std::vector<Directory> found;
  for (const std::string& base : bases()) {
    if (!keeps_names(base)) continue;
    std::vector<std::string> names{prefix + std::to_string(geteuid())};
    if (geteuid() == 0)
      if (const Directory all(base); all) names = all.names();
    for (const std::string& name : names) {
      if (name.rfind(prefix, 0) != 0) continue;
      std::string path = base;
      path.append("/").append(name);
      Directory user(path);
      // A name that is not its owner's was made by somebody else, to be taken for it.
      if (user && user.is_private() && name == prefix + std::to_string(user.owner()))
        found.push_back(std::move(user));
    }
  }
  return found;
}

}  // namespace blkin::control
