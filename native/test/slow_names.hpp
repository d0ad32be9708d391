// native/test/slow_names.hpp: a getaddrinfo() that stands in for libc's in the program that includes this (once).
//   hangs.invalid   is looked up for as long as g_look_up_hangs, and then not found
//   two.invalid     is ::1, and then 127.0.0.1
#pragma once

#include <dlfcn.h>
#include <netdb.h>
#include <unistd.h>

#include <atomic>
#include <cstring>

namespace {
std::atomic<bool> g_look_up_hangs{false};
std::atomic<int> g_hanging{0};
}  // namespace

extern "C" int getaddrinfo(const char* host, const char* port, const addrinfo* hints, addrinfo** found) {
  static auto* const real = reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
  if (std::strcmp(host, "hangs.invalid") == 0) {
    ++g_hanging;
    while (g_look_up_hangs) usleep(1000);
    --g_hanging;
    return EAI_FAIL;
  }
  if (std::strcmp(host, "two.invalid") != 0) return real(host, port, hints, found);
  if (const int error = real("::1", port, hints, found); error != 0) return error;
  return real("127.0.0.1", port, hints, &(*found)->ai_next);
}
