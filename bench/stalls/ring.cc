// bench/stalls/ring.cc: blkin's own write into its rings from C++, for bench/stalls/serve.h, while a thread reads, packs and gives back as the
// consumer's does. Also the bare loop, which shows what the machine does to all of them, and one with stalls that have to be seen.
#include "../pack/rings.hpp"
#include "serve.h"

#include <array>
#include <atomic>
#include <iterator>
#include <thread>

#include <unistd.h>

namespace {

constexpr useconds_t kReadEveryUs = 1000;  // the consumer's, while it has something to do, is 0.25 to 10 ms

blkin::bench::Rings rings;

void ints(uint32_t x, uint32_t i) { rings.write(x, i, 4096); }

}  // namespace

int main() {
  std::atomic<bool> over{false};
  uint64_t events = 0;
  const auto read = [&] {
    rings.calibrate();
    events += rings.drain();
  };
  std::thread reader([&] {
    while (!over.load(std::memory_order_relaxed)) {
      read();
      usleep(kReadEveryUs);
    }
    read();
  });
  static const stall_entry entries[] = {
      {"ints", ints}, {"nothing", stall_nothing}, {"planted", stall_planted}};
  const int code = stall_serve(entries, std::size(entries));
  over = true;
  reader.join();
  std::printf("{\"recorded\":%" PRIu64 ",\"lost\":%" PRIu64 "}\n", events, rings.lost());
  return code;
}
