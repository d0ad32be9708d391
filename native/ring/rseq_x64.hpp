// native/ring/rseq_x64.hpp: the instructions of rseq.hpp's sequences on x86-64, as macros that end with that file.
// Operands: area, cpu, ring, head, next, dst, word; and where there is a payload: src, words, ticks.
#pragma once

#include <cstdint>

#define BLKIN_RSEQ_OPEN         \
  BLKIN_RSEQ_DESCRIPTOR         \
  "leaq 3b(%%rip), %%rax\n"     \
  "movq %%rax, 8(%[area])\n"    \
  "1:\n"                        \
  "cmpl %[cpu], 4(%[area])\n"   \
  "jnz %l[abort]\n"             \
  "cmpq %[head], 64(%[ring])\n" \
  "jnz %l[abort]\n"
#define BLKIN_RSEQ_WORD "movq %[word], (%[dst])\n"
// Before any store of the record: behind one it costs 2 ns more.
#define BLKIN_RSEQ_COUNTER \
  "rdtsc\n"                \
  "shlq $32, %%rdx\n"      \
  "orq %%rdx, %%rax\n"
#define BLKIN_RSEQ_TIME "movq %%rax, 8(%[dst])\n"
#define BLKIN_RSEQ_TICKS "movq %[ticks], 8(%[dst])\n"
#define BLKIN_RSEQ_COPY                 \
  "xorl %%ecx, %%ecx\n"                 \
  "cmpq %[words], %%rcx\n"              \
  "jae 6f\n"                            \
  "5: movq (%[src], %%rcx, 8), %%rdx\n" \
  "movq %%rdx, 16(%[dst], %%rcx, 8)\n"  \
  "incq %%rcx\n"                        \
  "cmpq %[words], %%rcx\n"              \
  "jb 5b\n"                             \
  "6:\n"
#define BLKIN_RSEQ_CLOSE                              \
  "movq %[next], 64(%[ring])\n"                       \
  "2:\n"                                              \
  ".pushsection __rseq_failure, \"ax?\"\n"            \
  ".byte 0x0f, 0xb9, 0x3d\n" /* ud1: the signature */ \
  ".long 0x53053053\n"       /* the kernel checks  */ \
  "4: jmp %l[abort]\n"                                \
  ".popsection\n"
#define BLKIN_RSEQ_USES "memory", "cc", "rax", "rcx", "rdx"

namespace blkin::ring {

// What a sequence would read now; nothing is moved across it.
[[gnu::always_inline]] inline uint64_t read_counter() noexcept {
  uint64_t ticks;
  asm volatile(BLKIN_RSEQ_COUNTER : "=a"(ticks)::"memory", "cc", "rdx");
  return ticks;
}

}  // namespace blkin::ring
