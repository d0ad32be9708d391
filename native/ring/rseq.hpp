// native/ring/rseq.hpp: the restartable sequence in which a record is written. Linux on x86-64 and arm64.
// The kernel promises: a thread preempted, migrated or signalled between `start` and `post commit` does not
// go on there but at `abort`. So what stands between is either done whole on one CPU, with no other thread of
// that CPU in between, or its last store never happened. Called by write.hpp; never makes a system call.
#pragma once

#include <dlfcn.h>

#include <cstddef>
#include <cstdint>

#include "layout.hpp"

// The descriptor that the kernel reads: where the sequence begins, its length, and where it goes on when broken off.
#define BLKIN_RSEQ_DESCRIPTOR         \
  ".pushsection __rseq_cs, \"aw?\"\n" \
  ".balign 32\n"                      \
  "3: .long 0, 0\n"                   \
  ".quad 1f, 2f - 1f, 4f\n"           \
  ".popsection\n"

#if defined(__x86_64__)
#include "rseq_x64.hpp"
#define BLKIN_HAVE_RSEQ 1
#elif defined(__aarch64__)
#include "rseq_arm64.hpp"
#define BLKIN_HAVE_RSEQ 1
#else
#define BLKIN_HAVE_RSEQ 0
#endif

namespace blkin::ring {

// The kernel's struct rseq, of which glibc keeps one per thread (Linux uapi, linux/rseq.h).
struct RseqArea {
  uint32_t cpu_id_start;
  volatile uint32_t cpu_id;  // above INT32_MAX: not registered
  uint64_t rseq_cs;
  uint32_t flags;
};
static_assert(offsetof(RseqArea, cpu_id) == 4 && offsetof(RseqArea, rseq_cs) == 8);

// glibc's offset of the area from the thread pointer; looked up by name, since an older glibc has none and
// would then refuse to load us. Zero: no rseq here.
inline ptrdiff_t find_rseq_offset() noexcept {
#if BLKIN_HAVE_RSEQ
  const auto* offset = static_cast<const ptrdiff_t*>(dlsym(RTLD_DEFAULT, "__rseq_offset"));
  const auto* size = static_cast<const unsigned*>(dlsym(RTLD_DEFAULT, "__rseq_size"));
  if (offset == nullptr || size == nullptr || *size < 20) return 0;
  const auto* area =
      reinterpret_cast<const RseqArea*>(static_cast<char*>(__builtin_thread_pointer()) + *offset);
  return area->cpu_id <= INT32_MAX ? *offset : 0;
#else
  return 0;
#endif
}

inline RseqArea* rseq_area(ptrdiff_t offset) noexcept {
  return reinterpret_cast<RseqArea*>(static_cast<char*>(__builtin_thread_pointer()) + offset);
}

#if BLKIN_HAVE_RSEQ
// Edge A, writer's end (layout.hpp, Header::head; the reader's end is committed() in read.hpp): the last instruction is
// the store of head. It is plain on x86, which keeps stores in order, and a store-release on arm64, which does not.
// The `?` of the sections' flags puts them into the function's own COMDAT group: without it a copy that the linker
// drops leaves its descriptor behind, and two files that do not inline this do not link.
static_assert(offsetof(Header, head) == 64, "the 64 in the text below");

// Writes word, then the time (`ticks`, or the CPU's counter where kCounter), then `words` words of src, at dst; then
// `next` as head. False: nothing was written; ask again.
template <bool kCounter>
[[gnu::always_inline]] inline bool rseq_write(RseqArea* area, uint32_t cpu, Header* ring, uint64_t head,
                                              uint64_t next, uint64_t* dst, uint64_t word, uint64_t ticks,
                                              const void* src, uint64_t words) noexcept {
  if constexpr (kCounter) {
    asm goto(
        BLKIN_RSEQ_OPEN BLKIN_RSEQ_COUNTER BLKIN_RSEQ_WORD BLKIN_RSEQ_TIME BLKIN_RSEQ_COPY BLKIN_RSEQ_CLOSE
        :
        : [area] "r"(area), [cpu] "r"(cpu), [ring] "r"(ring), [head] "r"(head), [next] "r"(next),
          [dst] "r"(dst), [word] "r"(word), [src] "r"(src), [words] "r"(words)
        : BLKIN_RSEQ_USES
        : abort);
  } else {
    asm goto(BLKIN_RSEQ_OPEN BLKIN_RSEQ_WORD BLKIN_RSEQ_TICKS BLKIN_RSEQ_COPY BLKIN_RSEQ_CLOSE
             :
             : [area] "r"(area), [cpu] "r"(cpu), [ring] "r"(ring), [head] "r"(head), [next] "r"(next),
               [dst] "r"(dst), [word] "r"(word), [src] "r"(src), [words] "r"(words), [ticks] "r"(ticks)
             : BLKIN_RSEQ_USES
             : abort);
  }
  return true;
abort:
  return false;
}

// As above for a pad: one word, no time. A pad may be as short as that word.
inline bool rseq_pad(RseqArea* area, uint32_t cpu, Header* ring, uint64_t head, uint64_t next, uint64_t* dst,
                     uint64_t word) noexcept {
  asm goto(BLKIN_RSEQ_OPEN BLKIN_RSEQ_WORD BLKIN_RSEQ_CLOSE
           :
           : [area] "r"(area), [cpu] "r"(cpu), [ring] "r"(ring), [head] "r"(head), [next] "r"(next),
             [dst] "r"(dst), [word] "r"(word)
           : BLKIN_RSEQ_USES
           : abort);
  return true;
abort:
  return false;
}
#undef BLKIN_RSEQ_DESCRIPTOR
#undef BLKIN_RSEQ_OPEN
#undef BLKIN_RSEQ_WORD
#undef BLKIN_RSEQ_COUNTER
#undef BLKIN_RSEQ_TIME
#undef BLKIN_RSEQ_TICKS
#undef BLKIN_RSEQ_COPY
#undef BLKIN_RSEQ_CLOSE
#undef BLKIN_RSEQ_USES
#endif

}  // namespace blkin::ring
