// native/ring/rseq_arm64.hpp: the instructions of rseq.hpp's sequences on arm64, as macros that end with that file.
// Operands: area, cpu, ring, head, next, dst, word; and where there is a payload: src, words, ticks.
#pragma once

#include <cstdint>

#define BLKIN_RSEQ_OPEN     \
  BLKIN_RSEQ_DESCRIPTOR     \
  "adrp x9, 3b\n"           \
  "add x9, x9, :lo12:3b\n"  \
  "str x9, [%[area], #8]\n" \
  "1:\n"                    \
  "ldr w9, [%[area], #4]\n" \
  "cmp w9, %w[cpu]\n"       \
  "b.ne %l[abort]\n"        \
  "add x10, %[ring], #64\n" \
  "ldr x9, [x10]\n"         \
  "cmp x9, %[head]\n"       \
  "b.ne %l[abort]\n"
#define BLKIN_RSEQ_WORD "str %[word], [%[dst]]\n"
// isb: without it the counter may be read ahead of what stands before it, so of the last record's reading too.
#define BLKIN_RSEQ_COUNTER \
  "isb\n"                  \
  "mrs x9, cntvct_el0\n"
#define BLKIN_RSEQ_TIME "str x9, [%[dst], #8]\n"
#define BLKIN_RSEQ_TICKS "str %[ticks], [%[dst], #8]\n"
#define BLKIN_RSEQ_COPY                 \
  "add x9, %[dst], #16\n"               \
  "mov x11, xzr\n"                      \
  "b 6f\n"                              \
  "5: ldr x12, [%[src], x11, lsl #3]\n" \
  "str x12, [x9, x11, lsl #3]\n"        \
  "add x11, x11, #1\n"                  \
  "6: cmp x11, %[words]\n"              \
  "b.lo 5b\n"
#define BLKIN_RSEQ_CLOSE                                                       \
  "stlr %[next], [x10]\n"                                                      \
  "2:\n"                                                                       \
  ".pushsection __rseq_failure, \"ax?\"\n"                                     \
  ".inst 0xd428bc00\n" /* brk #0x45e0: the signature that the kernel checks */ \
  "4: b %l[abort]\n"                                                           \
  ".popsection\n"
#define BLKIN_RSEQ_USES "memory", "cc", "x9", "x10", "x11", "x12"

namespace blkin::ring {

// What a sequence would read now; nothing is moved across it.
[[gnu::always_inline]] inline uint64_t read_counter() noexcept {
  uint64_t ticks;
  asm volatile(BLKIN_RSEQ_COUNTER "mov %[ticks], x9\n" : [ticks] "=r"(ticks)::"memory", "x9");
  return ticks;
}

}  // namespace blkin::ring
