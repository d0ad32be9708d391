// native/fuzz/allocated.hpp: how much memory a target asks for while it works on one input. By the sanitizers' hook, which
// sees every allocation; what was given back counts too, so the sum is that of one input whatever came before.
#pragma once

#include <sanitizer/allocator_interface.h>

#include <atomic>
#include <cstddef>

namespace blkin::fuzz {

inline std::atomic<size_t> allocated_bytes{0};

// The hook stays for the life of the process.
inline void count_allocations() {
  static const int installed = __sanitizer_install_malloc_and_free_hooks(
      [](const volatile void*, size_t size) { allocated_bytes.fetch_add(size, std::memory_order_relaxed); },
      [](const volatile void*) {});
  static_cast<void>(installed);
}

}  // namespace blkin::fuzz
