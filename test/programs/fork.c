// test/programs/fork.c: fork(2) without exec, as a library for a program to call. The child does nothing, for ever.
#include <unistd.h>

int fork_idle(void) {
  const int child = fork();
  while (child == 0) pause();
  return child;
}
