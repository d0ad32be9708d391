// native/addon/flush.cc: flush(session, milliseconds) -> Promise<boolean>; all sessions where the name is empty. Waits on
// a thread of the pool, so that the event loop goes on.
#include <algorithm>

#include "environment.hpp"

namespace blkin::addon {

namespace {

class Flush final : public Napi::AsyncWorker {
 public:
  Flush(Napi::Env env, std::string session, uint64_t timeout_ms)
      : AsyncWorker(env, "blkin.flush"),
        promise_(Napi::Promise::Deferred::New(env)),
        session_(std::move(session)),
        timeout_ms_(timeout_ms) {}

  Napi::Promise promise() const { return promise_.Promise(); }

 protected:
  void Execute() override {
    const uint64_t until = clock::monotonic_ns() + timeout_ms_ * 1'000'000;
    done_ = true;
    for (const auto& consumer : control::Process::get().consumers(session_)) {
      const uint64_t ticket = consumer->ask_flush();
      bool flushed = false;
      for (uint64_t left_ms = 1; !flushed && left_ms > 0 && !leaving();) {
        const uint64_t now = clock::monotonic_ns();
        left_ms = now < until ? (until - now) / 1'000'000 : 0;
        flushed = consumer->await_flush(ticket, std::min(left_ms, kLeaveMs));
      }
      done_ = flushed && done_;
    }
  }
  void OnOK() override { promise_.Resolve(Napi::Boolean::New(Env(), done_)); }

 private:
  Napi::Promise::Deferred promise_;
  std::string session_;
  uint64_t timeout_ms_;
  bool done_ = false;
};

}  // namespace

Napi::Value flush(const Napi::CallbackInfo& info) {
  auto* work = new Flush(info.Env(), info[0].As<Napi::String>().Utf8Value(),
                         static_cast<uint64_t>(info[1].As<Napi::Number>().Int64Value()));
  const Napi::Promise promise = work->promise();
  work->Queue();
  return promise;
}

}  // namespace blkin::addon
