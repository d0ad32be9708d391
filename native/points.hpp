// native/points.hpp: names for places in the code, behind which a debugger or test/matrix can kill or stall a thread: one after
// each side effect that another process can see. A point is no instruction: its address and name go into the section
// `.blkin_points` of the file, which is not loaded, and the compiler moves no store across it.
// Restartable sequences need none: their descriptors say where they begin and where they commit.
// Read by test/support/elf.ts. gdb: `readelf -p .blkin_points` tells the names.
#pragma once

// The flag `?` puts it into the function's own group, as in ring/rseq.hpp. `inline`: the compiler takes it for as small as it is.
#define BLKIN_POINT(name)                   \
  asm volatile inline(                      \
      "99:\n"                               \
      ".pushsection .blkin_points, \"?\"\n" \
      ".balign 8\n"                         \
      ".quad 99b\n"                         \
      ".asciz \"" name                      \
      "\"\n"                                \
      ".popsection\n" ::                    \
          : "memory")
