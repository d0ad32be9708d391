// native/addon/flush.cc: flush(milliseconds) -> Promise<boolean>. Waits on a thread of the pool, so that the event
// loop goes on.
#include "environment.hpp"

namespace blkin::addon {

namespace {

class Flush final : public Napi::AsyncWorker {
 public:
  Flush(Napi::Env env, uint64_t timeout_ms)
      : AsyncWorker(env, "blkin.flush"),
        promise_(Napi::Promise::Deferred::New(env)),
        timeout_ms_(timeout_ms) {}

  Napi::Promise promise() const { return promise_.Promise(); }

 protected:
  void Execute() override {
    control::Session* session = control::Process::session();
    done_ = session == nullptr || session->flush(timeout_ms_);
  }
  void OnOK() override { promise_.Resolve(Napi::Boolean::New(Env(), done_)); }

 private:
  Napi::Promise::Deferred promise_;
  uint64_t timeout_ms_;
  bool done_ = false;
};

}  // namespace

Napi::Value flush(const Napi::CallbackInfo& info) {
  auto* work = new Flush(info.Env(), static_cast<uint64_t>(info[0].As<Napi::Number>().Int64Value()));
  const Napi::Promise promise = work->promise();
  work->Queue();
  return promise;
}

}  // namespace blkin::addon
