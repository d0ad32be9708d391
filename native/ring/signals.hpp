// native/ring/signals.hpp: keeps signals away from this thread while it makes or grows a file. System calls, so never on the
// write path.
#pragma once

#include <cerrno>
#include <csignal>
#include <ctime>

namespace blkin::ring {

// One that came for a file above RLIMIT_FSIZE does not come afterwards either: EFBIG says the same, and who has left
// SIGXFSZ at its default would be killed by it.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  // errno stays what it was: the reason why something in between failed is read behind it.
  ~SignalsBlocked() {
    const int reason = errno;
    sigset_t too_large;
    sigemptyset(&too_large);
    sigaddset(&too_large, SIGXFSZ);
    const timespec now{};
    if (sigismember(&before_, SIGXFSZ) == 0) sigtimedwait(&too_large, nullptr, &now);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = reason;
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace blkin::ring
